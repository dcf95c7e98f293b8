import type { Context } from 'hono'
import type { Caller } from '../scope.ts'

/**
 * Tells who is asking, in whatever way the host knows: a principal, a query that finds one in the
 * library's own round trip, or null for nobody.
 *
 * @example
 * ```ts
 * const authenticate: Authenticate = async (c) => {
 *   const claims = await verify(c.req.header('authorization'))
 *   return claims ? { userId: claims.sub } : null
 * }
 * ```
 */
export type Authenticate = (c: Context) => Caller | null | Promise<Caller | null>

/** @throws {TypeError} if it is not a function. */
export function checkAuthenticate(where: string, authenticate: unknown): void {
  if (typeof authenticate !== 'function') {
    throw new TypeError(`${where}: authenticate must be a function.`)
  }
}

/**
 * Cloudflare's own id of the request. Elsewhere a client may send the header: it is kept as a mark of
 * at most 64 characters, and nothing is decided on it.
 */
export function requestIdOf(c: Context): { readonly requestId?: string } {
  const requestId = c.req.header('cf-ray') ?? ''
  return /^[\w-]{1,64}$/.test(requestId) ? { requestId } : {}
}
