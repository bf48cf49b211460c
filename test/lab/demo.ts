/**
 * `npm run demo`: an alarm becomes a proven firewall rule, with all three machines on this one.
 * What it shows is looked up on the stand-in each time; it ends with 1 if one of its claims does not hold.
 *
 *   npm run demo -- [--page]
 *
 * --page then shows the page on it, until Ctrl-C.
 */
import path from 'node:path';
import { decidePacket, type Decision } from './demo-packet.js';
import { findCard, findUserRules, type Rule } from './demo-rules.js';
import { openPage, sendAlarms, takePicture } from './demo-page.js';
import { makeScreen, type Mark, type Screen } from './demo-screen.js';
import { openStage, type Call, type DemoAlarm, type Stage } from './demo-stage.js';
import type { State } from './states.js';

const alarm: DemoAlarm = { source: '203.0.113.7', destination: '192.168.1.10', port: 22 };
const attack: State = { ...alarm, sourcePort: 51022 };
const colleague: State = { ...alarm, source: '198.51.100.77' };

/** Whether something is so, its figure, and what it is about. */
type Claim = [isSo: boolean, figure: string, text: string];

const isOurs = ({ source }: Rule): boolean => source === alarm.source;
const isDoor = (rule: Rule): boolean => rule.action === 'pass' && rule.destination === alarm.destination;

const isShut = (rules: readonly Rule[]): boolean =>
  rules.some(isOurs) && rules.findIndex(isOurs) < rules.findIndex(isDoor);

function markIn(rules: readonly Rule[]): (rule: Rule) => Mark {
  const door: Mark = isShut(rules) ? 'shut' : 'open';
  return (rule) => (isOurs(rule) ? 'new' : isDoor(rule) ? door : undefined);
}

const seconds = ({ ms }: Call): string => `${(ms / 1000).toFixed(1)} s`;
const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
/** Who lets the attacker in: the rule's name, from a message such as "rule 'Jump host' (tracker 1) passes it first". */
const findPasser = ({ message }: Decision): string => message.replace(/ passes it.*/, '');
const said = ({ stdout, stderr }: Call): string => `${stdout}${stderr}`.trim() || '(it said nothing)';

/** Plays all acts; gives what is claimed at the end. */
async function play(stage: Stage, screen: Screen): Promise<Claim[]> {
  const { firewall } = stage;
  const card = findCard(firewall.readConfig(), 'wan');
  const findRules = async (): Promise<Rule[]> => findUserRules(await firewall.loadedRules(), card);
  firewall.setStates([attack, colleague]);

  showCast(screen, stage);
  screen.heading(1, 'The alarm', `${alarm.source} guesses passwords on ${alarm.destination}, port ${alarm.port}`);
  screen.note('These are the rules on WAN as pf runs them; the first that matches wins.');
  const before = await findRules();
  screen.rules(before, markIn(before));
  const packet = { ...alarm, card };
  const passed = await decidePacket(firewall, packet);
  screen.note(`A packet of the attack comes to port ${alarm.port}: ${findPasser(passed)} lets it in.`);

  screen.heading(2, 'The call', 'the way OSSIM makes it');
  screen.command(`sh -c "${stage.policyCommand(alarm)}"`);
  screen.command(stage.sshCommand(alarm));
  const first = await screen.wait(stage.fire(alarm));
  screen.output(said(first), 'in force and proven');

  screen.heading(3, 'The rule', 'ahead of the one that let the attacker in');
  const rules = await findRules();
  const tracker = rules.find(isOurs)?.tracker;
  screen.rules(rules, markIn(rules));

  screen.heading(4, 'The proof', 'not the file, not an exit code: pfctl -vvsr');
  screen.output(await findProof(stage, tracker), `ridentifier ${tracker}`);
  const dropped = await decidePacket(firewall, packet, tracker);
  screen.note(
    dropped.level === 'decides'
      ? 'Another packet of the attack comes: this rule decides, and drops it.'
      : `Another packet of the attack comes, and is not stopped: ${dropped.message}.`,
  );
  const states = firewall.states();
  const config = firewall.readConfig();

  screen.heading(5, 'The same alarm again', 'a SIEM says everything twice');
  const second = await screen.wait(stage.fire(alarm));
  screen.output(said(second), 'already blocked');

  const count = (await findRules()).filter(isOurs).length;
  const inConfig = firewall.readConfig().split(`<tracker>${tracker}</tracker>`).length - 1;
  const isSame = config === firewall.readConfig();
  const isCut = !states.some((line) => line.includes(alarm.source));
  const isKept = states.some((line) => line.includes(colleague.source));
  return [
    [first.code === 0, seconds(first), "from the SIEM's shell to the proof in pf"],
    [second.code === 0, seconds(second), 'for the same alarm again'],
    [count === 1 && inConfig === 1, plural(count, 'rule'), `in pf after 2 alarms, and ${inConfig} in config.xml`],
    [isShut(rules), isShut(rules) ? 'first' : 'not first', 'before the rule that let the attacker in'],
    [
      passed.level === 'shadowed' && dropped.level === 'decides',
      dropped.level === 'decides' ? 'dropped' : 'passed',
      `a packet of the attack, let in before by ${findPasser(passed).replace(/ \(tracker \d+\)/, '')}`,
    ],
    [firewall.reloads() === 1, plural(firewall.reloads(), 'reload'), 'of pf for 2 alarms'],
    [isSame, isSame ? 'same' : 'changed', 'config.xml before and after the second alarm, byte for byte'],
    [isCut, isCut ? 'cut' : 'open', "the attacker's open connection"],
    [isKept, isKept ? 'kept' : 'lost', `the open connection of ${colleague.source} to the same port`],
  ];
}

