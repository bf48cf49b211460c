import { renameSync, rmSync, statSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { describeError } from '../core/describe.js';
import { FirebreakError } from '../core/errors.js';
import type { Answer } from '../core/outcome.js';
import { toPrintable } from '../core/printable.js';
import { hasRoom, type Session } from '../core/quota.js';
import { parseAlarm, type AlarmRequest } from '../intake/alarm.js';
import type { GatewayRequest } from '../intake/gateway.js';
import {
  intakeSocketOf,
  maxHandedOver,
  parseHandedOver,
  renderHandedBack,
  type HandedOver,
  type HandedBack,
} from '../intake/hand-over.js';
import { findCaller, findOrigin } from '../intake/origin.js';
import type { App, Host } from '../runtime/app.js';
import { findListWarnings } from '../runtime/protected-copies.js';
import { findMismatches } from './admit.js';
import type { AlarmQueue } from './alarm-queue.js';
import type { Applier } from './apply-soon.js';
import { makeCallerMemory } from './callers.js';
import { onceEach } from './drain.js';
import { isOurFault, serveSession, type GatewayServer } from './gateway-session.js';
import type { Recorded } from './record.js';
import { submit, submitAlarm } from './submit.js';

/** How often it is checked that the socket is there, and ours. */
const checkEveryMs = 15_000;

/** How long a caller may take to send its request. */
const requestMs = 5000;

/** How long sessions may take to end after a signal. */
const closeMs = 4000;

const maxConnections = 1000;

/** What a process that runs on brings along. */
export interface Resident {
  app: App;
  queue: AlarmQueue;
  applier: Applier;
}

/**
 * Takes the alarms of callers over SSH until a signal stops it, by the code that serves one in a process of its own: none
 * of them has to start Node. Of several processes on one ledger the first one listens. It ends when the configuration
 * changes, which this process has read only once: from then on each caller starts a process of its own.
 */
export async function takeHandedOver(resident: Resident): Promise<void> {
  const { app } = resident;
  const path = intakeSocketOf(app.config.state_dir);
  const warn = onceEach(app.warn);
  const isCurrent = watchFiles(app);
  const sessions = makeSessions(app);
  const links = new Set<Promise<void>>();
  const serve = (link: Socket): void => {
    const isTaken = isCurrent() && !app.stop.aborted;
    const done: Promise<void> = serveLink(link, (request) =>
      isTaken ? answer(request, resident, sessions) : undefined,
    ).finally(() => links.delete(done));
    links.add(done);
  };
  let listening: Listening | undefined;
  while (!app.stop.aborted && isCurrent()) {
    if (listening !== undefined && inodeOf(path) !== listening.inode) listening = close(listening, path);
    listening ??= await listen(path, serve).catch((error: unknown) => {
      warn(`${path}: ${describeError(error)}; alarms over SSH start a process each`);
      return undefined;
    });
    await pause(checkEveryMs, undefined, { signal: app.stop }).catch(() => undefined); // stopped: the loop ends
  }
  if (listening !== undefined) close(listening, path);
  if (!app.stop.aborted)
    warn('the configuration has changed: restart this process; until then alarms over SSH start one each');
  await Promise.race([Promise.all(links), pause(closeMs, undefined, { ref: false })]);
}

interface Listening {
  server: Server;
  inode: number;
}

/** Replaces the socket of a process that has died. @returns undefined if a live one listens there */
async function listen(path: string, serve: (link: Socket) => void): Promise<Listening | undefined> {
  if (await isAnswered(path)) return undefined;
  const server = createServer({ allowHalfOpen: true }, serve);
  server.maxConnections = maxConnections;
  const own = `${path}.${process.pid}`; // renamed, so that callers find the one or the other
  rmSync(own, { force: true });
  // Errors after that, such as no free descriptor for a connection, end with the connection.
  await new Promise<void>((resolve, reject) => server.on('error', reject).listen(own, resolve));
  renameSync(own, path);
  return { server, inode: inodeOf(path) ?? 0 };
}

function close({ server, inode }: Listening, path: string): undefined {
  if (inodeOf(path) === inode) rmSync(path, { force: true });
  server.close();
}

const inodeOf = (path: string): number | undefined => statSync(path, { throwIfNoEntry: false })?.ino;

const isAnswered = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const link = connect(path, () => {
      link.destroy();
      resolve(true);
    }).once('error', () => resolve(false));
  });

