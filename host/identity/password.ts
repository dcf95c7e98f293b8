import { scryptAsync } from '@noble/hashes/scrypt.js'

// 16 MiB of memory each: many at once fit into an isolate's 128 MiB. Raise N for a plan with more
// CPU time; hashes made with other parameters stay valid, because each carries its own.
const PARAMETERS: Parameters = { N: 2 ** 14, r: 8, p: 1 }
const KEY_BYTES = 32
const SALT_BYTES = 16

interface Parameters {
  readonly N: number
  readonly r: number
  readonly p: number
}

/** Hashes a password with scrypt: `scrypt$N$r$p$salt$hash`, salt and hash in base64. */
export async function hashPassword(password: string): Promise<string> {
  const salt = crypto.getRandomValues(new Uint8Array(SALT_BYTES))
  const { N, r, p } = PARAMETERS
  return [
    'scrypt',
    N,
    r,
    p,
    toBase64(salt),
    toBase64(await derive(password, salt, PARAMETERS)),
  ].join('$')
}

/**
 * Checks a password. Without a hash, or with one that cannot be read, the same work is done in vain, so
 * that time does not tell whether there is an account.
 */
export async function verifyPassword(password: string, stored: string | null): Promise<boolean> {
  const known = stored !== null && READABLE.test(stored)
  const [, N, r, p, salt = '', hash = ''] = (known ? stored : DUMMY).split('$')
  const parameters = { N: Number(N), r: Number(r), p: Number(p) }
  const derived = await derive(password, fromBase64(salt), parameters)
  return equal(derived, fromBase64(hash)) && known
}

const READABLE = /^scrypt\$\d+\$\d+\$\d+\$[\w+/]+=*\$[\w+/]+=*$/

const DUMMY = [
  'scrypt',
  PARAMETERS.N,
  PARAMETERS.r,
  PARAMETERS.p,
  'AAAAAAAAAAAAAAAAAAAAAA==',
  '',
].join('$')

function derive(password: string, salt: Uint8Array, parameters: Parameters): Promise<Uint8Array> {
  return scryptAsync(password.normalize('NFKC'), salt, { ...parameters, dkLen: KEY_BYTES })
}

// In time that depends on nothing but the length.
function equal(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length
  for (const [index, byte] of a.entries()) difference |= byte ^ (b[index] ?? 0)
  return difference === 0
}

function toBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0))
}
