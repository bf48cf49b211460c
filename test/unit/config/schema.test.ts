import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { parse } from 'yaml';
import * as z from 'zod';
import { explainAll, explainKey } from '#firebreak/config/explain.js';
import { configSchema } from '#firebreak/config/schema.js';
import { listKeys, mapLeaves, type Leaf } from '#firebreak/config/schema/walk.js';
import { readDocument } from '../../lab/documents.js';
import { packageRoot } from '../../lab/package-root.js';

interface SchemaScript {
  renderSchema: () => string;
  renderDocument: (document: string) => string;
}

const importScript = async (): Promise<SchemaScript> =>
  (await import(path.join(packageRoot, 'scripts/schema.mjs'))) as SchemaScript;

/** Every key, each with a value that is not its default. */
const whole = {
  state_dir: '/s',
  firewalls: {
    edge: {
      ...{ platform: 'pfsense', host: '192.0.2.1', port: 2222, user: 'admin', become: true, become_user: 'toor' },
      ...{ private_key_file: '/k', password_file: '/p', known_hosts_file: '/h', become_password_file: '/b' },
      ...{ mode: 'observe', tags: ['dmz'] },
      addresses: ['198.51.100.1', '2001:db8::/32'],
      interfaces: { lan: ['10.0.0.0/8'] },
      vars: { a: [1, null, { b: 'c' }] },
    },
  },
  defaults: { type: 'reject', protocol: 'any', duration: 'forever', grace: '4h', description: 'x' },
  policy: {
    never_block: ['@list.txt', '10.0.0.1-10.0.0.9', '10.1.0.0/16'],
    never_block_to: ['10.2.0.1', '@list.txt'],
    siem: ['192.0.2.50'],
    on_protected: 'warn',
    nat64_prefixes: ['2001:db8:64::/96'],
    types: ['block'],
    widest: { inet: 24, inet6: 64 },
    longest: 'forever',
    require_proof: 'decides',
    limits: {
      ...{ per_minute: 1, active: 2, per_destination: 3, hold: false, reserved: 4, high_risk: 6 },
      hold_for: '90m',
    },
  },
  escalation: { factor: 1.5, max: 'forever', memory: '8d' },
  dispatch: { max_waiting: 1, recheck: '1s', same_event: '2m', give_up: '3h', patience: '4d' },
  gateway: { max_sessions: 1, max_per_caller: 2 },
  keep_alarms: '90d',
  ansible: { playbook_command: '/a', timeout: '90s', batch: 1, keep_runs: 2, warm: 0, ssh_kex: 'default' },
  mail: {
    ...{ host: 'h', port: 26, from: 'a@b', to: ['c@d'], user: 'u', password_file: '/mp', tls: 'tls', ca_file: '/mc' },
    ...{ on: ['digest'], digest_at: '08:30', expiry_notice: '2d' },
  },
  templates_dir: '/t',
  webhook: {
    ...{ url_file: '/u', on: ['held'], template: '/wt', secret_file: '/ws', headers_file: '/wh', ca_file: '/wc' },
    timeout: '3s',
  },
  syslog: { to: 'unix:/s', facility: 'auth' },
  feeds: {
    crowdsec: {
      url: 'http://127.0.0.1:8080',
      key_file: '/k',
      ca_file: '/ca',
      every: '10s',
      destination: '2001:db8::/64',
      port: 443,
      protocol: 'tcp',
      firewalls: ['edge'],
      scenarios: ['crowdsecurity/ssh'],
    },
  },
  serve: {
    listen: '0.0.0.0:8787',
    openc2: { fill: { destination: '192.168.1.0/24', port: 443, protocol: 'tcp' } },
    page: {
      ...{ enabled: true, url: 'https://fb.example.org/', session: '8h', idle: '30m' },
      proxy_header: { name: 'Remote-User', roles: { alice: 'admin' }, default_role: 'viewer' },
    },
    trusted_proxies: ['10.0.0.0/8'],
    per_second: 50,
    sources: {
      wazuh: {
        preset: 'wazuh',
        fields: { src_ip: ['a.b', { value: '203.0.113.7' }], dst_port: { value: 443 } },
        when: ['rule.level >= 10'],
        firewalls: ['edge'],
        auth: {
          token: 'url',
          certificate: ['siem'],
          hmac: { secret_file: 'hush', header: 'X-Sig', algorithm: 'sha256', encoding: 'hex', window: '5m' },
        },
      },
    },
  },
  log: { level: 'debug', file: '/l', format: 'text', max_megabytes: 1.5, max_age: '2d', keep: 3 },
};

