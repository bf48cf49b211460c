import { quoteBack } from './errors.js';

/** An interface of a firewall: its key in rules, and the name that its GUI shows; empty if it shows the key. */
export interface FirewallInterface {
  key: string;
  description: string;
}

const keyPattern = /^[A-Za-z][A-Za-z0-9_]{0,31}$/;

export const isInterfaceKey = (text: string): boolean => keyPattern.test(text);

/** Could this be an interface's name in the GUI? Only the key that it stands for is ever sent to a firewall. */
export const isInterfaceName = (text: string): boolean =>
  isInterfaceKey(text) || /^[\p{L}\p{N}][\p{L}\p{N} ._:/()&+-]{0,63}$/u.test(text);

/** Keys that every pfSense uses. */
const usualKey = /^(?:wan|lan|opt[1-9][0-9]{0,2})$/;

/**
 * The keys that a name stands for: the key itself, or each interface whose key or GUI name is the same ignoring case.
 * More than one key is ambiguous; none is unknown.
 */
export function findInterfaceKeys(text: string, interfaces: readonly FirewallInterface[]): string[] {
  if (interfaces.some(({ key }) => key === text)) return [text];
  const name = normalize(text);
  const found = interfaces.filter((each) => normalize(each.key) === name || normalize(each.description) === name);
  const keys = [...new Set(found.map(({ key }) => key))];
  return keys.length === 0 && usualKey.test(name) ? [name] : keys;
}

/** GUI names arrive from a firewall in ASCII, with a space for any other characters. */
const normalize = (text: string): string =>
  text
    .replace(/[^\x21-\x7e]+/g, ' ')
    .trim()
    .toLowerCase();

/** Says which interfaces there are. @param keys that the name stands for: none, or several */
export function explainInterface(
  text: string,
  keys: readonly string[],
  { firewall, interfaces }: { firewall: string; interfaces: readonly FirewallInterface[] },
): string {
  if (keys.length > 1) return `${quoteBack(text)} is ${keys.join(' and ')} on ${firewall}: give the key`;
  const list = interfaces.map(({ key, description }) =>
    description === '' || description === key ? key : `${key} (${description})`,
  );
  const known = list.length === 0 ? 'a key such as wan, lan or opt1' : `one of ${list.join(', ')}`;
  const source =
    interfaces.length === 0 ? '' : `, the interfaces of ${firewall} (firebreak reconcile reads them again)`;
  return `expected ${known}${source}, got ${quoteBack(text)}`;
}
