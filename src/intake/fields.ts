import type { AlarmRequest } from './alarm.js';

/**
 * One field of an alarm, and every place where it can be given. One entry of this table is enough for a new option:
 * command line, gateway grammar, list columns, sensor script, completions, man page and documents are derived from it.
 */
export interface AlarmField {
  name: string;
  /** Its option, without dashes. */
  option: string;
  describe: string;
  /** Its name among the positional arguments, in the order of the table. */
  position?: Position;
  /** The option's help, if the position has its own. */
  describeOption?: string;
  /** Its names in lists, most reliable first; in lower case, with "_" for a space or "-". */
  columns?: readonly string[];
  /** `import` has an option for entries that omit it. */
  isListDefault?: boolean;
  /** An id or figure of the SIEM: recorded and logged, never sent to a firewall. */
  isContext?: boolean;
  /** It can be given several times; its value is all of them, with spaces between. */
  isRepeatable?: boolean;
}

export type Position = 'SOURCE' | 'DESTINATION' | 'PORT' | 'INTERFACE' | 'TYPE' | 'IPPROTO' | 'DESCRIPTION';

export const alarmFields: readonly AlarmField[] = [
  {
    name: 'source',
    position: 'SOURCE',
    option: 'src-ip',
    describe: 'address to block',
    columns: [
      ...['src_ip', 'source.ip', 'srcip', 'source_ip', 'data.srcip', 'data.src_ip', 'source_address', 'src', 'source'],
      ...['ip', 'ip_address', 'ipaddress', 'address', 'value', 'indicator', 'cidr', 'network'],
    ],
  },
  {
    name: 'destination',
    position: 'DESTINATION',
    option: 'dst-ip',
    describe: 'address under attack',
    columns: [
      ...['dst_ip', 'dest_ip', 'destination.ip', 'dstip', 'destination_ip', 'data.dstip', 'data.dest_ip'],
      ...['destination_address', 'dst', 'dest', 'destination'],
    ],
    isListDefault: true,
  },
  {
    name: 'port',
    position: 'PORT',
    option: 'dst-port',
    describe: 'port under attack',
    columns: [
      ...['dst_port', 'dest_port', 'destination.port', 'dstport', 'destination_port', 'data.dstport', 'data.dest_port'],
      'port',
    ],
    isListDefault: true,
  },
  {
    name: 'interface',
    position: 'INTERFACE',
    option: 'interface',
    describe: 'interface through which the source enters: its key, or its name in the GUI',
    columns: ['interface'],
    isListDefault: true,
  },
  {
    name: 'type',
    position: 'TYPE',
    option: 'type',
    describe: 'block (drop) or reject (answer)',
    columns: ['rule_type'],
  },
  {
    name: 'ipproto',
    position: 'IPPROTO',
    option: 'ipproto',
    describe: 'inet or inet6; default: that of the addresses',
    columns: ['ipproto'],
  },
  {
    name: 'description',
    position: 'DESCRIPTION',
    option: 'description',
    describe: 'reason, in one or more words; one that begins with - and is not an option belongs to it',
    describeOption: 'as DESCRIPTION, in one argument',
    columns: [
      ...['description', 'reason', 'scenario', 'signature', 'rule.description', 'rule.name', 'comment', 'descr'],
      'sblid',
    ],
    isListDefault: true,
  },
  {
    name: 'protocol',
    option: 'protocol',
    describe: 'tcp, udp, tcp/udp, icmp or any',
    columns: ['protocol', 'proto', 'transport', 'network.transport', 'data.protocol'],
    isListDefault: true,
  },
  {
    name: 'duration',
    option: 'for',
    describe: 'how long to block: 30m, 24h, 7d, forever',
    columns: [
      ...['for', 'lifetime', 'duration', 'timeout', 'bantime', 'ban_time', 'expires_at', 'expires', 'until'],
      ...['expiration', 'expiry', 'valid_until'],
    ],
    isListDefault: true,
  },
  {
    name: 'tags',
    option: 'tag',
    describe: 'a name of your own for the block: [a-z0-9-], at most 8; repeatable',
    isListDefault: true,
    isRepeatable: true,
  },
  { name: 'event-id', option: 'event-id', describe: "the SIEM's id of the event", isContext: true },
  { name: 'backlog-id', option: 'backlog-id', describe: "the SIEM's id of the alarm", isContext: true },
  { name: 'plugin-id', option: 'plugin-id', describe: "the SIEM's data source", isContext: true },
  { name: 'plugin-sid', option: 'plugin-sid', describe: "the SIEM's event type", isContext: true },
  { name: 'risk', option: 'risk', describe: "the SIEM's risk", isContext: true },
  { name: 'sensor', option: 'sensor', describe: "the SIEM's sensor", isContext: true },
];

/** The fields that have a position, in order; the last takes all remaining arguments. */
export const positionalFields = alarmFields.filter(
  (field): field is AlarmField & { position: Position } => field.position !== undefined,
);

/** The given values, by field name. */
export type AlarmValues = Readonly<Record<string, string | undefined>>;

const contextNames = alarmFields.filter(({ isContext }) => isContext === true).map(({ name }) => name);
const splitTags = (text = ''): string[] => [...new Set(text.split(' '))].filter((tag) => tag !== '');

/** Makes a request of these values. An empty figure of the SIEM counts as not given. */
export const toAlarmRequest = (values: AlarmValues): AlarmRequest => ({
  source: values['source'] ?? '',
  destination: values['destination'] ?? '',
  port: values['port'] ?? '',
  interface: values['interface'],
  type: values['type'],
  ipproto: values['ipproto'],
  protocol: values['protocol'],
  description: values['description'],
  duration: values['duration'],
  tags: splitTags(values['tags']),
  context: Object.fromEntries(
    contextNames.flatMap((name) => {
      const value = values[name];
      return value === undefined || value === '' ? [] : [[name, value]];
    }),
  ),
});
