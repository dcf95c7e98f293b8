import { checkOptionNames, namesOf } from '../base/names.ts'
import type { Context } from 'hono'
import type { Refusal } from '../base/result.ts'
import { headersOf, statusOf, titleOf, type RefusalHandler } from './problem.ts'

/** The pages that a browser is redirected to. */
export interface PageRefusalsOptions {
  /** Default `/login`. */
  readonly loginPath?: string
  /** The page to choose an organization. Default `/organizations`. */
  readonly organizationsPath?: string
  /** The page to prove one's identity again. Default `/users/sudo`. */
  readonly sudoPath?: string
}

const OPTIONS = namesOf<PageRefusalsOptions>({
  loginPath: true,
  organizationsPath: true,
  sudoPath: true,
})

/**
 * Responds to refusals with pages: redirects to the page that resolves the refusal, with `return_to` to
 * come back (only after GET and HEAD), and shows other refusals in plain words with their status.
 *
 * @example
 * ```ts
 * const onRefusal = pageRefusals({ loginPath: '/sign-in' })
 * app.use('/o/:org/*', loadOrganizationFromSlug(seatgate, { authenticate, onRefusal }))
 * ```
 */
export function pageRefusals(options: PageRefusalsOptions = {}): RefusalHandler {
  checkOptionNames('pageRefusals', options, OPTIONS)
  const {
    loginPath = '/login',
    organizationsPath = '/organizations',
    sudoPath = '/users/sudo',
  } = options
  return function pageRefusal(c, refusal) {
    switch (refusal.code) {
      case 'unauthenticated':
      case 'no_session':
      case 'no_scope':
        return send(c, loginPath, comingBack(c))
      case 'no_active_organization':
        return send(c, organizationsPath, { notice: refusal.code })
      case 'org_mfa_required':
        return send(c, refusal.enrollmentPath, { return_to: refusal.returnTo })
      case 'stale_sudo':
        return send(c, sudoPath, comingBack(c))
      default: {
        return c.text(wordsFor(refusal), statusOf(refusal.code), headersOf(refusal))
      }
    }
  }
}

function comingBack(c: Context): Record<string, string> {
  const path = returnPathOf(c)
  return path === null ? {} : { return_to: path }
}

function send(c: Context, path: string, parameters: Record<string, string>): Response {
  const query = new URLSearchParams(parameters).toString()
  const mark = query === '' ? '' : path.includes('?') ? '&' : '?'
  c.header('cache-control', 'no-store')
  // 303, so that a browser that posted shows the page and does not post again.
  return c.redirect(`${path}${mark}${query}`, 303)
}

function wordsFor(refusal: Refusal): string {
  const title = `${titleOf(refusal.code)}.`
  switch (refusal.code) {
    case 'seat_limit_reached':
      return `${title} ${refusal.used} of ${refusal.limit} are in use.`
    case 'owned_limit_reached':
    case 'membership_limit_reached':
      return `${title} The limit is ${refusal.limit}.`
    case 'validation_error':
      return [
        title,
        ...Object.entries(refusal.errors).map(([field, say]) => `${field}: ${say.join(' ')}`),
      ].join('\n')
    case 'hook_refused':
      return `${title} ${refusal.detail ?? refusal.reason}`
    default:
      return title
  }
}

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
