import { randomBytes, scrypt, timingSafeEqual, type ScryptOptions } from 'node:crypto';

/** One of those that OWASP's Password Storage Cheat Sheet holds equal; the others need more memory or are weaker. */
const cost = { N: 2 ** 16, r: 8, p: 2 } as const;
const keyLength = 32;

let waiting = 0;
let last: Promise<unknown> = Promise.resolve();

/** How many more wait for their turn: a caller may refuse to join them. */
export const countWaiting = (): number => waiting;

/** One after the other: each takes 64 MB and one of the four threads that alarms need as well, for about 0.3 s. */
async function derive(password: string, salt: Buffer, options: ScryptOptions): Promise<Buffer> {
  waiting += 1;
  const mine = last.then(() => {
    waiting -= 1;
    return new Promise<Buffer>((resolve, reject) =>
      scrypt(password.normalize('NFC'), salt, keyLength, { ...options, maxmem: 2 ** 28 }, (error, key) =>
        error === null ? resolve(key) : reject(error),
      ),
    );
  });
  last = mine.catch(() => undefined); // the caller gets the error
  return mine;
}

/** The hash with its salt and parameters, as it is stored. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  const key = await derive(password, salt, cost);
  return ['scrypt', cost.N, cost.r, cost.p, salt.toString('base64url'), key.toString('base64url')].join('$');
}

/** Takes the same time without a stored hash, so that a caller cannot learn which names exist. */
export async function isPassword(password: string, stored: string | undefined): Promise<boolean> {
  const [, n, r, p, salt = '', key = ''] = (stored ?? '').split('$');
  const options = stored === undefined ? cost : { N: Number(n), r: Number(r), p: Number(p) };
  const derived = await derive(password, Buffer.from(salt, 'base64url'), options);
  const expected = stored === undefined ? Buffer.alloc(keyLength) : Buffer.from(key, 'base64url');
  return timingSafeEqual(derived, expected) && stored !== undefined;
}
