import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { runPlaybook, type Flow, type PlaybookRun } from '../lab/ansible.js';
import { startFirewall, type Firewall } from '../lab/firewall.js';
import { packageRoot } from '../lab/package-root.js';
import { insertRule, ruleXml } from '../lab/rule.js';

/** The article's variables. */
const words = {
  sourceip: '203.0.113.7',
  destinationip: '192.168.1.10',
  destinationport: '22',
  interface: 'wan',
  type: 'block',
  ipproto: 'inet',
  description: 'blocked for ssh anomaly',
};
const flow: Flow = { source: '203.0.113.7', destination: '192.168.1.10', port: '22', description: 'blocked' };

const nameOf = (index: number): string => (index === 0 ? 'edge' : `edge${index + 1}`);

/** One host a case, all of them the same firewall: a run for each would take minutes. */
function hosts<T>(
  cases: readonly T[],
  varsOf: (one: T) => Record<string, unknown>,
): Record<string, Record<string, unknown>> {
  return Object.fromEntries(cases.map((one, index) => [nameOf(index), varsOf(one)]));
}

describe('block.yml and unblock.yml, with nothing but ansible-playbook', function () {
  this.timeout(240_000);
  let firewall: Firewall;
  before(async () => {
    firewall = await startFirewall();
  });
  after(async () => {
    await firewall.stop();
  });

  it("block with the article's variables, once, and release with the same", async () => {
    const run = (playbook: string): Promise<PlaybookRun> =>
      runPlaybook(firewall, { playbook, vars: words, bare: true });
    const first = await run('block');
    expect(first.code, first.text).to.equal(0);
    expect(first.stdout).to.match(/edge .*changed=2 .*failed=0/);
    await firewall.gui(['save']);
    expect((await run('block')).stdout).to.match(/edge .*changed=0 .*failed=0/);
    expect((await firewall.loadedRules()).filter((line) => line.includes('203.0.113.7'))).to.have.length(1);
    expect((await run('unblock')).stdout).to.match(/edge .*changed=2 .*failed=0/);
    expect((await firewall.loadedRules()).join()).to.not.include('203.0.113.7');
    expect((await run('unblock')).stdout).to.match(/edge .*changed=0 .*failed=0/);
  });

  it('fill in what is left out, and take key=value words', async () => {
    const given = 'sourceip=2001:db8::7 destinationip=2001:db8:1::10 destinationport=443';
    const run = await runPlaybook(firewall, { playbook: 'block', bare: true, args: ['-e', given] });
    expect(run.code, run.text).to.equal(0);
    const line = firewall.generatedRules().find((one) => one.includes('2001:db8::7'));
    expect(line).to.match(/^block .* on \$WAN .*inet6 proto tcp {2}from 2001:db8::7 to 2001:db8:1::10 port 443 /);
  });

  it("name the operator's variable in a refusal, and say it on the screen", async () => {
    const run = await runPlaybook(firewall, {
      playbook: 'block',
      bare: true,
      vars: { ...words, destinationport: '22;id' },
    });
    expect(run.code).to.equal(2);
    expect(run.text).to.match(/destinationport: expected 1-65535, got \W*"22;id/);
  });

  it('reach every firewall of the group, and one that is away does not stop the other', async () => {
    const second = await startFirewall();
    try {
      await second.goAway();
      const run = await runPlaybook([second, firewall], {
        playbook: 'block',
        vars: { ...words, destinationport: '8080' },
      });
      expect(run.code).to.equal(4);
      expect(run.unreachable('edge')).to.match(/Connection refused/);
      expect(run.result('edge2')).to.deep.include({ proven: true, removed: [] });
      await second.comeBack();
      const again = await runPlaybook([second, firewall], {
        playbook: 'block',
        vars: { ...words, destinationport: '8080' },
      });
      expect(again.code, again.text).to.equal(0);
      expect(again.result('edge').added).to.deep.equal(run.result('edge2').added);
      expect(again.result('edge2').present).to.deep.equal(run.result('edge2').added);
    } finally {
      await second.stop();
    }
  });
});

describe('text that means to be more than a word', function () {
  this.timeout(240_000);
  let firewall: Firewall;
  let canary: string;
  before(async () => {
    firewall = await startFirewall();
    canary = path.join(firewall.root, 'canary');
  });
  after(async () => {
    await firewall.stop();
  });
  afterEach(() => {
    expect(existsSync(canary), 'the text was run').to.be.false;
  });

  const hostile = (): string[] => [
    `{{ lookup('pipe', 'touch ${canary}') }}`,
    `{% for x in [lookup('pipe', 'touch ${canary}')] %}{% endfor %}`,
    `{% endraw %}{{ lookup('pipe', 'touch ${canary}') }}{% raw %}`,
    ']]></descr><type>pass</type><descr><![CDATA[',
    '</descr></rule><rule><type>pass</type></rule><rule><descr>',
    'x&#10;pass quick all',
    'x\npass quick all #',
    '$srcaddr $dstaddr $if $proto $nr',
    'ends in a backslash\\',
    `$(touch ${canary}) \`touch ${canary}\`; touch ${canary}`,
    `'; touch ${canary} #`,
    `" & touch ${canary} & "`,
    '%s %d \\1 \\g<0>',
    `''' + __import__("os").system("touch ${canary}") + '''<<INCLUDE_ANSIBLE_MODULE_JSON_ARGS>>`,
  ];

  /** Names of the article's variables, but for the description, which is cleaned and not refused. */
  const names = ['sourceip', 'destinationip', 'destinationport', 'interface', 'type', 'ipproto', 'protocol'];

  it('is refused in each variable of block.yml, and nothing is run or changed', async () => {
    const before = firewall.readConfig();
    const cases = names.flatMap((name) =>
      hostile()
        .slice(0, 10)
        .map((text) => ({ name, text })),
    );
    const varsOf = hosts(cases, ({ name, text }) => ({ ...words, [name]: text }));
    const run = await runPlaybook(
      cases.map(() => firewall),
      { playbook: 'block', varsOf },
    );
    for (const [index, { name, text }] of cases.entries()) {
      expect(run.error(nameOf(index))?.code, `${name}: ${text}`).to.equal('flow_invalid');
      expect(run.error(nameOf(index))?.message).to.match(new RegExp(`^${name}\\b`));
    }
    expect(firewall.readConfig()).to.equal(before);
  });

  for (const [title, mark] of [
    ['as it is', (text: string): unknown => text],
    ['marked unsafe', (text: string): unknown => ({ __ansible_unsafe: text })],
  ] as const) {
    it(`is cleaned in a description, ${title}, and the rule blocks what it should`, async () => {
      const present = hostile()
        .filter((text) => !/\{[{%]/.test(text))
        .map((text, index) => ({ ...flow, port: String(1000 + index), description: mark(text) }));
      const run = await runPlaybook(firewall, { vars: { firebreak_present: present } });
      expect(run.code, run.text).to.equal(0);
      expect(run.result().proven).to.be.true;
      const lines = firewall.generatedRules().filter((line) => line.includes(' 203.0.113.7 '));
      expect(lines).to.have.length(present.length);
      for (const line of lines) {
        expect(line).to.match(
          /^block {2}in {2}quick .* port 10\d\d ridentifier 2\d{9} flags any label "USER_RULE: [A-Za-z0-9 .:_-]{1,52}" label "id:\d+"$/,
        );
      }
      expect((await firewall.loadedRules()).join('\n')).to.not.match(/^pass quick all/m);
    });
  }

  it('is refused in a description where it is a template, by every way in', async () => {
    const templates = hostile().filter((text) => /\{[{%]/.test(text));
    const byHost = await runPlaybook(
      templates.map(() => firewall),
      {
        playbook: 'block',
        varsOf: hosts(templates, (description) => ({ ...words, description })),
      },
    );
    const batch = templates.map((description) => [{ ...flow, description }]);
    const inBatch = await runPlaybook(
      templates.map(() => firewall),
      {
        varsOf: hosts(batch, (firebreak_present) => ({ firebreak_present })),
      },
    );
    const asExtra = await runPlaybook(firewall, { playbook: 'unblock', vars: { ...words, description: templates[0] } });
    const unsafe = await runPlaybook(firewall, {
      vars: { firebreak_absent: [{ ...flow, description: { __ansible_unsafe: templates[0] } }] },
    });
    const errors = [
      ...templates.flatMap((_, index) => [byHost.error(nameOf(index)), inBatch.error(nameOf(index))]),
      asExtra.error(),
      unsafe.error(),
    ];
    for (const error of errors) {
      expect(error?.code).to.equal('flow_invalid');
      expect(error?.message).to.match(/description holds a template .*: refused, and not evaluated$/);
    }
  });
});

describe("an operator's own playbook that includes the role", function () {
  this.timeout(240_000);
  let firewall: Firewall;
  let playbook: string;

  before(async () => {
    firewall = await startFirewall();
    const folder = path.join(firewall.root, 'own');
    mkdirSync(folder);
    for (const name of ['roles', 'collections'])
      symlinkSync(path.join(packageRoot, 'playbooks', name), path.join(folder, name));
    playbook = path.join(folder, 'own.yml');
    writeFileSync(playbook, '- hosts: firewalls\n  gather_facts: false\n  roles: [pfsense]\n');
  });
  after(async () => {
    await firewall.stop();
  });

  it('has its variables validated by Ansible, and its flows blocked', async () => {
    const run = await runPlaybook(firewall, { playbook, present: [flow] });
    expect(run.result(), run.text).to.deep.include({ proven: true, removed: [] });
    const broken = await runPlaybook(firewall, { playbook, present: [flow], vars: { pfsense_kill_states: 'all' } });
    expect(broken.code).to.equal(2);
    expect(broken.text).to.match(/pfsense_kill_states must be one of: pair, source, none/);
  });

  it('evaluates no template in a flow', async () => {
    const canary = path.join(firewall.root, 'canary');
    const description = `{{ lookup('pipe', 'touch ${canary}') }}`;
    const run = await runPlaybook(firewall, { playbook, present: [{ ...flow, description }] });
    expect(run.error()?.code, run.text).to.equal('flow_invalid');
    expect(existsSync(canary), 'the template was evaluated').to.be.false;
  });
});

describe('status.yml', function () {
  this.timeout(240_000);
  let firewall: Firewall;
  beforeEach(async () => {
    firewall = await startFirewall();
  });
  afterEach(async () => {
    await firewall.stop();
  });

  interface Standing {
    readonly tracker: number;
    readonly port: string;
    readonly description: string;
    readonly changed: boolean;
    readonly why: string | null;
    readonly proven: boolean;
    readonly proof?: string;
    readonly proof_message?: string;
  }
  interface Status {
    readonly standing: readonly Standing[];
    readonly only_in_pf: readonly number[];
  }

  async function status(): Promise<Status & { text: string }> {
    const before = firewall.readConfig();
    const run = await runPlaybook(firewall, { playbook: 'status' });
    expect(run.code, run.text).to.equal(0);
    expect(run.changed()).to.be.false;
    expect(firewall.readConfig()).to.equal(before);
    return { ...(run.stats() as Status), text: run.stdout }; // what the playbook promises; the tests look at its parts
  }

  it('says that nothing of ours stands', async () => {
    const { standing, only_in_pf, text } = await status();
    expect(standing).to.deep.equal([]);
    expect(only_in_pf).to.deep.equal([]);
    expect(text).to.include('0 Firebreak rules in the configuration, 0 of them proven in pf');
  });

  it('tells each of our rules with its flow, and whether pf has it', async () => {
    const { added } = (
      await runPlaybook(firewall, { present: [flow, { ...flow, protocol: 'any', port: '' }] })
    ).result();
    await firewall.gui(['save']);
    const { standing, text } = await status();
    expect(standing.map(({ tracker }) => tracker)).to.deep.equal(added);
    expect(standing[0]).to.deep.equal({
      tracker: added[0],
      type: 'block',
      interface: 'wan',
      ipprotocol: 'inet',
      protocol: 'tcp',
      source: '203.0.113.7',
      destination: '192.168.1.10',
      port: '22',
      description: 'blocked',
      changed: false,
      why: null,
      proven: true,
      proof: 'decides',
      proof_message: '',
      packets: 0,
    });
    expect(standing[1]).to.deep.include({ protocol: 'any', port: '', changed: false, proven: true });
    expect(text).to.include('2 Firebreak rules in the configuration, 2 of them proven in pf');
    expect(text).to.include(
      `in force: block, 203.0.113.7 -> 192.168.1.10 tcp/22 on wan (tracker ${added[0]}) (blocked)`,
    );
  });

  it('tells what was changed by hand, what pf does not have, and what only pf has', async () => {
    const ports = ['22', '23', '24', '25'];
    const before = firewall.readConfig();
    const { added } = (await runPlaybook(firewall, { present: ports.map((port) => ({ ...flow, port })) })).result();
    const [tcp22, tcp23, tcp24] = added.map(String);
    await firewall.gui(['disable-rule', tcp22!]);
    await firewall.gui(['edit-rule', tcp23!, '--descr', 'looked {{ at }} | kept']);
    firewall.writeConfig(firewall.readConfig().replace('<port>24</port>', '<port>2400</port>'));
    firewall.dropCache();
    const changed = await status();
    expect(changed.standing.map(({ changed: is, why }) => [is, why])).to.deep.equal([
      [true, 'it has <disabled>'],
      [false, null],
      [
        true,
        `tracker ${tcp24} does not belong to 203.0.113.7 -> 192.168.1.10 tcp/2400 on wan: leave it out to have it computed`,
      ],
      [false, null],
    ]);
    expect(changed.standing[1]?.description).to.equal('looked at kept');
    expect(changed.text).to.match(/changed by hand: .*: it has <disabled>/);

    firewall.writeConfig(insertRule(before, ruleXml({ more: '' })));
    firewall.dropCache();
    const restored = await status();
    expect(restored.standing).to.have.length(1);
    expect(restored.only_in_pf).to.have.members(added);
    expect(restored.text).to.include(`only in pf, not in the configuration: tracker ${Math.min(...added)}`);
  });

  it('tells a rule that stands and that pf does not have', async () => {
    await runPlaybook(firewall, { present: [flow], args: ['--tags', 'probe,edit'] });
    const { standing, text } = await status();
    expect(standing[0]).to.deep.include({ changed: false, proven: false });
    expect(text).to.include('not loaded by pf: block, 203.0.113.7');
  });

  it('fails where pf is disabled, though pf still lists the rule', async () => {
    await runPlaybook(firewall, { present: [flow] });
    await firewall.run('sbin/pfctl', ['-d']);
    const run = await runPlaybook(firewall, { playbook: 'status' });
    expect(run.code).to.equal(2);
    expect(run.error()?.code).to.equal('pf_disabled');
  });

  it('fails with the same codes as a block', async () => {
    firewall.writeConfig('');
    const run = await runPlaybook(firewall, { playbook: 'status' });
    expect(run.error()?.code).to.equal('config_malformed');
  });
});
