import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { batchResult, readEvents, type BatchResult, type RunEvent } from '#firebreak/platforms/ansible/events.js';
import { explainUnreachable } from '#firebreak/platforms/ansible/ssh-errors.js';
import { toRunResult, type RunResult } from '#firebreak/platforms/ansible/run-result.js';

const role = { added: [2000000001], present: [], removed: [], absent: [], proven: true };
const result = (more: object): RunEvent => ({ event: 'result', host: 'edge', task: 'a task', status: 'ok', ...more });
const stats = (failures = 0, unreachable = 0): RunEvent => ({
  event: 'stats',
  hosts: { edge: { failures, unreachable } },
  custom: { edge: { firebreak: role } },
});
const asked = { host: 'edge', stderr: '', schema: batchResult };
const resultOfExit = (code: number, events: readonly RunEvent[], stderr = ''): RunResult<BatchResult> =>
  toRunResult({ kind: 'exited', code }, events, { host: 'edge', stderr, schema: batchResult });

describe('toRunResult', () => {
  it('believes code 0 only with stats that name the host without a failure', () => {
    expect(resultOfExit(0, [stats()])).to.deep.equal({ kind: 'done', result: role });
    expect(resultOfExit(0, [stats(1)]).kind).to.equal('failed');
    expect(resultOfExit(0, [stats(0, 1)]).kind).to.equal('failed');
    expect(resultOfExit(2, [stats()]).kind).to.equal('failed');
    expect(resultOfExit(0, []).kind).to.equal('not_started');
  });

  it('does not take another host’s success for this one’s', () => {
    const other: RunEvent = { event: 'stats', hosts: { depot: { failures: 0, unreachable: 0 } }, custom: {} };
    expect(resultOfExit(0, [other])).to.deep.equal({
      kind: 'failed',
      code: 'no_result',
      task: '',
      message: 'ansible-playbook exited with 0: no message',
    });
  });

  it('tells the role’s own code and sentence, which come last, and the step that failed first', () => {
    const events = [
      result({ status: 'failed', msg: 'first' }),
      result({ status: 'failed', ignored: true, msg: 'ignored' }),
      result({ status: 'failed', task: 'say why', msg: 'x', error: { code: 'load_refused', message: 'pf\nrefused' } }),
      result({ status: 'failed', ignored: true, msg: 'ignored' }),
      stats(1),
    ];
    expect(resultOfExit(2, events)).to.deep.equal({
      kind: 'failed',
      code: 'load_refused',
      task: 'a task',
      message: 'pf refused',
    });
  });

  it('tells a firewall that is away from a task that failed', () => {
    const away = result({ status: 'unreachable', msg: 'ssh: connect to host x port 22: Connection refused' });
    expect(resultOfExit(4, [away, stats(0, 1)]).kind).to.equal('unreachable');
  });

  it('keeps the end that the launcher itself brought about, whatever was told before', () => {
    expect(toRunResult({ kind: 'timeout', ms: 5 }, [stats()], asked)).to.deep.equal({ kind: 'timeout', ms: 5 });
    const interrupted = { kind: 'interrupted', signal: 'SIGTERM' } as const;
    expect(toRunResult(interrupted, [stats()], asked)).to.deep.equal(interrupted);
  });

  it('quotes Ansible’s own error, past its warnings, where a run did not start', () => {
    const stderr = '[WARNING]: something\nERROR! the playbook could not be found\n';
    expect(resultOfExit(1, [], stderr)).to.deep.equal({
      kind: 'not_started',
      message: 'ansible-playbook exited with 1: ERROR! the playbook could not be found',
    });
    expect(toRunResult({ kind: 'missing', command: 'ansible-playbok' }, [], asked)).to.deep.equal({
      kind: 'not_started',
      message: 'ansible-playbok: no such program',
    });
  });
});

describe('explainUnreachable', () => {
  const wrapped = 'Data could not be sent to remote host "192.0.2.1". Make sure this host can be reached over ssh: ';
  for (const [said, meaning] of [
    [`${wrapped}ssh: connect to host 192.0.2.1 port 22: Connection refused`, /^nothing listens there/],
    [
      'Failed to connect to the host via ssh: ssh: connect to host 192.0.2.1 port 22: Connection timed out',
      /^it does not answer/,
    ],
    [
      `${wrapped}root@192.0.2.1: Permission denied (publickey).`,
      /^it refuses the login: check user and private_key_file/,
    ],
    [
      `${wrapped}@@@@@@@@@@@ @ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @ @@@@@@@@ It is`,
      /^its host key has changed/,
    ],
    [
      `${wrapped}No ED25519 host key is known for 192.0.2.1 and you have requested strict checking.`,
      /^its host key is not known/,
    ],
    [`${wrapped}ssh: Could not resolve hostname a.invalid: Name or service not known`, /^its name cannot be resolved/],
    ['Invalid/incorrect password: Permission denied, please try again.', /password_file/],
  ] as const) {
    it(`says what to do about: ${said.replace(wrapped, '').slice(0, 60)}`, () => {
      const sentence = explainUnreachable(said);
      expect(sentence)
        .to.match(meaning)
        .and.not.match(/Make sure|Data could not be sent|@@/);
    });
  }

  it('says in one sentence that a host key has changed, with the new key', () => {
    const page =
      '@@@@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @@@@\nIT IS POSSIBLE THAT SOMEONE IS DOING SOMETHING NASTY!\n' +
      'The fingerprint for the ED25519 key sent by the remote host is\nSHA256:Ab+c/9.\nPlease contact your system administrator.';
    expect(explainUnreachable(page)).to.match(
      /^its host key has changed: [^\n]*intercepted \(the new key: ED25519 SHA256:Ab\+c\/9\)$/,
    );
  });

  it('leaves what it does not know as it is', () => {
    expect(explainUnreachable(`${wrapped}kex_exchange_identification: banner`)).to.equal(
      'kex_exchange_identification: banner',
    );
    expect(explainUnreachable('it said nothing')).to.equal('it said nothing');
  });
});

describe('readEvents', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'events-'));
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  it('reads a record as far as it goes: a line that was cut, or is no event, is passed over', () => {
    const file = path.join(folder, 'events.jsonl');
    const lines = ['{"event":"start","ansible":"2.14.18"}', '{"event":"new-in-2.30"}', '[]', '{"event":"task","ta'];
    writeFileSync(file, lines.join('\n'));
    expect(readEvents(file)).to.deep.equal([{ event: 'start', ansible: '2.14.18' }]);
  });

  it('gives none where Ansible never began', () => {
    expect(readEvents(path.join(folder, 'nothing'))).to.deep.equal([]);
  });
});
