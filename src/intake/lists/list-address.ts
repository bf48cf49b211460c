import { isIP } from 'node:net';
import { parseRange } from '../../core/address.js';
import type { Widest } from '../../core/flow.js';

/** `203[.]0[.]113[.]7`, `hxxp://203.0.113.7/x`: how reports write an address that no program is to follow. */
const refang = (text: string): string =>
  text
    .replace(/\[(\.|dot|:)\]|\((\.|dot)\)|\{(\.|dot)\}/gi, (found) => (found.includes(':') ? ':' : '.'))
    .replace(/^(?:hxxps?|https?):\/\/([^/]*)(?:\/.*)?$/i, '$1');

/** The address in one word of a list, without quotes, a port behind it or CrowdSec's scope before it. */
export function cleanAddress(word: string): string {
  if (isIP(word) !== 0) return word;
  const text = refang(word.trim().replace(/^["']|["']$/g, ''))
    .replace(/^(?:ip|range):/i, '')
    .replace(/\|\d+$/, '')
    .replace(/^[^|]+\|(?=[\d.]+$|[\da-f:]+$)/i, ''); // MISP: a name and its address
  const { host } = splitPort(text);
  const [network = '', mask = ''] = host.split('/');
  const length = findMaskLength(mask);
  return length === undefined ? host : `${network}/${length}`;
}

/** `192.168.1.10:22` and `[2001:db8::7]:22`; an address alone has no port. */
export function splitPort(text: string): { host: string; port: string | undefined } {
  const [, four, six, port] = /^(?:([\d.]+)|\[([\da-f:.]+)\])(?::(\d{1,5}))?$/i.exec(text) ?? [];
  return { host: four ?? six ?? text, port };
}

/** Does the word stand for an address, if perhaps a mistyped one? */
export function isAddressLike(word: string): boolean {
  if (isIP(word) !== 0) return true;
  const [host = ''] = cleanAddress(word).split('/');
  return isIP(host) !== 0 || /^\d{1,3}(?:\.\d{1,3}){3}$/.test(host) || isRange(host);
}

const isRange = (text: string): boolean => {
  const ends = text.split('-');
  return ends.length === 2 && ends.every((end) => isIP(end) !== 0);
};

/** `255.255.255.0` as 24; undefined where it is not a mask. */
function findMaskLength(text: string): number | undefined {
  if (isIP(text) !== 4) return undefined;
  const bits = text
    .split('.')
    .map((byte) => Number(byte).toString(2).padStart(8, '0'))
    .join('');
  return /^1+0*$/.test(bits) ? bits.lastIndexOf('1') + 1 : undefined;
}

/** A range that makes more blocks is a network, and to be listed as one. */
const maxParts = 256;

/**
 * What an address of a list stands for: a range as the fewest networks that hold it and are not wider than the policy
 * allows. What is not an address stays as it is: parseAlarm says what is wrong.
 */
export function expandAddress(text: string, widest: Widest): string[] | { problem: string } {
  if (!isRange(text)) return [text];
  const range = parseRange(text, { widest, parts: maxParts });
  return range.ok ? range.networks.map((network) => network.text) : { problem: range.message };
}
