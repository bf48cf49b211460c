/** A line of `pfctl -sr` as far as a person looks at it first. */
export interface Rule {
  readonly action: string;
  readonly protocol: string;
  readonly source: string;
  readonly destination: string;
  readonly port: string;
  readonly description: string;
  readonly tracker: number;
}

/** The administrator's own rules on one network card, in pf's order; pfSense's built-in ones are left out. */
export function findUserRules(loaded: readonly string[], card: string): Rule[] {
  return loaded
    .filter((line) => line.includes(` on ${card} `) && line.includes('"USER_RULE'))
    .flatMap((line) => parseRule(line) ?? []);
}

function parseRule(line: string): Rule | undefined {
  const find = (pattern: RegExp): string => pattern.exec(line)?.[1] ?? '';
  const tracker = Number(find(/ ridentifier (\d+)/));
  if (tracker === 0) return undefined;
  return {
    action: find(/^(\w+)/),
    protocol: find(/ proto (\S+)/),
    source: find(/ from (\S+)/),
    destination: find(/ to (\S+)/),
    port: find(/ to \S+ port (?:= )?(\S+)/),
    description: find(/ label "USER_RULE: ([^"]*)"/),
    tracker,
  };
}

/** The network card of an interface, by the configuration. */
export function findCard(config: string, key: string): string {
  const card = new RegExp(`<interfaces>.*?<${key}>.*?<if>([^<]+)</if>`, 's').exec(config)?.[1];
  if (card === undefined) throw new Error(`The configuration has no interface ${key}.`);
  return card;
}
