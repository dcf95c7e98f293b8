import type { Context } from 'hono'
import type { Caller, RequestMarks } from '../engine/access/principal.ts'

/**
 * Authenticates a request: returns a principal, a query that finds one in the library's own round trip,
 * or null for a request without an identity.
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
 * Reads the facts of a request for the audit trail; no decision depends on them. The id is Cloudflare's
 * own, or the client's `x-request-id`, marked as theirs (`client:`), or that of `hono/request-id`.
 * Outside Cloudflare any client can set the headers; their length is bounded.
 */
export function marksOfRequest(c: Context): RequestMarks {
  const ray = mark(c.req.header('cf-ray'))
  const named = mark(c.req.header('x-request-id'))
  const [, traceId] = TRACE.exec(c.req.header('traceparent') ?? '') ?? []
  const ipAddress = c.req.header('cf-connecting-ip')
  const userAgent = c.req.header('user-agent')
  const made: unknown = c.get('requestId')
  const requestId = ray ?? (named ? `client:${named}` : mark(made))
  return {
    ...(requestId && { requestId }),
    origin: {
      ...(traceId && { traceId }),
      ...(ipAddress && { ipAddress }),
      ...(userAgent && { userAgent }),
    },
  }
}

const TRACE = /^[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}/

function mark(header: unknown): string | undefined {
  return typeof header === 'string' && /^[\w-]{1,64}$/.test(header) ? header : undefined
}
