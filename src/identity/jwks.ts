import type { Context } from 'hono'
import { checkOptionNames, namesOf } from '../base/names.ts'
import type { Principal } from '../engine/access/principal.ts'
import type { StepUp } from '../engine/access/step-up.ts'
import { readToken, type Claims, type TokenRules } from './jwt.ts'
import { RemoteKeys, SCHEMES, type SignatureAlgorithm } from './remote-keys.ts'

/** Options that {@link jwks} and the presets share. */
export interface TokenOptions {
  /** Returns the caller of a verified token, or null for a token that is not enough. */
  readonly principal?: (payload: Claims) => Principal | null
  /** Finds the token of a request. Default: `Authorization: Bearer …`. */
  readonly token?: (c: Context) => string | null
  /**
   * Returns the time at which the user last proved their identity, in seconds since 1970, or null.
   * Default: the claim `auth_time`.
   */
  readonly authenticatedAt?: (payload: Claims) => number | null
  /** For how many seconds that proof is fresh enough for `stepUp`. Default 300. */
  readonly stepUpSeconds?: number
  /** By how many seconds the clocks may differ. Default 30, at most 300. */
  readonly clockSkewSeconds?: number
  /** For how many seconds the keys of the issuer are used before they are fetched again. Default 600. */
  readonly cacheSeconds?: number
  /** For how many seconds they are used if the issuer does not answer. Default 3600. */
  readonly staleSeconds?: number
  /** The shortest time between two fetches, for tokens with unknown keys. Default 30 seconds. */
  readonly refetchSeconds?: number
  /** For how many seconds a fetch of the keys may take. Default 5. */
  readonly deadlineSeconds?: number
  /** Fetches the keys. Default: the global `fetch`. */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>
  /** Returns the time. Default: the system's clock. */
  readonly now?: () => Date
}

/** Options of {@link jwks}. */
export interface JwksOptions extends TokenOptions {
  /** The claim `iss`, character by character; one of several if the issuer has several names. */
  readonly issuer: string | readonly string[]
  /**
   * The claim `aud` must contain it, or one of them. Null accepts every audience: only for an issuer whose
   * tokens name no audience, and whose keys sign for this application alone.
   */
  readonly audience: string | readonly string[] | null
  /** Where the keys are. Default: `.well-known/jwks.json` under the issuer. */
  readonly url?: string
  /** The one algorithm that is accepted. Default `RS256`. */
  readonly algorithm?: SignatureAlgorithm
  /** The claim `azp` must be one of them. Default: it is not checked. */
  readonly authorizedParties?: readonly string[]
  /** The header `typ`, if there is one, must be one of them. Default `JWT` and `at+jwt`. */
  readonly types?: readonly string[]
}

/** A source of identities: pass `authenticate` to the routes and `stepUp` to `identity`. */
export interface TokenIdentity {
  /**
   * Returns the caller of a request; null without a valid token.
   *
   * @throws {IdentityUnavailable} if the keys cannot be fetched.
   */
  readonly authenticate: (c: Context) => Promise<Principal | null>
  /** Accepts a token of the same user after a new sign-in. */
  readonly stepUp: StepUp
  /**
   * Verifies a token, and returns its claims or null.
   *
   * @throws {IdentityUnavailable} if the keys cannot be fetched.
   */
  readonly verify: (token: string) => Promise<Claims | null>
}

const NAMES = namesOf<JwksOptions>({
  issuer: true,
  audience: true,
  url: true,
  algorithm: true,
  authorizedParties: true,
  types: true,
  principal: true,
  token: true,
  authenticatedAt: true,
  stepUpSeconds: true,
  clockSkewSeconds: true,
  cacheSeconds: true,
  staleSeconds: true,
  refetchSeconds: true,
  deadlineSeconds: true,
  fetch: true,
  now: true,
})
const LONGEST_TOKEN = 16_384
const LARGEST_SKEW = 300

/**
 * Authenticates callers by signed tokens (JWT) of an issuer that publishes its keys. The algorithm is
 * fixed, keys come from `url` alone and never from a token, and the signature is verified with Web Crypto.
 * The keys are cached, so that a request needs no call to the issuer.
 *
 * A token is refused, which makes the request `unauthenticated`, if it is expired, not valid yet, of
 * another issuer, audience, party, type or algorithm, has an extension (`crit`) or is longer than 16 KiB.
 * A `stepUp` accepts a token of the same user whose last proof of identity is at most `stepUpSeconds` old.
 *
 * @throws {TypeError} if an option is invalid, or `url` is not `https:`; `http:` is for this machine.
 *
 * @example
 * ```ts
 * const { authenticate, stepUp } = jwks({
 *   issuer: 'https://id.example.com',
 *   audience: 'https://api.example.com',
 * })
 * const seatgate = createSeatgate({ …, identity: { stepUp } })
 * const app = new Hono().route('/', seatgateRouter(seatgate, { authenticate }))
 * ```
 */
