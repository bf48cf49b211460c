import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { proofLevels } from '../../core/block.js';

const trackers = z.array(z.int());

/** It may quote the description of anyone's rule. */
const proofMessage = z
  .string()
  .max(300)
  .transform((text) => text.replace(/[^\x20-\x7e]/g, '?'));
/** The interfaces on which a firewall accepts rules. */
const interfaces = z.array(z.object({ key: z.string().max(32), description: z.string().max(64) })).max(256);
/** The networks behind the firewall's interfaces. */
const networks = z
  .array(z.object({ interface: z.string().regex(/^[A-Za-z][A-Za-z0-9_]{0,31}$/), network: z.string().max(49) }))
  .max(256)
  .optional();

/** Where a port forward sends the packets of a flow, so that its rule blocks them there. */
const inside = z.object({
  destination: z.string().regex(/^[0-9A-Fa-f:.]{1,45}$/),
  port: z.string().regex(/^[0-9]{0,5}$/),
});

/** What the role reports at the end of a batch (contract: `set_stats firebreak`). */
export const batchResult = z.object({
  added: trackers,
  present: trackers,
  removed: trackers,
  absent: trackers,
  proven: z.boolean(),
  /** What the proof of each flow in force is worth. */
  proof: z.array(z.object({ tracker: z.int(), level: z.enum(proofLevels), message: proofMessage })).optional(),
  /** Flows whose rule blocks the host behind a port forward. */
  followed: z.array(inside.extend({ tracker: z.int() })).optional(),
  changed_by_hand: trackers.optional(),
  /** The firewall's own. */
  addresses: z.array(z.string().max(45)).max(256).optional(),
  interfaces: interfaces.optional(),
  networks,
  refused: z.array(z.object({ tracker: z.int(), code: z.string(), message: z.string() })).optional(),
});
export type BatchResult = z.infer<typeof batchResult>;

/** A Firebreak rule in a firewall's configuration. Its texts are untrusted: an administrator may have edited them. */
const standingRule = z.object({
  tracker: z.int(),
  type: z.string(),
  interface: z.string(),
  ipprotocol: z.string(),
  protocol: z.string(),
  source: z.string(),
  destination: z.string(),
  port: z.string(),
  description: z.string(),
  changed: z.boolean(),
  /** How it was changed. */
  why: z.string().nullable(),
  proven: z.boolean(),
  /** What its proof is worth, and why. */
  proof: z.enum(proofLevels).optional(),
  proof_message: proofMessage.optional(),
  followed: inside.optional(),
  /** How many packets it has stopped since pf loaded it. */
  packets: z.int().nonnegative().optional(),
  misplaced: z.boolean().optional(),
});
export type StandingRule = z.infer<typeof standingRule>;

/** What `status.yml` reports about a firewall. */
export const statusResult = z.object({
  standing: z.array(standingRule),
  only_in_pf: trackers,
  addresses: z.array(z.string().max(45)).max(256).optional(),
  interfaces: interfaces.optional(),
  networks,
  /** Why no rule can be added to the configuration now. */
  edit_error: z.object({ code: z.string(), message: z.string() }).partial().optional(), // empty: none
});
export type StatusResult = z.infer<typeof statusResult>;

const result = z.object({
  event: z.literal('result'),
  host: z.string(),
  task: z.string(),
  status: z.enum(['ok', 'changed', 'failed', 'unreachable', 'skipped']),
  ignored: z.boolean().optional(),
  msg: z.string().nullish(),
  error: z.object({ code: z.string(), message: z.string() }).nullish(),
});
export type ResultEvent = z.infer<typeof result>;

const event = z.discriminatedUnion('event', [
  z.object({ event: z.literal('start'), ansible: z.string() }),
  z.object({ event: z.literal('task'), task: z.string() }),
  result,
  z.object({
    event: z.literal('stats'),
    hosts: z.record(z.string(), z.object({ failures: z.int(), unreachable: z.int() })),
    custom: z.record(z.string(), z.object({ firebreak: z.unknown() })),
  }),
]);
export type RunEvent = z.infer<typeof event>;

/** Reads the callback's events. Those of a killed run are incomplete, and the last line may be truncated. */
export function readEvents(file: string): RunEvent[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return []; // ansible exited before the callback started, which the result of the run reports
  }
  return text.split('\n').flatMap((line) => {
    const parsed = event.safeParse(parseLine(line));
    return parsed.success ? [parsed.data] : [];
  });
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
