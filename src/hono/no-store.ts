import type { MiddlewareHandler } from 'hono'

/**
 * Prevents caching of responses, in shared caches and the browser: they are about one user, and some
 * contain a token. A response with its own `Cache-Control` keeps it.
 */
export const noStore: MiddlewareHandler = async (c, next) => {
  await next()
  if (!c.res.headers.has('cache-control')) c.res.headers.set('cache-control', 'no-store')
}
