import type { Context } from 'hono'

/**
 * Returns the path if it is a safe target of a redirect on this site, or else `fallback`: it starts with
 * one slash, and has no backslash and no control character. Frameworks do not check this:
 * `/\evil.example` leaves the site.
 *
 * @example
 * ```ts
 * safeReturnPath('//evil.example', 'https://app.example') // '/'
 * ```
 */
export function safeReturnPath(path: unknown, origin: string, fallback = '/'): string {
  if (typeof path !== 'string' || !/^\/(?![/\\])[^\\\p{Cc}]*$/u.test(path)) return fallback
  const url = URL.parse(path, origin)
  // Its pathname may still start with two slashes: a leading `/./` disappears.
  if (url?.origin !== new URL(origin).origin || url.pathname.startsWith('//')) return fallback
  return `${url.pathname}${url.search}${url.hash}`
}

/**
 * Returns the path of this request, to come back to, or null. Null for methods other than GET and HEAD: a
 * browser comes back with a GET, and the target of a form often has no page.
 */
export function returnPathOf(c: Context, fallback = '/'): string | null {
  if (c.req.method !== 'GET' && c.req.method !== 'HEAD') return null
  const { origin, pathname, search } = new URL(c.req.url)
  return safeReturnPath(`${pathname}${search}`, origin, fallback)
}
