import { Hono, type Handler, type MiddlewareHandler } from 'hono'
import { csrf } from 'hono/csrf'
import type { Result } from '../base/result.ts'
import { storeRefusal } from '../engine/changes/operation-refusals.ts'
import { refuseCrossSite } from '../hono/cross-site.ts'
import { loadOrganizationFromSlug } from '../hono/load-organization-from-slug.ts'
import { RefusalException } from '../hono/problem.ts'
import { requireWellEncoded } from '../hono/request-body.ts'
import { signedIn } from '../hono/routes/route-group.ts'
import { showRefusal } from './layout.tsx'
import type { TextKey } from './texts/en.ts'
import {
  afterAct,
  findWords,
  readFields,
  type Console,
  type ConsoleEnv,
  type Fields,
  type Visit,
} from './visit.ts'

/** No script, style or frame of another origin, and no script or style in the page itself. */
const POLICY = [
  `default-src 'none'`,
  `script-src 'self'`,
  `style-src 'self'`,
  `img-src 'self' data:`,
  `connect-src 'self'`,
  `worker-src 'self'`,
  `form-action 'self'`,
  `base-uri 'none'`,
  `frame-ancestors 'none'`,
].join('; ')

const headers: MiddlewareHandler = async (c, next) => {
  await next()
  c.res.headers.set('content-security-policy', POLICY)
  c.res.headers.set('cache-control', 'no-store')
  c.res.headers.set('referrer-policy', 'same-origin')
  c.res.headers.set('x-content-type-options', 'nosniff')
}

type Act = (c: Visit, fields: Fields) => Promise<Result<unknown>>

/** The pages and forms of a console. */
export interface Routes {
  /** A page of an organization; its middleware has loaded it for the caller. */
  page(path: string, handler: Handler<ConsoleEnv>): void
  /** A page for a signed-in caller. */
  signedIn(path: string, handler: Handler<ConsoleEnv>): void
  /** A form of a signed-in caller. */
  form(path: string, handler: Handler<ConsoleEnv>): void
  /** A form whose act ends on a page that shows the outcome. */
  act(path: string, to: (c: Visit) => string, done: TextKey, act: Act): void
  /** A form of a signed-in caller, about an organization that is loaded for them. */
  organizationForm(path: string, handler: Handler<ConsoleEnv>): void
  /** A page, or a form, without a session. */
  open(method: 'GET' | 'POST', path: string, handler: Handler<ConsoleEnv>): void
}

/** Makes the routes of a console. */
export function consoleRoutes(setup: Console, add: (routes: Routes) => void): Hono<ConsoleEnv> {
  const { seatgate, options } = setup
  const { authenticate } = options
  const app = new Hono<ConsoleEnv>()
  const head = [headers, findWords(setup), requireWellEncoded]
  // Also a form that needs no session: to sign a person in as another is an attack without any cookie.
  const guarded = [...head, csrf(), refuseCrossSite({ requests: 'all' })]
  const known = signedIn(authenticate) as unknown as MiddlewareHandler<ConsoleEnv>
  const load = loadOrganizationFromSlug(seatgate, { authenticate: (c) => c.get('asking') })
  const form: Routes['form'] = (path, handler) => app.on('POST', [path], ...guarded, known, handler)
  add({
    page: (path, handler) => app.on('GET', [path], ...head, known, load, handler),
    signedIn: (path, handler) => app.on('GET', [path], ...head, known, handler),
    form,
    act: (path, to, done, act) =>
      form(path, async (c) => afterAct(c, await act(c, await readFields(c)), to(c), done)),
    organizationForm: (path, handler) => app.on('POST', [path], ...guarded, known, load, handler),
    open: (method, path, handler) =>
      app.on(method, [path], ...(method === 'POST' ? guarded : head), handler),
  })
  // The headers of a page are added to its response.
  app.onError((error, c) => showRefusal(setup, c, refusalFor(setup, error)))
  return app
}

function refusalFor({ seatgate }: Console, error: Error) {
  if (error instanceof RefusalException) return error.refusal
  // The exception of `hono/csrf`.
  if ('getResponse' in error) return { code: 'cross_site_request' } as const
  return storeRefusal(seatgate, error)
}
