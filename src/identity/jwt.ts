/**
 * Reading a signed JWT, and checking everything of it but the signature.
 *
 * @module
 */
import { fromBase64url } from '../proof/encoding.ts'

/** The claims of a verified token. */
export interface Claims {
  readonly iss: string
  readonly sub: string
  /** In seconds since 1970, as `iat` and `nbf`. */
  readonly exp: number
  readonly [name: string]: unknown
}

/** The rules that a token must follow. */
export interface TokenRules {
  readonly algorithm: string
  readonly issuers: readonly string[]
  /** Null if tokens of every audience are accepted. */
  readonly audiences: readonly string[] | null
  /** Null if tokens of every party are accepted. */
  readonly authorizedParties: readonly string[] | null
  /** Expressions, which compare without regard to case. */
  readonly types: readonly RegExp[]
  readonly clockSkewSeconds: number
  readonly longestToken: number
}

/** A token whose claims follow the rules, and whose signature is not verified yet. */
export interface UnverifiedToken {
  readonly keyId: string | null
  readonly payload: Claims
  readonly signed: Uint8Array<ArrayBuffer>
  readonly signature: Uint8Array<ArrayBuffer>
}

const LONGEST_TEXT = 255

/**
 * Reads a token in the compact form. Returns null unless its header and its claims follow the rules. Keys
 * and addresses in the header (`jwk`, `jku`, `x5c`, `x5u`) are not read, and an extension (`crit`) is
 * refused.
 */
export function readToken(token: string, rules: TokenRules, now: Date): UnverifiedToken | null {
  if (token.length > rules.longestToken) return null
  const parts = token.split('.')
  const [head = '', body = '', end = ''] = parts
  const signature = fromBase64url(end)
  const header = objectOf(head)
  if (parts.length !== 3 || header === null || signature === null || signature.length === 0) {
    return null
  }
  const payload = isOfRules(header, rules) ? objectOf(body) : null
  if (payload === null || !isInForce(payload, rules, now.getTime() / 1000)) return null
  const { kid = null } = header
  if (kid !== null && !isText(kid)) return null
  // Each part is ASCII, as its alphabet is.
  const signed = Uint8Array.from(`${head}.${body}`, (char) => char.charCodeAt(0))
  return { keyId: kid, payload, signed, signature }
}

function isOfRules(header: Readonly<Record<string, unknown>>, rules: TokenRules): boolean {
  const { alg, typ } = header
  // The algorithm is the configured one: a token does not choose it.
  if (alg !== rules.algorithm || 'crit' in header || 'b64' in header) return false
  if (typ === undefined) return true
  return typeof typ === 'string' && rules.types.some((type) => type.test(typ))
}

function isInForce(
  payload: Readonly<Record<string, unknown>>,
  rules: TokenRules,
  now: number
): payload is Claims {
  const { iss, sub, exp, nbf, iat, azp } = payload
  const { issuers, audiences, authorizedParties, clockSkewSeconds: skew } = rules
  if (!isText(iss) || !issuers.includes(iss) || !isText(sub)) return false
  if (
    audiences !== null &&
    !audiencesOf(payload).some((each) => isText(each) && audiences.includes(each))
  ) {
    return false
  }
  if (authorizedParties !== null && !(isText(azp) && authorizedParties.includes(azp))) return false
  const isPast = (time: unknown) => time === undefined || (isTime(time) && time <= now + skew)
  return isTime(exp) && exp + skew > now && isPast(nbf) && isPast(iat)
}

function audiencesOf({ aud }: Readonly<Record<string, unknown>>): readonly unknown[] {
  return Array.isArray(aud) ? aud : [aud]
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= LONGEST_TEXT
}

/** Decodes the JSON object of a part; null if it is no object in canonical base64url of UTF-8. */
function objectOf(part: string): Readonly<Record<string, unknown>> | null {
  const bytes = fromBase64url(part)
  if (bytes === null) return null
  try {
    const value: unknown = JSON.parse(
      new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    )
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject ? (value as Readonly<Record<string, unknown>>) : null
  } catch {
    return null
  }
}
