import type { MiddlewareHandler } from 'hono'

/**
 * Keeps answers out of caches, shared ones and the browser's: they are about one person, and some have a
 * token. An answer with a `Cache-Control` of its own keeps it.
 */
export const noStore: MiddlewareHandler = async (c, next) => {
  await next()
  if (!c.res.headers.has('cache-control')) c.res.headers.set('cache-control', 'no-store')
}
