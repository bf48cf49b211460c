import type { Firewall } from './firewall.js';

/** The tracker that `ruleXml` gives a rule. */
export const tracker = 2000000001;

export interface RuleFields {
  readonly type?: string;
  readonly tracker?: string;
  readonly interface?: string;
  readonly ipprotocol?: string;
  /** Absent when empty: the article's rule has none. */
  readonly protocol?: string;
  readonly source?: string;
  readonly destination?: string;
  readonly port?: string;
  /** As it is to stand in the file, so escaped or CDATA. */
  readonly descr?: string;
  /** More elements. */
  readonly more?: string;
}

const good: Required<RuleFields> = {
  type: 'block',
  tracker: String(tracker),
  interface: 'wan',
  ipprotocol: 'inet',
  protocol: 'tcp',
  source: '203.0.113.7',
  destination: '192.168.1.10',
  port: '22',
  descr: '<![CDATA[blocked]]>',
  more: '',
};

/** A rule of config.xml on one line. An empty field leaves its element out. */
export function ruleXml(fields: RuleFields = {}): string {
  const rule = { ...good, ...fields };
  const element = (name: string, text: string): string => (text === '' ? '' : `<${name}>${text}</${name}>`);
  const { type, interface: nic, ipprotocol, protocol, source, destination, port, descr, more } = rule;
  return [
    ...[element('tracker', rule.tracker), element('type', type), element('interface', nic)],
    ...[element('ipprotocol', ipprotocol), element('protocol', protocol)],
    element('source', source.startsWith('<') ? source : element('address', source)),
    element('destination', element('address', destination) + element('port', port)),
    ...[element('descr', descr), more],
  ].join('');
}

/** Puts a rule on top of the filter, as an editor would. */
export function insertRule(text: string, rule: string): string {
  return text.replace('\n\t<filter>\n', () => `\n\t<filter>\n\t\t<rule>${rule}</rule>\n`);
}

/** Inserts the rule, reloads, and gives what came of it: the line with "blocked" in its label, and what pf has of it. */
export async function loadRule(firewall: Firewall, rule: string): Promise<{ line: string; loaded: string[] }> {
  firewall.writeConfig(insertRule(firewall.readConfig(), rule));
  firewall.dropCache();
  await firewall.run('etc/rc.filter_configure_sync');
  const generated = firewall.generatedRules();
  const line = generated.find((one) => one.includes('blocked')) ?? '';
  const loaded = (await firewall.loadedRules()).filter((one) => one.includes(`ridentifier ${tracker}`));
  return { line, loaded };
}

/** The configuration as the box "Disable all packet filtering" leaves it. */
export const disableFilter = (config: string): string =>
  config.replace('\n\t<system>\n', '\n\t<system>\n\t\t<disablefilter>enabled</disablefilter>\n');
