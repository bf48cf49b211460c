import type { MappedField, PresetName, ServeConfig } from '../config/schema/serve-keys.js';

/** A path in the document, or a constant. */
export type FieldPlace = string | { value: string | number };

/** Of a list, the first that is present counts. */
export type FieldValue = FieldPlace | readonly FieldPlace[];

/** Where the fields of an alarm are in a sender's document. */
export interface Mapping {
  fields: Readonly<Partial<Record<MappedField, FieldValue>>>;
  /** Conditions that a document must meet. */
  when: readonly string[];
  /** The path of a list of documents in one request. */
  rows?: string;
}

const ecs = {
  src_ip: ['source.ip', 'data.srcip', 'data.src_ip'],
  dst_ip: ['destination.ip', 'data.dstip', 'data.dest_ip'],
  dst_port: ['destination.port', 'data.dstport', 'data.dest_port'],
  protocol: ['network.transport', 'data.protocol', 'data.proto'],
} as const;

const elastic: Mapping = {
  fields: {
    ...ecs,
    description: ['rule.name', 'kibana.alert.rule.name', 'alert_text', 'message'],
    event_id: ['kibana.alert.uuid', 'event.id', '_id'],
    sensor: ['observer.name', 'host.name'],
  },
  when: [],
  rows: 'alerts',
};

const elastalert: Mapping = {
  ...elastic,
  fields: {
    ...elastic.fields,
    description: ['rule_name', 'rule.name', 'alert_text', 'message'],
    event_id: ['_id', 'event.id'],
  },
};

/** Each field of Graylog is in the event, in a group, or in the first message that led to it. */
const graylog = (...names: string[]): string[] => [
  ...names.map((name) => `event.fields.${name}`),
  ...names.map((name) => `event.group_by_fields.${name}`),
  ...names.map((name) => `backlog.0.fields.${name}`),
];

/** The senders' own names, as their sources or documents have them (docs/serve.md). */
export const presets: Readonly<Record<Exclude<PresetName, 'generic'>, Mapping>> = {
  wazuh: {
    fields: {
      src_ip: ['data.srcip', 'data.src_ip', 'source.ip'],
      dst_ip: ['data.dstip', 'data.dest_ip', 'destination.ip', 'agent.ip'],
      dst_port: ['data.dstport', 'data.dest_port', 'destination.port'],
      protocol: ['data.proto', 'data.protocol', 'network.transport'],
      description: ['rule.description', 'wazuh.rule.title'],
      event_id: ['id', 'event.id'],
      plugin_sid: ['rule.id', 'wazuh.rule.id'],
      sensor: ['agent.name', 'wazuh.agent.name'],
    },
    when: [],
  },
  graylog: {
    fields: {
      src_ip: graylog('source_ip', 'src_ip', 'srcip'),
      dst_ip: graylog('destination_ip', 'dst_ip', 'dest_ip', 'dstip'),
      dst_port: graylog('destination_port', 'dst_port', 'dest_port', 'dstport'),
      protocol: graylog('network_transport', 'protocol', 'proto'),
      description: 'event_definition_title',
      event_id: 'event.id',
      sensor: 'event.source',
    },
    when: [],
  },
  elastic,
  elastalert,
  securityonion: elastalert,
  splunk: {
    fields: {
      src_ip: ['result.src_ip', 'result.src'],
      dst_ip: ['result.dest_ip', 'result.dest'],
      dst_port: 'result.dest_port',
      protocol: ['result.transport', 'result.protocol', 'result.proto'],
      description: 'search_name',
      event_id: 'sid',
      sensor: 'result.host',
    },
    when: [],
  },
  suricata: {
    fields: {
      src_ip: 'src_ip',
      dst_ip: 'dest_ip',
      dst_port: 'dest_port',
      protocol: 'proto',
      description: 'alert.signature',
      event_id: 'flow_id',
      plugin_sid: 'alert.signature_id',
      sensor: 'host',
    },
    when: ['event_type == alert'],
  },
  thehive: {
    fields: {
      src_ip: 'data.data',
      description: ['data.message', 'data.case.title'],
      event_id: ['data.id', 'data._id'],
    },
    when: ['data.dataType == ip'],
  },
  alertmanager: {
    fields: {
      src_ip: ['labels.src_ip', 'labels.source_ip'],
      dst_ip: ['labels.dst_ip', 'labels.destination_ip'],
      dst_port: ['labels.dst_port', 'labels.destination_port'],
      protocol: 'labels.protocol',
      description: ['annotations.summary', 'labels.alertname'],
      event_id: 'fingerprint',
    },
    when: ['status == firing'],
    rows: 'alerts',
  },
};

type SourceConfig = ServeConfig['sources'][string];

/** The mapping of a source; undefined for one that takes the names of `generic`. */
export function mappingOf({
  preset,
  fields,
  when,
}: Pick<SourceConfig, 'preset' | 'fields' | 'when'>): Mapping | undefined {
  if (fields === undefined && (preset === undefined || preset === 'generic')) return undefined;
  const base = preset === undefined || preset === 'generic' ? { fields: {}, when: [] } : presets[preset];
  return { ...base, fields: { ...base.fields, ...fields }, when: [...base.when, ...when] };
}
