import type { Context } from 'hono'
import { checkOptionNames, namesOf } from '../base/names.ts'
import type { Principal, UserPrincipal } from '../engine/access/principal.ts'

/** A proof that a request comes from the gateway. */
export type GatewayProof =
  | {
      /** A secret that only the gateway has, or several while it changes: at least 32 characters. */
      readonly secret: string | readonly string[]
      /** The header that carries it. Default `x-gateway-secret`. */
      readonly header?: string
    }
  | {
      /**
       * The SHA-256 fingerprints of the client certificates of the gateway, in hexadecimal, as Cloudflare
       * has verified them (mTLS).
       */
      readonly certificates: readonly string[]
    }
  | {
      /** Returns whether a request comes from the gateway, such as `cloudflareAccess` does. */
      readonly check: (c: Context) => boolean | Promise<boolean>
    }

/** Options of {@link trustedHeader}. */
export interface TrustedHeaderOptions {
  /** The header with the id of the user. Default `x-user-id`. */
  readonly userId?: string
  /** The header that is `true` for an operator. Default: no user is an operator. */
  readonly operator?: string
  /** How a request proves that it comes from the gateway. */
  readonly gateway: GatewayProof
}

/** A source of identities: pass `authenticate` to the routes. */
export interface HeaderIdentity {
  readonly authenticate: (c: Context) => Promise<Principal | null>
}

const NAMES = namesOf<TrustedHeaderOptions>({ userId: true, operator: true, gateway: true })
const SHORTEST_SECRET = 32
const LONGEST_ID = 255

/**
 * Authenticates callers by a header that a gateway sets after it has authenticated them. A header alone
 * is no proof, because any client can send it: the request must also carry the secret of the gateway,
 * come with its client certificate, or pass a check. The gateway must delete these headers from the
 * requests of its clients.
 *
 * @throws {TypeError} if no proof is configured, a secret is shorter than 32 characters, or a fingerprint
 *   is not SHA-256 in hexadecimal.
 *
 * @example
 * ```ts
 * const { authenticate } = trustedHeader({ gateway: { secret: env.GATEWAY_SECRET } })
 * const access = cloudflareAccess({ team: 'acme', audience: env.ACCESS_AUD })
 * const behindAccess = trustedHeader({
 *   gateway: { check: async (c) => (await access.authenticate(c)) !== null },
 * })
 * ```
 */
export function trustedHeader(options: TrustedHeaderOptions): HeaderIdentity {
  checkOptionNames('trustedHeader', options, NAMES)
  const { userId: idHeader = 'x-user-id', operator: operatorHeader } = options
  const isFromGateway = checkOf(options.gateway)
  for (const name of [idHeader, operatorHeader]) {
    if (name !== undefined && !/^[\w-]+$/.test(name)) throw wrong('a header has no such name.')
  }
  return {
    async authenticate(c) {
      const id = c.req.header(idHeader)
      // Two headers of one name arrive as one text with a comma.
      if (!id || id.length > LONGEST_ID || /[\s,]/.test(id)) return null
      if (!(await isFromGateway(c))) return null
      const operator = operatorHeader !== undefined && c.req.header(operatorHeader) === 'true'
      return { userId: id, ...(operator && { operator }) } satisfies UserPrincipal
    },
  }
}

function checkOf(gateway: GatewayProof): (c: Context) => boolean | Promise<boolean> {
  if (typeof gateway !== 'object' || gateway === null) {
    throw wrong('gateway must have a secret, certificates or a check.')
  }
  if ('secret' in gateway) return secretCheck(gateway.secret, gateway.header ?? 'x-gateway-secret')
  if ('certificates' in gateway) return certificateCheck(gateway.certificates)
  if (typeof gateway.check !== 'function') {
    throw wrong('gateway must have a secret, certificates or a check.')
  }
  const { check } = gateway
  // An answer that is not a boolean, such as an object of another library, is no proof.
  return async (c) => {
    const isFromGateway: unknown = await check(c)
    return isFromGateway === true
  }
}

function secretCheck(secret: string | readonly string[], header: string) {
  const secrets: readonly unknown[] = typeof secret === 'string' ? [secret] : secret
  const isLong = (each: unknown): each is string =>
    typeof each === 'string' && each.length >= SHORTEST_SECRET
  if (!Array.isArray(secrets) || secrets.length === 0 || !secrets.every(isLong)) {
    throw wrong(`gateway.secret must have at least ${SHORTEST_SECRET} characters.`)
  }
  return async (c: Context) => {
    const given = await digestOf(c.req.header(header) ?? '')
    let isOne = false
    // Digests have one length, and every secret is compared: the time does not depend on them.
    for (const each of secrets) isOne = equal(given, await digestOf(each)) || isOne
    return isOne
  }
}

function certificateCheck(certificates: readonly string[]) {
  const isFingerprint = (each: unknown): each is string =>
    typeof each === 'string' && /^[\da-f]{64}$/i.test(each)
  const known = certificates.map((each) => each.replaceAll(':', ''))
  if (known.length === 0 || !known.every(isFingerprint)) {
    throw wrong('gateway.certificates must be SHA-256 fingerprints in hexadecimal.')
  }
  return (c: Context) => {
    const { tlsClientAuth } = (c.req.raw.cf ?? {}) as {
      readonly tlsClientAuth?: {
        readonly certVerified?: unknown
        readonly certFingerprintSHA256?: unknown
      }
    }
    return (
      tlsClientAuth?.certVerified === 'SUCCESS' &&
      typeof tlsClientAuth.certFingerprintSHA256 === 'string' &&
      isOneOf(known, tlsClientAuth.certFingerprintSHA256)
    )
  }
}

// In hexadecimal, of either case.
function isOneOf(known: readonly string[], fingerprint: string): boolean {
  const number = (text: string) => BigInt(`0x${text}`)
  return (
    /^[\da-f]{64}$/i.test(fingerprint) && known.some((each) => number(each) === number(fingerprint))
  )
}

async function digestOf(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)))
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  let different = a.length ^ b.length
  for (const [index, byte] of a.entries()) different |= byte ^ (b[index] ?? 0)
  return different === 0
}

function wrong(what: string): TypeError {
  return new TypeError(`trustedHeader: ${what}`)
}
