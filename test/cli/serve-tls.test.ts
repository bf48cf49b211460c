import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import path from 'node:path';
import type { TLSSocket } from 'node:tls';
import { expect } from 'chai';
import { makeToken, startServing, stopServing, type Serving } from '../lab/http-server.js';
import { makeLauncher, waitUntil, type Launcher } from '../lab/launcher.js';

const openssl = '/usr/bin/openssl';

describe('firebreak serve, with TLS', function () {
  this.timeout(240_000);
  let launcher: Launcher;
  let serving: Serving;
  let token: string;
  const at = (name: string): string => path.join(launcher.folder, name);

  /** A key and a certificate of this name: signed by the authority `ca`, or by itself. */
  function certify(name: string, commonName: string, isSigned = false): void {
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', at(`${name}.key`)];
    const authority = isSigned ? ['-CA', at('ca.pem'), '-CAkey', at('ca.key')] : [];
    const names = ['-subj', `/CN=${commonName}`, '-addext', 'subjectAltName=IP:127.0.0.1'];
    const args = ['req', '-x509', ...key, ...names, ...authority, '-days', '2', '-out', at(`${name}.pem`)];
    execFileSync(openssl, args, { stdio: 'ignore' });
    execFileSync('chmod', ['600', at(`${name}.key`)]);
  }

  before(async function () {
    if (!existsSync(openssl)) this.skip();
    launcher = makeLauncher(
      { edge: { host: '127.0.0.1', port: 9 } },
      { ansible: { playbook_command: '/bin/false', warm: 0 } },
    );
    certify('ca', 'Test CA');
    certify('server', 'server', true);
    certify('client', 'siem.example.org', true);
    certify('other', 'other.example.org', true);
    certify('forged', 'siem.example.org');
    launcher.configure({
      serve: {
        page: { enabled: true },
        tls: { cert_file: 'server.pem', key_file: 'server.key', client_ca_file: 'ca.pem' },
        sources: { own: { preset: 'generic', auth: { certificate: ['siem.example.org'] } } },
      },
    });
    writeFileSync(at('password'), 'correct horse battery\n', { mode: 0o600 });
    await launcher.firebreak(['user', 'add', 'alice', '--role', 'viewer', '--password-file', at('password')]);
    token = await makeToken(launcher, 'siem');
    serving = await startServing(launcher, token);
  });

  after(async () => {
    if (serving !== undefined) await stopServing(serving); // eslint-disable-line @typescript-eslint/no-unnecessary-condition -- skipped without openssl
    launcher?.remove(); // eslint-disable-line @typescript-eslint/no-unnecessary-condition -- likewise
  });

  interface Sent {
    readonly status: number;
    readonly serial: string;
  }

  const post = async (certificate?: string, headers: Record<string, string> = {}): Promise<Sent> =>
    new Promise((resolve, reject) => {
      const client =
        certificate === undefined
          ? {}
          : { cert: readFileSync(at(`${certificate}.pem`)), key: readFileSync(at(`${certificate}.key`)) };
      const options = {
        method: 'POST',
        ca: readFileSync(at('ca.pem')),
        ...client,
        agent: false,
        headers: { 'content-type': 'application/json', ...headers },
      };
      const sending = request(`${serving.url}/api/v1/alarms/own`, options, (response) => {
        const { serialNumber } = (response.socket as TLSSocket).getPeerCertificate();
        response.resume().once('end', () => resolve({ status: response.statusCode ?? 0, serial: serialNumber }));
      });
      sending.once('error', reject);
      sending.end(JSON.stringify({ src_ip: '203.0.113.7', dst_ip: '192.168.1.10', dst_port: 22 }));
    });

  it('takes the client certificates that a source names, and tokens', async () => {
    expect((await post('client')).status).to.equal(202);
    expect((await post(undefined, { authorization: `Bearer ${token}` })).status).to.equal(202);
  });

  it('takes no other certificate, nor one that another authority signed', async () => {
    for (const certificate of ['other', 'forged', undefined]) {
      expect((await post(certificate)).status).to.equal(401);
    }
  });

  it('logs people in with a cookie for HTTPS and this host only', async () => {
    const form = new URLSearchParams({ name: 'alice', password: 'correct horse battery' }).toString();
    const cookie = await new Promise<string | undefined>((resolve, reject) => {
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      const options = { method: 'POST', ca: readFileSync(at('ca.pem')), agent: false, headers };
      const sending = request(`${serving.url}/login`, options, (response) => {
        response.resume().once('end', () => resolve(response.headers['set-cookie']?.[0]));
      });
      sending.once('error', reject);
      sending.end(form);
    });
    expect(cookie).to.match(/^__Host-firebreak=[\w-]{43}; Path=\/; Secure; HttpOnly; SameSite=Strict$/);
  });

  it('uses a renewed certificate without a restart', async () => {
    const { serial } = await post('client');
    certify('new', 'server', true);
    renameSync(at('new.key'), at('server.key'));
    renameSync(at('new.pem'), at('server.pem'));
    await waitUntil('the new certificate', async () => (await post('client')).serial !== serial);
  });
});
