import { IdentityUnavailable } from '../engine/access/identity-unavailable.ts'
import { fromBase64url } from '../proof/encoding.ts'

/** Signature algorithms of tokens, by their names in JOSE. All are asymmetric. */
export type SignatureAlgorithm =
  | 'RS256'
  | 'RS384'
  | 'RS512'
  | 'PS256'
  | 'PS384'
  | 'PS512'
  | 'ES256'
  | 'ES384'
  | 'EdDSA'

interface Scheme {
  readonly keyType: string
  readonly curve?: string
  readonly importing: {
    readonly name: string
    readonly hash?: string
    readonly namedCurve?: string
  }
  readonly verifying: {
    readonly name: string
    readonly hash?: string
    readonly saltLength?: number
  }
}

const rsa = (bits: number): Scheme => ({
  keyType: 'RSA',
  importing: { name: 'RSASSA-PKCS1-v1_5', hash: `SHA-${bits}` },
  verifying: { name: 'RSASSA-PKCS1-v1_5' },
})
const pss = (bits: number): Scheme => ({
  keyType: 'RSA',
  importing: { name: 'RSA-PSS', hash: `SHA-${bits}` },
  verifying: { name: 'RSA-PSS', saltLength: bits / 8 },
})
const ecdsa = (bits: number): Scheme => ({
  keyType: 'EC',
  curve: `P-${bits}`,
  importing: { name: 'ECDSA', namedCurve: `P-${bits}` },
  verifying: { name: 'ECDSA', hash: `SHA-${bits}` },
})
const ed25519 = { name: 'Ed25519' }

/** How each algorithm verifies with Web Crypto. */
export const SCHEMES: Readonly<Record<SignatureAlgorithm, Scheme>> = {
  RS256: rsa(256),
  RS384: rsa(384),
  RS512: rsa(512),
  PS256: pss(256),
  PS384: pss(384),
  PS512: pss(512),
  ES256: ecdsa(256),
  ES384: ecdsa(384),
  EdDSA: { keyType: 'OKP', curve: 'Ed25519', importing: ed25519, verifying: ed25519 },
}

/** A public key of the issuer. */
interface VerificationKey {
  readonly id: string | null
  readonly key: CryptoKey
}

/** Where the keys are, and how long they are used. */
export interface RemoteKeyOptions {
  readonly url: string
  readonly algorithm: SignatureAlgorithm
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>
  readonly now: () => Date
  readonly cacheSeconds: number
  readonly staleSeconds: number
  readonly refetchSeconds: number
  readonly deadlineSeconds: number
}

interface HeldKeys {
  readonly keys: readonly VerificationKey[]
  readonly fetchedAt: number
}

// A fetch that still runs so long after its own deadline was cancelled with its request.
const CANCELLED_MS = 1000
const MOST_BYTES = 131_072
const MOST_KEYS = 64
// Of the modulus, which is 2048 bits.
const SHORTEST_RSA = 256

/**
 * The public keys of an issuer. They are cached for all requests of the isolate. A set that is older than
 * `cacheSeconds` is fetched again, and is used up to `staleSeconds` if the issuer does not answer. An
 * unknown key id fetches the set again, at most one time in `refetchSeconds`.
 */
export class RemoteKeys {
  readonly #options: RemoteKeyOptions
  #held: HeldKeys | null = null
  #triedAt = -Infinity
  #running: Promise<HeldKeys> | null = null

  constructor(options: RemoteKeyOptions) {
    this.#options = options
  }

  /**
   * Returns the keys with this id; every key if the token names no id and there is only one.
   *
   * @throws {IdentityUnavailable} if the keys cannot be fetched.
   */
  async find(id: string | null): Promise<readonly CryptoKey[]> {
    const { cacheSeconds, staleSeconds, now } = this.#options
    const age = this.#held === null ? Infinity : (now().getTime() - this.#held.fetchedAt) / 1000
    const held = age <= staleSeconds ? this.#held : null
    const found = keysOf(held, id)
    if (found.length > 0 && age <= cacheSeconds) return found
    const running = this.#running ?? this.#begin()
    if (running === null) {
      if (held !== null) return found
      throw new IdentityUnavailable(`${this.#options.url} did not answer the last request.`)
    }
    try {
      return keysOf(await this.#shared(running), id)
    } catch (error) {
      if (found.length > 0) return found
      throw new IdentityUnavailable(`${this.#options.url} cannot be read.`, error)
    }
  }

  /** Begins a fetch; null if the last one began less than `refetchSeconds` ago. */
  #begin(): Promise<HeldKeys> | null {
    const { refetchSeconds, now } = this.#options
    if ((now().getTime() - this.#triedAt) / 1000 < refetchSeconds) return null
    this.#triedAt = now().getTime()
    const running = this.#fetched()
    const end = () => {
      if (this.#running === running) this.#running = null
    }
    running.then(end, end)
    this.#running = running
    return running
  }

  // Requests share one fetch. The request that began it may be cancelled, and then its promise never
  // settles: each waits with a timer of its own, and the next one starts another fetch.
  async #shared(running: Promise<HeldKeys>): Promise<HeldKeys> {
    let timer: ReturnType<typeof setTimeout> | undefined
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(
        () => {
          if (this.#running === running) {
            this.#running = null
            this.#triedAt = -Infinity
          }
          reject(new Error('The fetch of the keys took too long.'))
        },
        this.#options.deadlineSeconds * 1000 + CANCELLED_MS
      )
    })
    try {
      return await Promise.race([running, late])
    } finally {
      clearTimeout(timer)
    }
  }

