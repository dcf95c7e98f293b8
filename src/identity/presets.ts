/**
 * Issuers whose tokens differ in their names, places and claims: {@link jwks} with their settings.
 *
 * @module
 */
import type { Context } from 'hono'
import { getCookie } from 'hono/cookie'
import type { Principal } from '../engine/access/principal.ts'
import { bearerOf, jwks, type TokenIdentity, type TokenOptions } from './jwks.ts'
import type { Claims } from './jwt.ts'
import type { SignatureAlgorithm } from './remote-keys.ts'

/** Options of {@link clerk}. */
export interface ClerkOptions extends TokenOptions {
  /** The Frontend API URL of the instance, such as `https://clerk.example.com`. */
  readonly issuer: string
  /** The origins that may have asked for a token: the claim `azp`. */
  readonly authorizedParties: readonly string[]
}

/**
 * Authenticates callers by the session tokens of Clerk, in `Authorization` or in the cookie `__session`. A
 * session with a pending task is not signed in. The proof for `stepUp` is a session token whose first
 * factor was verified in the last minutes (the claim `fva`).
 *
 * @throws {TypeError} if an option is invalid.
 *
 * @example
 * ```ts
 * const { authenticate, stepUp } = clerk({
 *   issuer: 'https://clerk.example.com',
 *   authorizedParties: ['https://app.example.com'],
 * })
 * ```
 */
export function clerk({ issuer, authorizedParties, ...options }: ClerkOptions): TokenIdentity {
  return jwks({
    principal: (claims) => (claims['sts'] === 'pending' ? null : actingUser(claims)),
    token: (c) => bearerOf(c) ?? getCookie(c, '__session') ?? null,
    authenticatedAt: firstFactorOf,
    ...options,
    issuer,
    audience: null,
    authorizedParties,
  })
}

// In minutes at the time of the token; -1 for a factor that was never verified.
function firstFactorOf({ fva, iat }: Claims): number | null {
  const minutes: unknown = Array.isArray(fva) ? fva[0] : null
  if (typeof minutes !== 'number' || typeof iat !== 'number' || minutes < 0) return null
  return iat - minutes * 60
}

/** Options of {@link auth0}. */
export interface Auth0Options extends TokenOptions {
  /** The domain of the tenant, such as `acme.eu.auth0.com`, or its custom domain. */
  readonly domain: string
  /** The identifier of the API. */
  readonly audience: string | readonly string[]
}

/**
 * Authenticates callers by the access tokens of Auth0 for one API. A token of a machine
 * (`client-credentials`) is no user; pass `principal` to map it to a service account.
 *
 * @throws {TypeError} if an option is invalid.
 *
 * @example
 * ```ts
 * const { authenticate, stepUp } = auth0({ domain: 'acme.eu.auth0.com', audience: 'https://api.example.com' })
 * ```
 */
export function auth0({ domain, audience, ...options }: Auth0Options): TokenIdentity {
  return jwks({
    principal: (claims) =>
      claims['gty'] === 'client-credentials' || claims.sub.endsWith('@clients')
        ? null
        : { userId: claims.sub },
    ...options,
    issuer: `https://${domain}/`,
    audience,
  })
}

/** Options of {@link workos}. */
export interface WorkosOptions extends TokenOptions {
  /** The client id, such as `client_01H…`. Its keys sign for this application alone. */
  readonly clientId: string
  /** The issuer, if you use a custom domain. Default: those of `api.workos.com`. */
  readonly issuer?: string
}

/**
 * Authenticates callers by the access tokens of WorkOS AuthKit. A token of an impersonation (the claim
 * `act`) names the operator. The tokens do not say when the user signed in: for proofs of identity pass
 * `authenticatedAt`, or another `stepUp`.
 *
 * @throws {TypeError} if an option is invalid.
 *
 * @example
 * ```ts
 * const { authenticate } = workos({ clientId: 'client_01HXYZ' })
 * ```
 */
export function workos({ clientId, issuer, ...options }: WorkosOptions): TokenIdentity {
  const api = 'https://api.workos.com'
  return jwks({
    principal: actingUser,
    ...options,
    issuer: issuer ?? [api, `${api}/`, `${api}/user_management/${clientId}`],
    url: `${api}/sso/jwks/${clientId}`,
    audience: null,
  })
}

/** Options of {@link supabase}. */
export interface SupabaseOptions extends TokenOptions {
  /** The URL of the project, such as `https://abcdef.supabase.co`. */
  readonly url: string
  /** The algorithm of the project's signing key. Default `ES256`. */
  readonly algorithm?: SignatureAlgorithm
}

/**
 * Authenticates callers by the access tokens of Supabase Auth. The project needs an asymmetric signing
 * key. An anonymous sign-in is no user. The proof for `stepUp` is a token of a session whose last sign-in
 * (the claim `amr`) was in the last minutes.
 *
 * @throws {TypeError} if an option is invalid.
 *
 * @example
 * ```ts
 * const { authenticate, stepUp } = supabase({ url: 'https://abcdef.supabase.co' })
 * ```
 */
export function supabase({ url, algorithm = 'ES256', ...options }: SupabaseOptions): TokenIdentity {
  return jwks({
    principal: (claims) => (claims['is_anonymous'] === true ? null : { userId: claims.sub }),
    authenticatedAt: lastMethodOf,
    ...options,
    algorithm,
    issuer: `${url.replace(/\/$/, '')}/auth/v1`,
    audience: 'authenticated',
  })
}

// A token that was refreshed, and an anonymous sign-in, prove no identity.
function lastMethodOf({ amr }: Claims): number | null {
  const methods: readonly unknown[] = Array.isArray(amr) ? amr : []
  const times = methods.flatMap((entry) => {
    if (typeof entry !== 'object' || entry === null) return []
    const { method, timestamp } = entry as {
      readonly method?: unknown
      readonly timestamp?: unknown
    }
    const isProof = method !== 'token_refresh' && method !== 'anonymous'
    return isProof && typeof timestamp === 'number' ? [timestamp] : []
  })
  return times.length === 0 ? null : Math.max(...times)
}

/** Options of {@link cloudflareAccess}. */
export interface CloudflareAccessOptions extends TokenOptions {
  /** The name of the team: `acme` of `acme.cloudflareaccess.com`. */
  readonly team: string
  /** The AUD tag of the application, or of several. */
  readonly audience: string | readonly string[]
}

/**
 * Authenticates callers by Cloudflare Access, which stands in front of the Worker and sends its token in
 * `Cf-Access-Jwt-Assertion`. A service token is no user; pass `principal` to map it by its `common_name`.
 *
 * @throws {TypeError} if an option is invalid.
 *
 * @example
 * ```ts
 * const { authenticate } = cloudflareAccess({ team: 'acme', audience: env.ACCESS_AUD })
 * ```
 */
export function cloudflareAccess({
  team,
  audience,
  ...options
}: CloudflareAccessOptions): TokenIdentity {
  const issuer = `https://${team}.cloudflareaccess.com`
  return jwks({
    token: (c: Context) => c.req.header('cf-access-jwt-assertion') ?? null,
    ...options,
    issuer,
    url: `${issuer}/cdn-cgi/access/certs`,
    audience,
  })
}

function actingUser({ sub, act }: Claims): Principal {
  const actor: unknown = typeof act === 'object' && act !== null && 'sub' in act ? act.sub : null
  return { userId: sub, ...(typeof actor === 'string' && { impersonatedBy: actor }) }
}