export function jwks(options: JwksOptions): TokenIdentity {
  checkOptionNames('jwks', options, NAMES)
  const rules = rulesOf(options)
  const now = options.now ?? (() => new Date())
  const keys = new RemoteKeys({
    url: urlOf(options.url ?? standardUrl(rules.issuers)),
    algorithm: rules.algorithm,
    fetch: options.fetch ?? ((url, init) => fetch(url, init)),
    now,
    cacheSeconds: seconds('cacheSeconds', options.cacheSeconds, 600),
    staleSeconds: seconds('staleSeconds', options.staleSeconds, 3600),
    refetchSeconds: seconds('refetchSeconds', options.refetchSeconds, 30),
    deadlineSeconds: seconds('deadlineSeconds', options.deadlineSeconds, 5),
  })
  const { principal = userOf, token = bearerOf, authenticatedAt = authTimeOf } = options
  const freshSeconds = seconds('stepUpSeconds', options.stepUpSeconds, 300)
  const { verifying } = SCHEMES[rules.algorithm]

  async function verify(text: string): Promise<Claims | null> {
    const read = readToken(text, rules, now())
    if (read === null) return null
    for (const key of await keys.find(read.keyId)) {
      if (await crypto.subtle.verify(verifying, key, read.signature, read.signed)) {
        return read.payload
      }
    }
    return null
  }

  return {
    verify,
    async authenticate(c) {
      const text = token(c)
      const claims = text === null ? null : await verify(text)
      return claims && principal(claims)
    },
    async stepUp(userId, proof) {
      const claims = await verify(proof)
      const caller = claims && principal(claims)
      if (claims === null || caller === null || !('userId' in caller)) return false
      const at = authenticatedAt(claims)
      const age = at === null ? Infinity : now().getTime() / 1000 - at
      // An operator who acts as the user has not proven to be that user.
      return (
        caller.userId === userId &&
        caller.impersonatedBy === undefined &&
        age <= freshSeconds &&
        age >= -rules.clockSkewSeconds
      )
    },
  }
}

/** Returns the token of `Authorization: Bearer …`. */
export function bearerOf(c: Context): string | null {
  return /^Bearer +(\S+)$/i.exec(c.req.header('authorization') ?? '')?.[1] ?? null
}

function userOf({ sub }: Claims): Principal {
  return { userId: sub }
}

function authTimeOf({ auth_time: at }: Claims): number | null {
  return typeof at === 'number' ? at : null
}

function rulesOf(options: JwksOptions): TokenRules & { readonly algorithm: SignatureAlgorithm } {
  const { algorithm = 'RS256', types = ['JWT', 'at+jwt'], authorizedParties } = options
  if (!Object.hasOwn(SCHEMES, algorithm)) {
    throw wrong(`algorithm must be one of ${Object.keys(SCHEMES).join(', ')}.`)
  }
  const clockSkewSeconds = seconds('clockSkewSeconds', options.clockSkewSeconds, 30)
  if (clockSkewSeconds > LARGEST_SKEW)
    throw wrong(`clockSkewSeconds must be up to ${LARGEST_SKEW}.`)
  if (options.audience === undefined) {
    throw wrong('audience must be a text, a list of them, or null for tokens without one.')
  }
  for (const name of ['principal', 'token', 'authenticatedAt', 'fetch', 'now'] as const) {
    const value: unknown = options[name]
    if (value !== undefined && typeof value !== 'function')
      throw wrong(`${name} must be a function.`)
  }
  return {
    algorithm,
    issuers: texts('issuer', options.issuer),
    audiences: options.audience === null ? null : texts('audience', options.audience),
    authorizedParties:
      authorizedParties === undefined ? null : texts('authorizedParties', authorizedParties),
    types: texts('types', types).map(typeExpression),
    clockSkewSeconds,
    longestToken: LONGEST_TOKEN,
  }
}

// Media types are compared without regard to case, and `application/` may be left out (RFC 7515).
function typeExpression(type: string): RegExp {
  return new RegExp(`^(?:application/)?${type.replaceAll(/[^\w]/g, '\\$&')}$`, 'i')
}

function texts(name: string, given: unknown): readonly string[] {
  const list: readonly unknown[] = Array.isArray(given) ? given : [given]
  if (list.length > 0 && list.every((each) => typeof each === 'string' && each !== '')) {
    return list as readonly string[]
  }
  throw wrong(`${name} must be a text or a list of texts.`)
}

function seconds(name: string, given: number | undefined, otherwise: number): number {
  const value = given ?? otherwise
  if (Number.isFinite(value) && value >= 0) return value
  throw wrong(`${name} must be a number of seconds.`)
}

function standardUrl([issuer = '']: readonly string[]): string {
  return `${issuer.replace(/\/$/, '')}/.well-known/jwks.json`
}

function urlOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null
  const isHere = url?.hostname === 'localhost' || url?.hostname === '127.0.0.1'
  if (url?.protocol === 'https:' || (isHere && url?.protocol === 'http:')) return url.href
  throw wrong('url must begin with https://. By default it is made from the issuer.')
}

function wrong(what: string): TypeError {
  return new TypeError(`jwks: ${what}`)
}