/** @returns whether the configuration and the lists that it names are still those that were read */
function watchFiles({ configFile, config: { policy } }: App): () => boolean {
  const lists = [...policy.never_block, ...policy.never_block_to].flatMap(({ file }) => file ?? []);
  const look = (): string => [configFile, ...lists].map(describeFile).join();
  const before = look();
  return () => look() === before;
}

function describeFile(file: string): string {
  try {
    const { ino, mtimeMs, size } = statSync(file);
    return `${ino} ${mtimeMs} ${size}`;
  } catch (error) {
    return describeError(error);
  }
}

/** Serves one caller. @param take undefined if the caller is to do it itself */
async function serveLink(
  link: Socket,
  take: (request: HandedOver) => Promise<HandedBack | undefined> | undefined,
): Promise<void> {
  link.on('error', () => undefined); // the caller has gone: its alarm stays recorded
  const request = await readRequest(link);
  const taken = request && take(request);
  if (taken !== undefined) link.write('+');
  const reply = await taken;
  if (reply === undefined) link.destroy();
  else link.end(renderHandedBack(reply));
}

/** @returns undefined if what comes is not a request, is too long, or does not come in time */
async function readRequest(link: Socket): Promise<HandedOver | undefined> {
  const timer = setTimeout(() => link.destroy(), requestMs);
  const pieces: Buffer[] = [];
  let size = 0;
  try {
    for await (const piece of link.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      size += piece.length;
      if (size > maxHandedOver) return undefined;
      pieces.push(piece);
    }
    return parseHandedOver(Buffer.concat(pieces));
  } catch {
    return undefined; // destroyed
  } finally {
    clearTimeout(timer);
  }
}

/** @returns undefined if a process of the caller's own is to try, which then finds what was recorded */
async function answer(
  { alarm, client, command }: HandedOver,
  resident: Resident,
  sessions: Sessions,
): Promise<HandedBack | undefined> {
  const { app } = resident;
  const env = { SSH_CLIENT: client };
  const actor = findOrigin(env);
  let stderr = '';
  const warn = (message: string): void => void (stderr += `firebreak: ${toPrintable(message)}\n`);
  for (const warning of findListWarnings(app.config)) warn(warning);
  const server: GatewayServer = {
    caller: findCaller(env),
    begin: sessions,
    submit: (request, options, host) => submitHere(request, { ...options, id: alarm }, { ...resident, host }),
    isLast: false,
  };
  try {
    const { exit, text } = await serveSession(command, { ...app, actor, warn }, server);
    return { exit, stdout: `${toPrintable(text)}\n`, stderr };
  } catch (error) {
    if (!(error instanceof FirebreakError) || isOurFault(error)) {
      app.warn(`an alarm over SSH was handed back: ${describeError(error)}`);
      return undefined;
    }
    error.message.split('\n').forEach(warn);
    return { exit: error.exit, stdout: '', stderr };
  }
}

type Sessions = GatewayServer['begin'];

/** Counts the sessions of this process, which no other one needs to know: they take no process of their own. */
function makeSessions({ ledger }: App): Sessions {
  const served = new Set<Session>();
  const rememberCaller = makeCallerMemory(ledger);
  return async (session, quota) => {
    if (session.caller !== undefined) await rememberCaller(session.caller);
    if (!hasRoom([...served], session, quota)) return undefined;
    served.add(session);
    return () => void served.delete(session);
  };
}

/** The same as `submitAlarm`, but recorded together with what arrives at the same time, and applied by this process. */
async function submitHere(
  request: AlarmRequest,
  { id, ...options }: GatewayRequest & { id: string },
  { app, queue, applier, host }: Resident & { host: Host },
): Promise<Answer> {
  if (options.check) return submitAlarm(request, options, host);
  const { firewalls, wait } = options;
  const alarm = parseAlarm(request, host.config);
  const record = async (): Promise<Recorded> => {
    const [recorded] = await queue.record([{ id, alarm, origin: host.actor, firewalls }]);
    const { blocks = [], repeated = [], extended = [] } = recorded ?? {};
    for (const mismatch of findMismatches(blocks, host.config)) host.warn(mismatch);
    return { blocks, repeated, extended, leases: [] };
  };
  const answered = await submit({ ...host, ledger: app.ledger.as(host.actor) }, record, { wait });
  if (!wait) applier.kick(answered.blocks.flatMap(({ dueAt, firewall }) => (dueAt === null ? [] : firewall)));
  return { ...answered, alarm: id };
}
