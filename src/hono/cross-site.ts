import { checkOptionNames, namesOf } from '../base/names.ts'
import type { Context, MiddlewareHandler } from 'hono'
import { halt, type RefusalHandler } from './problem.ts'

/** Options of {@link refuseCrossSite}. */
export interface CrossSiteOptions {
  /**
   * Origins of other sites, or of subdomains, that may send changes with a cookie, such as
   * `https://app.example.com`: those of your front end. Default: only this origin.
   */
  readonly allowedOrigins?: readonly string[]
  /**
   * The requests to check: those that a browser may have sent with credentials by itself (`"ambient"`,
   * default), or `"all"`, for routes that start a session.
   */
  readonly requests?: 'ambient' | 'all'
  /** Responds to refused requests. Default: `application/problem+json`. */
  readonly onRefusal?: RefusalHandler
}

const OPTIONS = namesOf<CrossSiteOptions>({
  allowedOrigins: true,
  requests: true,
  onRefusal: true,
})

/**
 * Refuses requests that another site's page makes with this site's cookie (CSRF). Checks every method but
 * GET, HEAD and OPTIONS, with any type of body; `hono/csrf` checks only forms.
 *
 * A browser states the origin of a request in `Sec-Fetch-Site`, and older ones in `Origin`: a page can
 * set neither. A request without both does not come from a browser, and passes. So does one with an
 * `Authorization` header that a page's script must have set (`Bearer …`): a browser sends a preflight
 * before it, which `hono/cors` answers. `Basic`, `Digest` and `Negotiate` do not count as such, because
 * browsers send them by themselves.
 *
 * Refusals: `cross_site_request`.
 *
 * @throws {TypeError} at set-up, if an option is invalid.
 *
 * @example
 * ```ts
 * app.use('/settings/*', refuseCrossSite({ allowedOrigins: ['https://app.example.com'] }))
 * ```
 */
export function refuseCrossSite(options: CrossSiteOptions = {}): MiddlewareHandler {
  checkOptionNames('refuseCrossSite', options, OPTIONS)
  const { allowedOrigins = [], requests = 'ambient', onRefusal } = options
  const allowed = new Set(checkedOrigins(allowedOrigins))
  return async function refuseCrossSite(c, next) {
    const concerned = requests === 'all' || isAmbient(c)
    if (concerned && !isSafe(c.req.method) && isForeign(c, allowed)) {
      return halt(c, { code: 'cross_site_request' }, onRefusal)
    }
    await next()
  }
}

/** @throws {TypeError} if an entry is not an origin. The message names it. */
function checkedOrigins(origins: readonly string[]): readonly string[] {
  if (!Array.isArray(origins)) throw new TypeError('allowedOrigins must be a list of origins.')
  for (const origin of origins as readonly unknown[]) {
    if (typeof origin !== 'string' || URL.parse(origin)?.origin !== origin) {
      throw new TypeError(
        `allowedOrigins: ${JSON.stringify(origin)} is not an origin such as "https://app.example.com".`
      )
    }
  }
  return origins
}

function isSafe(method: string): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS'
}

// Credentials that a browser sends by itself, so that a page of another site can use them without knowing
// them.
function isAmbient(c: Context): boolean {
  const scheme = c.req.header('authorization')?.trim().split(/\s/)[0]?.toLowerCase()
  if (scheme) return ['basic', 'digest', 'negotiate', 'ntlm'].includes(scheme)
  return c.req.header('cookie') !== undefined
}

function isForeign(c: Context, allowed: ReadonlySet<string>): boolean {
  const origin = c.req.header('origin')
  if (origin !== undefined && allowed.has(origin)) return false
  const site = c.req.header('sec-fetch-site')
  // Also correct if a proxy has changed the host of the request, so that the origins differ.
  if (site !== undefined) return site !== 'same-origin' && site !== 'none'
  return origin !== undefined && origin !== new URL(c.req.url).origin
}
