/** Services that alarms are about, by the names of IANA's registry and of everyday use. */
const ports: Readonly<Record<string, number>> = {
  ftp: 21,
  ssh: 22,
  telnet: 23,
  smtp: 25,
  dns: 53,
  domain: 53,
  http: 80,
  kerberos: 88,
  pop3: 110,
  ntp: 123,
  imap: 143,
  snmp: 161,
  ldap: 389,
  https: 443,
  smb: 445,
  'microsoft-ds': 445,
  submission: 587,
  ldaps: 636,
  imaps: 993,
  pop3s: 995,
  'ms-sql-s': 1433,
  mssql: 1433,
  mysql: 3306,
  rdp: 3389,
  'ms-wbt-server': 3389,
  sip: 5060,
  postgresql: 5432,
  vnc: 5900,
  redis: 6379,
  'http-alt': 8080,
};

/** The number of a service that is known by name, in any case; any other text as it is. */
export function toPort(text: string): string {
  const name = text.toLowerCase();
  return Object.hasOwn(ports, name) ? String(ports[name]) : text;
}
