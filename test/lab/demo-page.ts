/** What `npm run demo -- --page` shows: the page on the demo's firewall, with more than one alarm in it. */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findBrowser, startBrowser } from './browser.js';
import type { Stage } from './demo-stage.js';
import type { Answer } from './launcher.js';

export interface DemoPage {
  readonly url: string;
  readonly name: string;
  readonly password: string;
}

/** What further alarms say: source, destination, port, why, and options. */
const alarms: readonly (readonly [string, string, string, string, ...string[]])[] = [
  ['203.0.113.66', '192.168.1.20', '443', 'SQL injection, 14 requests', '--tag', 'web'],
  ['198.51.100.8', '192.168.1.20', '443', 'path traversal', '--tag', 'web', '--for', '7d'],
  ['192.0.2.91', '192.168.1.30', '3389', 'RDP brute force', '--for', '30d'],
  ['2001:db8::bad', '2001:db8:1::20', '443', 'scanner, 900 pages in a minute', '--tag', 'web'],
  ['198.51.100.33', '192.168.1.10', '22', 'ssh anomaly, every night', '--for', 'forever'],
  ['203.0.113.140', '192.168.1.25', '25', 'mail relay attempt'],
  ['203.0.113.141', '192.168.1.25', '25', 'mail relay attempt'],
  ['203.0.113.142', '192.168.1.25', '25', 'mail relay attempt'],
  ['203.0.113.143', '192.168.1.25', '25', 'mail relay attempt'],
  ['203.0.113.144', '192.168.1.25', '25', 'mail relay attempt'],
  ['192.0.2.17', '192.168.1.12', '22', 'ssh anomaly'],
  ['198.51.100.201', '192.168.1.40', '5432', 'login as postgres, 60 times', '--tag', 'database'],
];

/** A firewall that nobody answers for, limits that hold some of the alarms, and the page. */
const configuration = {
  ansible: { timeout: '5m', warm: '5m' },
  firewalls: { depot: { host: '127.0.0.1', port: 9, user: 'admin', interfaces: { wan: ['0.0.0.0/0', '::/0'] } } },
  policy: { limits: { per_destination: 3 } },
  serve: { page: { enabled: true } },
};

const block = (firewall: string, [source, destination, port, why, ...options]: (typeof alarms)[number]): string[] => [
  ...['block', source, destination, port, '--description', why, ...options],
  ...['--firewall', firewall, '--no-wait'],
];

/** Starts the server, makes an account, and lets the alarms come in. */
export async function openPage(stage: Stage): Promise<DemoPage> {
  const name = 'demo';
  const password = randomBytes(8).toString('hex');
  const passwordFile = path.join(stage.folder, 'ansible/page-password');
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
  stage.configure(configuration);
  await run(stage, ['user', 'add', name, '--role', 'admin', '--password-file', passwordFile]);
  const url = await stage.serve();
  for (const alarm of alarms) await run(stage, block('edge', alarm));
  const said = await run(stage, [
    ...block('depot', ['203.0.113.66', '10.20.0.5', '445', 'SMB from outside']),
    '--json',
  ]);
  const { blocks } = JSON.parse(said) as Answer;
  await run(stage, ['comment', blocks[0]?.id ?? '', 'seen at the other site as well']);
  await run(stage, ['unblock', '192.0.2.17', '--no-wait']);
  return { url, name, password };
}

/** Held blocks and an unreachable firewall are what it is to show. Gives what it printed. @throws Error if the call was wrong */
async function run(stage: Stage, args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await stage.firebreak(args);
  if (code === 1 || code === 2 || code === null) throw new Error(`firebreak ${args.join(' ')}: ${stderr}`);
  return stdout;
}

/** One more alarm after each of these pauses, until it is stopped. */
export async function sendAlarms(stage: Stage, signal: AbortSignal, pauseMs = 20_000): Promise<void> {
  try {
    for (let number = 0; ; number += 1) {
      await sleep(pauseMs, undefined, { signal });
      const source = `198.51.100.${1 + ((number * 37) % 254)}`;
      const port = ['22', '443', '8080'][number % 3] ?? '22';
      await run(stage, block('edge', [source, `192.168.1.${50 + (number % 40)}`, port, 'ssh anomaly']));
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** Takes a picture of the list (WebP), as a person who has logged in sees it. @returns false if there is no browser */
export async function takePicture(
  { url, name, password }: DemoPage,
  { file, colorScheme }: { file: string; colorScheme: 'light' | 'dark' },
): Promise<boolean> {
  const program = findBrowser();
  if (program === undefined) return false;
  const browser = await startBrowser(program);
  try {
    const context = await browser.newContext({ colorScheme, viewport: { width: 1280, height: 800 } });
    const page = await context.newPage();
    await page.goto(`${url}/login`);
    await page.fill('input[name=name]', name);
    await page.fill('input[name=password]', password);
    await Promise.all([page.waitForURL(`${url}/`), page.click('button.main')]);
    const session = await context.newCDPSession(page);
    const { data } = await session.send('Page.captureScreenshot', { format: 'webp', quality: 80 });
    writeFileSync(file, Buffer.from(data, 'base64'));
    return true;
  } finally {
    await browser.close();
  }
}