function showCast(screen: Screen, { login }: Stage): void {
  const how = login === 'password' ? 'sshpass, ssh' : 'ssh';
  screen.title('an alarm becomes a proven firewall rule', `SIEM ── ${how} ─▶ Ansible host ── ssh ─▶ pfSense stand-in`);
  if (login === 'key') {
    screen.note(
      '(The SIEM logs in with a key: an account with a password of its own takes root, and the right to mount.)',
    );
  }
}

async function findProof({ firewall }: Stage, tracker: number | undefined): Promise<string> {
  const { stdout } = await firewall.run('sbin/pfctl', ['-vvsr']);
  return stdout.split('\n').find((line) => line.includes(`ridentifier ${tracker}`)) ?? 'pf has no such rule';
}

/** Shows all claims; gives whether every one is so. */
function showClaims(screen: Screen, claims: readonly Claim[]): boolean {
  screen.line();
  for (const claim of claims) screen.fact(...claim);
  return claims.every(([isSo]) => isSo);
}

/** The page, where further alarms come in until it is stopped. */
async function showPage(stage: Stage, screen: Screen, signal: AbortSignal): Promise<void> {
  screen.heading(6, 'The page', 'on this machine, until you press Ctrl-C');
  const page = await screen.wait(openPage(stage));
  screen.note(`${page.url} - log in as ${page.name} with the password ${page.password}`);
  const file = path.join(stage.folder, 'page.webp');
  if (await screen.wait(takePicture(page, { file, colorScheme: 'light' }))) screen.note(`A picture of it: ${file}`);
  screen.note(
    'An alarm comes in every 20 seconds. Release a block, approve what is held, freeze all: it is only the stand-in.',
  );
  await sendAlarms(stage, signal);
}

async function main(): Promise<number> {
  const screen = makeScreen();
  const stopping = new AbortController();
  let stage: Stage | undefined;
  let isStopped = false as boolean; // changed by a signal's handler, which the compiler does not see
  const stop = (): void => {
    isStopped = true;
    stopping.abort();
    void stage?.close();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
  process.stdout.on('error', stop); // who watched has gone: `npm run demo | head`
  try {
    stage = await openStage();
    if (isStopped) throw new Error('stopped before the first act');
    const claims = await play(stage, screen);
    if (process.argv.includes('--page')) {
      const isAllSo = showClaims(screen, claims);
      await showPage(stage, screen, stopping.signal);
      await stage.close();
      screen.note('Everything has been taken away again.');
      return isAllSo ? 0 : 1;
    }
    await stage.close();
    const left = stage.findLeftovers();
    const nothing: Claim = [left.length === 0, 'nothing', 'is left: every process has ended, the folder is gone'];
    const isAllSo = showClaims(screen, [...claims, left.length === 0 ? nothing : [false, 'left', left.join(', ')]]);
    screen.note('To play with it in a browser: npm run demo -- --page');
    return isAllSo ? 0 : 1;
  } catch (error) {
    if (!isStopped) throw error;
    await stage?.close();
    screen.note('Stopped; everything has been taken away again.');
    return 130;
  } finally {
    await stage?.close();
  }
}

process.exitCode = await main();