describe('the schema of the configuration', () => {
  it('is what the JSON Schema says (npm run schema writes it)', async () => {
    const shipped = readFileSync(path.join(packageRoot, 'schema/firebreak.schema.json'), 'utf8');
    expect(shipped).to.equal((await importScript()).renderSchema());
  });

  it('is what docs/configuration.md says (npm run schema writes its tables)', async () => {
    const document = readDocument('docs/configuration.md');
    expect(document).to.equal((await importScript()).renderDocument(document));
    const keys = [...document.matchAll(/^\| `([\w.]+)` \|/gm)].map(([, key]) => key);
    expect(keys).to.have.members(explainAll().map(({ key }) => key));
  });

  it('describes every key and section in a sentence that a Markdown table can hold', () => {
    for (const { key, description } of listKeys(configSchema)) expect(description, key).to.match(/^[A-Z`][^|\n]+\.$/);
  });

  it('has examples that it accepts, written as YAML that means them', () => {
    const keys = listKeys(configSchema).filter(({ example }) => example !== undefined);
    expect(keys.length).to.be.greaterThan(5);
    for (const { key, example } of keys) {
      const meaning = explainKey(key)[0]?.meaning ?? '';
      expect(parse(/ Example: (.*)\.$/.exec(meaning)?.[1] ?? ''), key).to.deep.equal(example);
      const config = key.split('.').reduceRight<unknown>((value, name) => ({ [name]: value }), example);
      expect(problemsBelow(key, config), key).to.deep.equal([]);
    }
  });

  it('reads what it has written: every key, times and addresses too', () => {
    expect(z.encode(configSchema, configSchema.parse(whole))).to.deep.equal(whole);
    const defaults = configSchema.parse({ firewalls: { edge: { host: 'a' } } });
    const written = z.encode(configSchema, defaults);
    expect(configSchema.parse(written)).to.deep.equal(defaults);
  });

  it('knows which keys name files, and which of these are secrets', () => {
    const named = listLeaves().filter(({ fileKind }) => fileKind !== undefined);
    const keysOf = (kind: string): string[] => named.filter(({ fileKind }) => fileKind === kind).map(({ key }) => key);
    expect(keysOf('path')).to.deep.equal(['state_dir', 'log.file']);
    expect(keysOf('file')).to.deep.equal([
      ...[
        'firewalls.edge.known_hosts_file',
        'mail.ca_file',
        'templates_dir',
        'webhook.template',
        'webhook.ca_file',
        'feeds.crowdsec.ca_file',
      ],
    ]);
    expect(keysOf('secretFile')).to.deep.equal([
      ...['private_key_file', 'password_file', 'become_password_file'].map((key) => `firewalls.edge.${key}`),
      ...['mail.password_file', 'webhook.url_file', 'webhook.secret_file', 'webhook.headers_file'],
      'serve.sources.wazuh.auth.hmac.secret_file',
      'feeds.crowdsec.key_file',
    ]);
    expect(keysOf('program')).to.deep.equal(['ansible.playbook_command']);
    expect(new Set(keysOf('protected'))).to.deep.equal(new Set(['policy.never_block', 'policy.never_block_to']));
  });

  it('marks every key whose name ends in _file or _dir', () => {
    const unmarked = listLeaves().filter(({ key, fileKind }) => /_(file|dir)$/.test(key) && fileKind === undefined);
    expect(unmarked).to.deep.equal([]);
  });
});

function listLeaves(): Leaf[] {
  const leaves: Leaf[] = [];
  mapLeaves(configSchema, configSchema.parse(whole), (leaf) => leaves.push(leaf));
  return leaves;
}

/** What is wrong with this key, whatever other keys the configuration lacks. */
function problemsBelow(key: string, config: unknown): string[] {
  const { error } = configSchema.safeParse(config);
  const paths = (error?.issues ?? []).map((issue) => issue.path.join('.'));
  return paths.filter((each) => each === key || each.startsWith(`${key}.`));
}
