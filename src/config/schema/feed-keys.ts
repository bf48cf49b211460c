import * as z from 'zod';
import { protocols } from '../../core/flow.js';
import { address, file, key, listValues, name, port, secretFile, timeLimit } from './kinds.js';

const crowdsec = z.strictObject({
  url: key(
    z.string().regex(/^https?:\/\/[^\s/?#]+\/?$/, 'expected an address such as http://127.0.0.1:8080'),
    "Address of CrowdSec's local API.",
    'http://127.0.0.1:8080',
  ),
  key_file: key(secretFile, 'File with the key of a bouncer, which `cscli bouncers add firebreak` prints.'),
  ca_file: key(file.optional(), 'Certificates (PEM) of the authority that signed the certificate of the local API.'),
  every: key(timeLimit.prefault('1m'), 'How often new and deleted decisions are requested.'),
  destination: key(address, 'Address or network that the sources may not reach.', '192.168.1.0/24'),
  port: key(port.optional(), 'Port that they may not reach. Without it and `protocol`, everything is blocked.', 443),
  protocol: key(z.enum(protocols).optional(), `Protocol: one of ${listValues(protocols)}; with a port \`tcp/udp\`.`),
  firewalls: key(z.array(name).prefault([]), 'Only these firewalls; all if empty.'),
  scenarios: key(
    z.array(z.string().regex(/^[\w./:-]+$/, 'expected a part of the name of a scenario')).prefault([]),
    'Only decisions of scenarios that contain one of these; all if empty.',
    ['crowdsecurity/ssh'],
  ),
});

export const feeds = z.strictObject({
  crowdsec: key(crowdsec.optional(), 'Blocks what CrowdSec decides, while `firebreak serve` runs. See docs/serve.md.'),
});

export type CrowdsecConfig = z.infer<typeof crowdsec>;
