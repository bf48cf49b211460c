import { FirebreakError } from '../../core/errors.js';

/**
 * The text of a list, whatever its encoding: UTF-8 or UTF-16, with or without a byte order mark; lines end with LF.
 * @throws FirebreakError list_invalid: compressed
 */
export function decodeList(bytes: Uint8Array): string {
  if (startsWith(bytes, 0x1f, 0x8b) || startsWith(bytes, 0x50, 0x4b, 0x03, 0x04)) {
    throw new FirebreakError('list_invalid', 'the list is compressed: unpack it first');
  }
  return normalizeList(new TextDecoder(encodingOf(bytes)).decode(bytes));
}

/** Without a byte order mark, and with LF where another system ends its lines otherwise. */
export const normalizeList = (text: string): string => text.replace(/^\uFEFF/, '').replace(/\r\n?/g, '\n');

function encodingOf(bytes: Uint8Array): string {
  if (startsWith(bytes, 0xff, 0xfe)) return 'utf-16le';
  if (startsWith(bytes, 0xfe, 0xff)) return 'utf-16be';
  // Every list begins with an ASCII character.
  if (bytes.length > 1 && bytes[0] !== 0 && bytes[1] === 0) return 'utf-16le';
  return bytes.length > 1 && bytes[0] === 0 ? 'utf-16be' : 'utf-8';
}

const startsWith = (bytes: Uint8Array, ...first: number[]): boolean =>
  bytes.length >= first.length && first.every((byte, at) => bytes[at] === byte);
