import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { simpleParser, type ParsedMail } from 'mailparser';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

export const mailPassword = 'canary-of-the-mail-server';

export interface Received {
  readonly mail: ParsedMail;
  readonly from: string;
  readonly to: string[];
  readonly user: string | undefined;
  readonly secure: boolean;
}

export interface MailServer {
  readonly port: number;
  readonly received: Received[];
  stop(): Promise<void>;
}

/** A real SMTP server on loopback that keeps what it is sent. */
export async function startMailServer(options: SMTPServerOptions): Promise<MailServer> {
  const received: Received[] = [];
  const server = new SMTPServer({
    logger: false,
    onAuth: ({ username, password: given }, _session, callback) =>
      given === mailPassword ? callback(null, { user: username ?? '' }) : callback(new Error('wrong password')),
    onData: (stream, session, callback) => {
      const { mailFrom, rcptTo } = session.envelope;
      void simpleParser(stream).then((mail) => {
        received.push({
          mail,
          from: mailFrom === false ? '' : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          user: session.user === undefined ? undefined : String(session.user),
          secure: session.secure,
        });
        callback();
      }, callback);
    },
    ...options,
  });
  server.on('error', () => undefined); // a client that goes away
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.server.address() as AddressInfo; // it listens on TCP
  return { port, received, stop: () => new Promise((resolve) => server.close(() => resolve())) };
}

export function canMakeCertificate(): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** A certificate of our own making, by default for the address that the server listens on. */
export function makeCertificate(folder: string, name = 'IP:127.0.0.1'): { key: Buffer; cert: Buffer; file: string } {
  const [key, file] = [path.join(folder, 'mail.key'), path.join(folder, 'mail.pem')];
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
      ...['-subj', '/CN=127.0.0.1', '-addext', `subjectAltName=${name}`, '-keyout', key, '-out', file],
    ],
    { stdio: 'ignore' },
  );
  return { key: readFileSync(key), cert: readFileSync(file), file };
}
