/**
 * The head that every group of routes has: it keeps answers out of caches, refuses what other sites send,
 * authenticates the caller, and answers errors as problems.
 *
 * @module
 */
import { Hono, type Env, type MiddlewareHandler } from 'hono'
import { checkOptionNames } from '../../base/names.ts'
import { storeRefusal } from '../../engine/changes/listed-refusals.ts'
import type { Seatgate } from '../../seatgate.ts'
import { checkAuthenticate, type Authenticate, type RouterEnv } from '../request.ts'
import { refuseCrossSite } from '../cross-site.ts'
import { requireWellEncoded } from '../request-body.ts'
import { RefusalException, noStore, problemResponse } from '../problem.ts'

/** Options of each group of routes. */
export interface RouteOptions {
  /** Tells who is asking. */
  readonly authenticate: Authenticate
  /**
   * Origins of other sites from which people may change things with their cookie: where your front end
   * is, if it is elsewhere. Put `hono/cors` in front of the routes too. Default: this origin alone.
   */
  readonly allowedOrigins?: readonly string[]
}

/**
 * Makes a group of routes for callers who are signed in; others get `unauthenticated`. Handlers find the
 * caller in `c.var.asking`.
 */
export function signedInRoutes(
  seatgate: Seatgate,
  options: RouteOptions,
  add: (routes: Hono<RouterEnv>) => void
): Hono<RouterEnv> {
  return group(seatgate, [...headOf(options), signedIn(options.authenticate)], add)
}

/** Makes a group of routes that authenticate by themselves, or need no caller. */
export function openRoutes<E extends Env>(
  seatgate: Seatgate,
  options: RouteOptions,
  add: (routes: Hono<E>) => void
): Hono<E> {
  return group(seatgate, headOf(options), add)
}

/** Sets `asking` to the caller, or refuses with `unauthenticated`. */
export function signedIn(authenticate: Authenticate): MiddlewareHandler<RouterEnv> {
  return async (c, next) => {
    const caller = await authenticate(c)
    if (caller === null) throw new RefusalException({ code: 'unauthenticated' })
    c.set('asking', caller)
    await next()
  }
}

/**
 * Checks the options of a group of routes.
 *
 * @throws {TypeError} if a name is unknown or `authenticate` is not a function.
 */
export function checkRouteOptions(
  where: string,
  options: RouteOptions,
  others: readonly string[] = []
): void {
  checkOptionNames(where, options, ['authenticate', 'allowedOrigins', ...others])
  checkAuthenticate(where, options.authenticate)
}

/**
 * Checks that callers can prove who they are.
 *
 * @throws {TypeError} if neither `verifyPassword` nor `stepUp` is configured.
 */
export function checkProof(where: string, { verifyPassword, stepUp }: Seatgate): void {
  if (verifyPassword !== null || stepUp !== null) return
  throw new TypeError(
    `${where}: createSeatgate needs identity.verifyPassword or identity.stepUp for it.`
  )
}

function headOf({ allowedOrigins = [] }: RouteOptions): readonly MiddlewareHandler[] {
  return [noStore, requireWellEncoded, refuseCrossSite({ allowedOrigins })]
}

// A middleware for `*` would also hold for the routes that a host mounts beside these.
function group<E extends Env>(
  seatgate: Seatgate,
  head: readonly MiddlewareHandler[],
  add: (routes: Hono<E>) => void
): Hono<E> {
  const routes = new Hono<E>()
  add(routes)
  const group = new Hono<E>()
  group.onError((error) => {
    if (error instanceof RefusalException) return error.getResponse()
    return problemResponse(storeRefusal(seatgate, error))
  })
  const places = new Map(routes.routes.map((route) => [`${route.method} ${route.path}`, route]))
  for (const { method, path } of places.values()) group.on(method, [path], ...head)
  group.route('/', routes)
  return group
}
