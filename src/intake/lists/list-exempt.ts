/** Words that say not to block, alone or beside words that say nothing. */
const exemptWords = new Set([
  ...['ignore', 'ignored', 'allow', 'allowed', 'pass', 'passed', 'accept', 'accepted', 'permit', 'permitted', 'bypass'],
  ...[
    'captcha',
    'throttle',
    'white',
    'safe',
    'trusted',
    'benign',
    'clean',
    'harmless',
    'legitimate',
    'exempt',
    'exempted',
  ],
  ...['deleted', 'removed', 'released', 'disabled', 'inactive', 'expired', 'revoked', 'unban', 'unbanned', 'unblocked'],
  ...['exclude', 'excluded', 'excludes', 'exclusion', 'exclusions', 'exception', 'exceptions'],
  ...['allowlist', 'whitelist', 'ignorelist', 'passlist', 'safelist', 'ignoreip', 'ignoreips'],
]);

/** Those that say it in the name of a group whatever stands beside them, such as `office-whitelist`, `allow_ssh`. */
const strongWords = new Set([
  ...['ignore', 'ignored', 'ignoreip', 'ignoreips', 'ignorelist', 'allow', 'allowed', 'allowlist', 'whitelist'],
  ...['passlist', 'safelist', 'trusted', 'exempt', 'exempted', 'excluded', 'unbanned', 'unblocked'],
]);

const fillers = new Set([
  ...['ip', 'ips', 'ipv', 'v', 'inet', 'addr', 'address', 'addresses', 'host', 'hosts', 'net', 'nets', 'network'],
  ...['networks', 'range', 'ranges', 'cidr', 'cidrs', 'source', 'sources', 'entry', 'entries', 'item', 'items', 'user'],
  ...['list', 'listed', 'lists', 'set', 'table', 'my', 'our', 'the', 'is', 'all', 'by', 'local', 'global', 'permanent'],
]);

const negations = new Set(['not', 'non', 'no', 'never', 'dont']);
const blockWords = new Set([
  'block',
  'blocked',
  'ban',
  'banned',
  'deny',
  'denied',
  'drop',
  'dropped',
  'malicious',
  'bad',
]);

/** `allowedIPs`, `white-listed_v4` and `unBanned` as their words. */
function wordsOf(name: string): string[] {
  return name
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .replace(/\b(un|white|allow|ignore|safe|pass)[\s_-]+(banned|blocked|lists?|listed)\b/g, '$1$2')
    .replace(/(list)(?:s|ed)\b/g, '$1')
    .replace(/\bfalse[\s_-]*positives?\b/g, 'benign')
    .split(/[^a-z]+/)
    .filter((word) => word !== '');
}

/** Does a list mean by this word or two, in a column or a type, that an address is not to be blocked? */
export function isExempt(text: string): boolean {
  const words = wordsOf(text).filter((word) => !fillers.has(word));
  const others = words.filter((word) => !negations.has(word) && word !== 'do');
  const isNegated = words.some((word) => negations.has(word));
  const known = isNegated ? blockWords : exemptWords;
  return others.length > 0 && others.every((word) => known.has(word));
}

/** Does a group by this name protect its addresses? One of those that were released does not. */
export const isProtective = (name: string): boolean =>
  isExemptGroup(name) && wordsOf(name).some((word) => strongWords.has(word) && !word.startsWith('un'));

/** The same of the name of a group, a set or a table. */
export function isExemptGroup(name: string): boolean {
  const words = wordsOf(name);
  return isExempt(name) || (!words.some((word) => negations.has(word)) && words.some((word) => strongWords.has(word)));
}
