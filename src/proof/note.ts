/**
 * Signed notes with Ed25519, and their keys, in the format of C2SP.
 *
 * @see https://c2sp.org/signed-note
 * @module
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import { base64, fromBase64, fromBase64url } from './encoding.ts'

const ED25519 = 1

/** Signs notes under a name. */
export interface NoteSigner {
  readonly name: string
  /** The key to verify with: `name+hash+key`. */
  readonly publicKey: string
  sign(text: string): Promise<string>
}

/**
 * Generates a key pair. Keep the private key as a secret, and give the public key to those who verify.
 *
 * @throws {TypeError} if the name has blanks or a plus.
 *
 * @example
 * ```ts
 * const { privateKey, publicKey } = await generateLogKey('audit.example.com')
 * ```
 */
export async function generateLogKey(
  name: string
): Promise<{ readonly privateKey: string; readonly publicKey: string }> {
  const seed = crypto.getRandomValues(new Uint8Array(32))
  const publicBytes = await publicBytesOf(await importSeed(seed, true))
  const id = keyId(checkedName(name), publicBytes)
  const encoded = base64(concatBytes(Uint8Array.of(ED25519), seed))
  const privateKey = `PRIVATE+KEY+${name}+${hex(id)}+${encoded}`
  return { privateKey, publicKey: publicKeyOf(name, publicBytes) }
}

/**
 * Reads a private key.
 *
 * @throws {TypeError} if it is not one. The message does not contain the key.
 */
export async function noteSigner(privateKey: string): Promise<NoteSigner> {
  const [first, second, name = '', id, ...rest] = privateKey.split('+')
  const bytes = fromBase64(rest.join('+'))
  if (first !== 'PRIVATE' || second !== 'KEY' || bytes?.length !== 33 || bytes[0] !== ED25519) {
    throw new TypeError('The key that signs checkpoints must come from generateLogKey().')
  }
  const seed = bytes.slice(1)
  const publicBytes = await publicBytesOf(await importSeed(seed, true))
  const ownId = keyId(checkedName(name), publicBytes)
  if (hex(ownId) !== id) throw new TypeError('The key that signs checkpoints is damaged.')
  const key = await importSeed(seed)
  return {
    name,
    publicKey: publicKeyOf(name, publicBytes),
    async sign(text) {
      const signed = base64(concatBytes(ownId, await sign(key, bytesOf(text))))
      return `${text}\n\u2014 ${name} ${signed}\n`
    },
  }
}

/** Returns the text of a note that is signed with one of these keys; null for any other note. */
export async function openNote(
  note: string,
  publicKeys: readonly string[]
): Promise<string | null> {
  const end = note.lastIndexOf('\n\n')
  if (end < 0 || !note.endsWith('\n')) return null
  const text = note.slice(0, end + 1)
  const lines = note.slice(end + 2, -1).split('\n')
  for (const publicKey of publicKeys) {
    const verifier = readPublicKey(publicKey)
    if (verifier === null) continue
    for (const line of lines) {
      const [, name, encoded = ''] = /^\u2014 ([^\s+]+) (\S+)$/.exec(line) ?? []
      const signed = fromBase64(encoded)
      if (name !== verifier.name || signed?.length !== 68) continue
      if (hex(signed.slice(0, 4)) !== verifier.id) continue
      if (await isSigned(verifier.bytes, signed.slice(4), text)) return text
    }
  }
  return null
}

function readPublicKey(publicKey: string) {
  const [name = '', id = '', ...rest] = publicKey.trim().split('+')
  const bytes = fromBase64(rest.join('+'))
  if (bytes?.length !== 33 || bytes[0] !== ED25519) return null
  const key = bytes.slice(1)
  return hex(keyId(name, key)) === id ? { name, id, bytes: key } : null
}

async function isSigned(
  publicBytes: Uint8Array<ArrayBuffer>,
  signature: Uint8Array<ArrayBuffer>,
  text: string
): Promise<boolean> {
  try {
    const key = await crypto.subtle.importKey('raw', publicBytes, 'Ed25519', false, ['verify'])
    return await crypto.subtle.verify('Ed25519', key, signature, bytesOf(text))
  } catch {
    return false
  }
}

async function publicBytesOf(
  key: Awaited<ReturnType<typeof importSeed>>
): Promise<Uint8Array<ArrayBuffer>> {
  const exported = (await crypto.subtle.exportKey('jwk', key)) as { readonly x?: string }
  const bytes = fromBase64url(exported.x ?? '')
  if (bytes?.length !== 32) throw new TypeError('This runtime has no Ed25519.')
  return bytes
}

function keyId(name: string, publicBytes: Uint8Array): Uint8Array {
  const key = concatBytes(Uint8Array.of(ED25519), publicBytes)
  return sha256(concatBytes(utf8ToBytes(`${name}\n`), key)).slice(0, 4)
}

function publicKeyOf(name: string, publicBytes: Uint8Array): string {
  const encoded = base64(concatBytes(Uint8Array.of(ED25519), publicBytes))
  return `${name}+${hex(keyId(name, publicBytes))}+${encoded}`
}

function checkedName(name: string): string {
  if (/^[^\s+]+$/.test(name)) return name
  throw new TypeError('The name of a key must not contain white space or a plus.')
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(utf8ToBytes(text))
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

// Runtimes name this type differently.
type SigningKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>

// A private key in PKCS #8 is this prefix and 32 bytes.
const PKCS8 = Uint8Array.of(48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32)

/** Imports an Ed25519 signing key from its 32 bytes. */
export function importSeed(seed: Uint8Array, extractable = false): Promise<SigningKey> {
  const pkcs8 = new Uint8Array([...PKCS8, ...seed])
  return crypto.subtle.importKey('pkcs8', pkcs8, 'Ed25519', extractable, ['sign'])
}

/** Signs bytes. */
export async function sign(
  key: SigningKey,
  bytes: Uint8Array<ArrayBuffer>
): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.sign('Ed25519', key, bytes))
}