  async #fetched(): Promise<HeldKeys> {
    const { url, algorithm, deadlineSeconds, now } = this.#options
    const response = await this.#options.fetch(url, {
      headers: { accept: 'application/json' },
      redirect: 'manual',
      signal: AbortSignal.timeout(deadlineSeconds * 1000),
    })
    if (response.status !== 200) {
      await response.body?.cancel()
      throw new Error(`The status is ${response.status}.`)
    }
    const keys = await importedKeys(await boundedText(response), algorithm)
    this.#held = { keys, fetchedAt: now().getTime() }
    return this.#held
  }
}

function keysOf(held: HeldKeys | null, id: string | null): readonly CryptoKey[] {
  const keys = held?.keys ?? []
  if (id === null) return keys.length === 1 ? keys.map(({ key }) => key) : []
  return keys.flatMap((each) => (each.id === id ? [each.key] : []))
}

async function boundedText(response: Response): Promise<string> {
  const reader = (response.body as ReadableStream<Uint8Array> | null)?.getReader()
  const decoder = new TextDecoder()
  let text = ''
  let bytes = 0
  for (let part = await reader?.read(); part?.value; part = await reader?.read()) {
    bytes += part.value.byteLength
    if (bytes > MOST_BYTES) {
      await reader?.cancel()
      throw new Error(`The key set is larger than ${MOST_BYTES} bytes.`)
    }
    text += decoder.decode(part.value, { stream: true })
  }
  return text + decoder.decode()
}

/** Imports the keys of a set that may verify this algorithm; others are left out. */
async function importedKeys(
  text: string,
  algorithm: SignatureAlgorithm
): Promise<readonly VerificationKey[]> {
  const set: unknown = JSON.parse(text)
  const keys: unknown = typeof set === 'object' && set !== null && 'keys' in set && set.keys
  if (!Array.isArray(keys) || keys.length > MOST_KEYS) throw new Error('This is not a key set.')
  const scheme = SCHEMES[algorithm]
  const suitable = keys.filter((key) => isSuitable(key, algorithm, scheme))
  const imported = await Promise.all(suitable.map((key) => importKey(key, scheme)))
  return imported.filter((key) => key !== null)
}

interface SuitableKey {
  readonly kty: string
  readonly kid?: string
  readonly crv?: string
  readonly [name: string]: unknown
}

function isSuitable(key: unknown, algorithm: string, scheme: Scheme): key is SuitableKey {
  if (typeof key !== 'object' || key === null) return false
  const { kty, crv, kid, use, alg, n, key_ops: operations } = key as Record<string, unknown>
  return (
    kty === scheme.keyType &&
    crv === scheme.curve &&
    (kid === undefined || typeof kid === 'string') &&
    (use === undefined || use === 'sig') &&
    (alg === undefined || alg === algorithm) &&
    (operations === undefined || (Array.isArray(operations) && operations.includes('verify'))) &&
    (scheme.keyType !== 'RSA' || isLongEnough(n))
  )
}

function isLongEnough(modulus: unknown): boolean {
  return typeof modulus === 'string' && (fromBase64url(modulus)?.length ?? 0) >= SHORTEST_RSA
}

async function importKey(key: SuitableKey, scheme: Scheme): Promise<VerificationKey | null> {
  // Only the public members: the others say how the issuer uses the key, and may contradict.
  const { kty, crv, n, e, x, y } = key
  const members = Object.entries({ kty, crv, n, e, x, y }).filter(
    ([, value]) => value !== undefined
  )
  const publicKey = Object.fromEntries(members) as unknown as JsonWebKey & { readonly kty: string }
  try {
    const imported = await crypto.subtle.importKey('jwk', publicKey, scheme.importing, false, [
      'verify',
    ])
    return { id: key.kid ?? null, key: imported }
  } catch {
    return null
  }
}
