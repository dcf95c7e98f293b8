import type { Context } from 'hono'

/**
 * A path on this site that it is safe to send somebody to, or `fallback`: it starts with one slash,
 * has no backslash and no control character, and leads nowhere else. Frameworks do not check that:
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
  // Its pathname may still start with two slashes: `/./` in front of one disappears.
  if (url?.origin !== new URL(origin).origin || url.pathname.startsWith('//')) return fallback
  return `${url.pathname}${url.search}${url.hash}`
}

/**
 * Where this request was going, to come back to, or null. Null for methods other than GET and HEAD: a
 * browser comes back with a GET, and the path of a form's target often has no page.
 */
export function returnPathOf(c: Context, fallback = '/'): string | null {
  if (c.req.method !== 'GET' && c.req.method !== 'HEAD') return null
  const { origin, pathname, search } = new URL(c.req.url)
  return safeReturnPath(`${pathname}${search}`, origin, fallback)
}
