import { execFile } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { makeToken, startServing, stopServing, type Serving } from '../lab/http-server.js';
import { makeLauncher, type Launcher } from '../lab/launcher.js';
import { packageRoot } from '../lab/package-root.js';
import { findPython } from '../lab/stand-ins.js';

const sampleFile = (name: string): string => path.join(packageRoot, `test/samples/http/${name}.json`);
const sample = (name: string): string => readFileSync(sampleFile(name), 'utf8');

interface Ended {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
}

describe('firebreak serve, asked by the senders that it knows', function () {
  this.timeout(240_000);
  let launcher: Launcher;
  let serving: Serving;
  let token: string;

  before(async () => {
    launcher = makeLauncher(
      { edge: { host: '127.0.0.1', port: 9 } },
      { ansible: { playbook_command: '/bin/false', warm: 0 } },
    );
    writeFileSync(path.join(launcher.folder, 'hush'), 'hush', { mode: 0o600 });
    launcher.configure({
      serve: {
        sources: {
          splunk: { preset: 'splunk', auth: { token: 'url' } },
          thehive: { preset: 'thehive', fields: { dst_ip: { value: '192.168.1.10' } } },
          own: { fields: { src_ip: 'from', dst_ip: 'to' }, when: ['level >= 3'] },
          signed: { preset: 'suricata', auth: { token: 'none', hmac: { secret_file: 'hush' } } },
        },
      },
    });
    token = await makeToken(launcher, 'siem');
    serving = await startServing(launcher, token);
  });

  after(async () => {
    await stopServing(serving);
    launcher.remove();
  });

  /** Runs a shipped script. */
  const runScript = async (
    file: string,
    args: readonly string[],
    options: { input?: string; env?: object } = {},
  ): Promise<Ended> =>
    new Promise((resolve) => {
      const env = { PATH: process.env['PATH'], PYTHONDONTWRITEBYTECODE: '1', ...options.env };
      const child = execFile(
        findPython(),
        [path.join(packageRoot, file), ...args],
        { env },
        (error, stdout, stderr) => {
          resolve({ exit: error === null ? 0 : Number(error.code), stdout, stderr });
        },
      );
      child.stdin?.end(options.input ?? '');
    });

  const isBlocked = async (source: string): Promise<boolean> =>
    (await launcher.json(['list', '--source', source])).answer.blocks.length > 0;

  for (const name of [
    'generic',
    'wazuh',
    'graylog',
    'elastic',
    'elastalert',
    'securityonion',
    'suricata',
    'alertmanager',
    'thehive',
  ]) {
    it(`records the document of ${name}`, async () => {
      const { status, json } = await serving.post(`/api/v1/alarms/${name}`, sample(name));
      expect({ status, count: json.alarms.length }).to.deep.equal({ status: 202, count: 1 });
    });
  }

  it("takes Splunk's token in the URL, but no other source's", async () => {
    const post = async (source: string): Promise<number> =>
      (await serving.post(`/api/v1/alarms/${source}?token=${token}`, sample(source), { authorization: 'none' })).status;
    expect([await post('splunk'), await post('suricata')]).to.deep.equal([202, 401]);
  });

  it('skips what does not meet the conditions of a source of your own', async () => {
    const document = { from: '203.0.113.30', to: '192.168.1.10', level: 2 };
    const { status, json } = await serving.post('/api/v1/alarms/own', [document, { ...document, level: 3 }]);
    expect({ status, alarms: json.alarms.length, skipped: json['skipped'] }).to.deep.equal({
      status: 202,
      alarms: 1,
      skipped: 1,
    });
  });

  it('takes a signed request without a token, and none that is not signed', async () => {
    const body = sample('suricata');
    const signature = createHmac('sha256', 'hush').update(body).digest('hex');
    const post = async (text: string, authorization = 'none'): Promise<number> =>
      (await serving.post('/api/v1/alarms/signed', text, { authorization, 'x-signature': signature })).status;
    expect([await post(body), await post(`${body} `), await post(`${body} `, `Bearer ${token}`)]).to.deep.equal([
      202, 401, 401,
    ]);
  });

  it("takes the integration's script of Wazuh", async () => {
    const url = `${serving.url}/api/v1/alarms/wazuh`;
    const run = async (file: string, secret: string): Promise<Ended> =>
      runScript('integrations/wazuh/custom-firebreak', [file, secret, url, 'debug']);
    expect(await run(sampleFile('wazuh-suricata'), token)).to.deep.equal({ exit: 0, stdout: '', stderr: '' });
    const wrong = await run(sampleFile('wazuh'), 'wrong');
    expect([wrong.exit, wrong.stderr]).to.satisfy(
      ([exit, text]: [number, string]) => exit === 1 && text.includes('not recorded'),
    );
  });

  it('takes the same script as an active response of Wazuh 4 and 5', async () => {
    const config = path.join(launcher.folder, 'firebreak.conf');
    writeFileSync(config, `url=${serving.url}/api/v1/alarms/wazuh\ntoken=${token}\n`);
    const respond = async (document: unknown): Promise<Ended> =>
      runScript('integrations/wazuh/custom-firebreak', [], {
        input: `${JSON.stringify(document)}\n`,
        env: { FIREBREAK_CONF: config },
      });
    for (const name of ['wazuh-active-response', 'wazuh5-active-response']) {
      const document = JSON.parse(sample(name)) as object;
      expect(await respond(document)).to.deep.equal({ exit: 0, stdout: '', stderr: '' });
      expect(await respond({ ...document, command: 'delete' })).to.deep.equal({ exit: 0, stdout: '', stderr: '' });
    }
    expect([await isBlocked('203.0.113.17'), await isBlocked('203.0.113.18')]).to.deep.equal([true, true]);
  });

  it('takes the responder of Cortex, by its files', async () => {
    const job = path.join(launcher.folder, 'job');
    mkdirSync(path.join(job, 'input'), { recursive: true });
    const config = { url: `${serving.url}/api/v1/alarms/thehive`, token };
    const run = async (data: object): Promise<{ success: boolean; errorMessage?: string }> => {
      writeFileSync(
        path.join(job, 'input/input.json'),
        JSON.stringify({ dataType: 'thehive:case_artifact', data, config }),
      );
      expect(await runScript('integrations/thehive/firebreak.py', [job])).to.deep.equal({
        exit: 0,
        stdout: '',
        stderr: '',
      });
      return JSON.parse(readFileSync(path.join(job, 'output/output.json'), 'utf8')) as { success: boolean };
    };
    expect((await run({ dataType: 'ip', data: '203.0.113.31' })).success).to.equal(true);
    expect((await run({ dataType: 'domain', data: 'example.org' })).errorMessage).to.include('only observables');
    expect((await run({ dataType: 'ip', data: '127.0.0.1' })).errorMessage).to.include('protected always');
    expect(await isBlocked('203.0.113.31')).to.equal(true);
    expect(existsSync(path.join(packageRoot, 'integrations/thehive/firebreak.json'))).to.equal(true);
  });
});
