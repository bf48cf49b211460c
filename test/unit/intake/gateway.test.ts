import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { FirebreakError } from '#firebreak/core/errors.js';
import { renderAuthorizedKey } from '#firebreak/intake/authorized-key.js';
import { parseGatewayCommand, splitWords, scrubEnvironment } from '#firebreak/intake/gateway.js';

const alarm = '203.0.113.7 192.168.1.10 22';
const positions = { SOURCE: '203.0.113.7', DESTINATION: '192.168.1.10', PORT: '22' };

function refusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof FirebreakError) return `${error.code}: ${error.message}`;
    throw error;
  }
  throw new Error('it was expected to be refused');
}

describe('a description over SSH', () => {
  const alarm = 'firebreak block 203.0.113.7 192.168.1.10 22 wan block inet';
  const wordsOf = (text: string): unknown => parseGatewayCommand(`${alarm} ${text}`).argv['DESCRIPTION'];

  it('may begin with a dash, and be as long as a log line', () => {
    expect(wordsOf("'-rf all' --odd -x, y")).to.deep.equal(['-rf all', '--odd', '-x,', 'y']);
    expect(wordsOf(`'${'x'.repeat(10_240)}'`)).to.deep.equal(['x'.repeat(10_240)]);
    expect(wordsOf('a '.repeat(1_000))).to.have.length(1_000);
    expect(() => parseGatewayCommand('firebreak block -x 192.168.1.10 22')).to.throw(/unknown option "-x"/);
  });

  it('may hold what is shell syntax elsewhere, an open quote and a line end: it is cleaned later', () => {
    expect(wordsOf("it's; `id` $(x)\n>y")).to.deep.equal(['it', "'", 's;', '`id`', '$(x)\n>y']);
    const { argv } = parseGatewayCommand('firebreak block --src-ip=203.0.113.7 --description=a;b');
    expect(argv).to.deep.include({ description: 'a;b' });
  });

  it('may end with an option that has no value, and an option before it has its value', () => {
    expect(wordsOf('seen by --sensor')).to.deep.equal(['seen', 'by', '--sensor']);
    expect(parseGatewayCommand(`${alarm} seen --sensor s1 twice`).argv).to.deep.include({
      ...{ sensor: 's1', DESCRIPTION: ['seen', 'twice'] },
    });
  });

  it('holds options behind "--"', () => {
    const { argv, check } = parseGatewayCommand(`${alarm} -- ran --check --risk=9`);
    expect(argv['DESCRIPTION']).to.deep.equal(['ran', '--check', '--risk=9']);
    expect(check).to.be.false;
    expect(() => parseGatewayCommand('firebreak block -- 203.0.113.7 x;y')).to.throw(/shell syntax/);
  });
});

