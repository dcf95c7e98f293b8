import type { Context } from 'hono'
import { refused, ok, type Result } from '../result.ts'
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

export async function callerOf(authenticate: Authenticate, c: Context): Promise<Result<Caller>> {
  const caller = await authenticate(c)
  return caller === null ? refused({ code: 'unauthenticated' }) : ok(caller)
}