describe('parseGatewayCommand', () => {
  for (const caller of [
    'firebreak block',
    '/usr/local/bin/firebreak block',
    'sh /root/ansible/launcher.sh',
    '/bin/bash ./launcher.sh',
    '/firebreak-alarm.sh',
  ]) {
    it(`takes an alarm behind ${caller}`, () => {
      expect(parseGatewayCommand(`${caller} ${alarm}`).argv).to.deep.equal({ ...positions, DESCRIPTION: [] });
    });
  }

  it("takes the article's positions, the description in several words", () => {
    const { argv } = parseGatewayCommand(`sh /x/launcher.sh ${alarm} wan block inet blocked for ssh anomaly`);
    expect(argv).to.deep.equal({
      ...{ ...positions, INTERFACE: 'wan', TYPE: 'block', IPPROTO: 'inet' },
      DESCRIPTION: ['blocked', 'for', 'ssh', 'anomaly'],
    });
  });

  it('takes options with and without "=", and the flags', () => {
    const request = parseGatewayCommand(
      `firebreak block --src-ip=203.0.113.7 --dst-ip '192.168.1.10' --dst-port="22" --description 'a $(b) c' --no-wait --json --firewall edge`,
    );
    expect(request).to.deep.equal({
      argv: {
        ...{ 'src-ip': '203.0.113.7', 'dst-ip': '192.168.1.10', 'dst-port': '22', description: 'a $(b) c' },
        DESCRIPTION: [],
      },
      ...{ firewalls: ['edge'], check: false, wait: false, json: true },
    });
  });

  it('keeps a position apart from the option of the same name, so that the alarm can complain', () => {
    const { argv } = parseGatewayCommand(`firebreak block ${alarm} wan --interface=lan`);
    expect(argv).to.deep.include({ INTERFACE: 'wan', interface: 'lan' });
  });

  it('leaves it to the alarm to complain of a word that is said twice', () => {
    expect(parseGatewayCommand(`firebreak block ${alarm} --risk=1 --risk=2`).argv).to.deep.include({
      risk: ['1', '2'],
    });
  });

  for (const [title, command, reason] of [
    ['nothing', '', /no command was given/],
    ['spaces', '   ', /no command was given/],
    ['a shell', 'bash', /"bash" is not an alarm/],
    ['a shell with a command', 'sh -c id', /is not an alarm/],
    ['another program', 'id', /"id" is not an alarm/],
    ['another command of ours', 'firebreak unblock 203.0.113.7', /is not an alarm/],
    ['sftp', '/usr/lib/openssh/sftp-server', /is not an alarm/],
    ['scp', 'scp -t /tmp', /is not an alarm/],
    ['a second command', `firebreak block ${alarm}; id`, /";" is shell syntax/],
    ['a pipe', `firebreak block ${alarm} | id`, /"\|" is shell syntax/],
    ['a substitution', `firebreak block $(id) 192.168.1.10 22`, /"\$" is shell syntax/],
    ['backticks', 'firebreak block `id`', /"`" is shell syntax/],
    ['a backslash', String.raw`firebreak block \x`, /is shell syntax/],
    ['a redirection', `firebreak block ${alarm} >/etc/passwd`, /">" is shell syntax/],
    ['a second line', `firebreak block ${alarm}\nid`, /line end/],
    ['a NUL', `firebreak block ${alarm}\0`, /control character/],
    ['an escape', `firebreak block ${alarm} '\x1b[2J'`, /control character/],
    ['an open quote', `firebreak block ${alarm} 'x`, /a quote is not closed/],
    ['a configuration of its own', `firebreak block ${alarm} --config=/tmp/x`, /unknown option "--config=\/tmp\/x"/],
    ['an override', `firebreak block ${alarm} --override-policy=x`, /unknown option/],
    ['a short option', `firebreak block ${alarm} -x`, /unknown option/],
    ['an option of the prototype', `firebreak block ${alarm} --constructor=x`, /unknown option/],
    ['a path out of a quote', `"../../bin/sh" -c id`, /is not an alarm/],
    ['a script that is none', `sh launcher.sh.exe ${alarm}`, /is not an alarm/],
    ['an option without its value', 'firebreak block --src-ip', /--src-ip has no value/],
    ['too much', `firebreak block ${'1'.repeat(20_000)}`, /20016 characters: at most 16384/],
    ['too many words', `firebreak block ${'1 '.repeat(5000)}`, /5002 words: at most 4096/],
  ] as const) {
    it(`refuses ${title}`, () => {
      expect(refusal(() => parseGatewayCommand(command)))
        .to.match(/^gateway_refused: /)
        .and.match(reason);
    });
  }
});

describe('splitWords', () => {
  it('joins what stands together, quoted or not, and knows an empty word', () => {
    expect(splitWords(`a'b c'"d" '' "it's"`).map(({ text }) => text)).to.deep.equal(['ab cd', '', "it's"]);
  });
});

describe('scrubEnvironment', () => {
  it('takes the command, and leaves nothing of the environment that a caller could have set', () => {
    const environment = {
      ...{ SSH_ORIGINAL_COMMAND: 'x', PATH: '/bin', HOME: '/h', SSH_CLIENT: '192.0.2.9 1 22' },
      ...{ LC_ALL: 'x', FIREBREAK_CONFIG: '/tmp/x.yml', NODE_OPTIONS: '--require /tmp/x', ANSIBLE_CONFIG: '/tmp/x' },
    };
    expect(scrubEnvironment(environment)).to.equal('x');
    expect(environment).to.deep.equal({ PATH: '/bin', HOME: '/h', SSH_CLIENT: '192.0.2.9 1 22' });
  });
});

describe('renderAuthorizedKey', () => {
  const command = [
    '/usr/bin/node',
    '/opt/firebreak/dist/cli.js',
    'gateway',
    '--config',
    '/etc/firebreak/firebreak.yml',
  ];
  let folder: string;
  let file: string;

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'k-'));
    file = path.join(folder, 'key.pub');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('lets the key do one thing', () => {
    writeFileSync(file, 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB ossim on a host\n');
    expect(renderAuthorizedKey(file, command)).to.equal(
      `restrict,command="${command.join(' ')}" ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB ossim on a host`,
    );
  });

  for (const [title, text, reason] of [
    ['the private half', '-----BEGIN OPENSSH PRIVATE KEY-----\nx\n', /this is the private key/],
    ['two keys', 'ssh-rsa AAAA a\nssh-rsa BBBB b\n', /expected one public key/],
    ['a key with options of its own', 'no-pty ssh-rsa AAAA a\n', /expected one public key/],
    ['anything else', 'hello\n', /expected one public key/],
  ] as const) {
    it(`refuses ${title}`, () => {
      writeFileSync(file, text);
      expect(refusal(() => renderAuthorizedKey(file, command))).to.match(reason);
    });
  }

  it('refuses a path that would need quotes', () => {
    writeFileSync(file, 'ssh-rsa AAAA a\n');
    expect(refusal(() => renderAuthorizedKey(file, ['/opt/my programs/x']))).to.match(/would need quotes/);
  });
});
