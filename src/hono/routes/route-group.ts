/**
 * The head that every group of routes has: it keeps answers out of caches, refuses what other sites send,
 * authenticates the caller, and answers errors as problems.
 *
 * @module
 */
import { Hono, type Context, type Env, type MiddlewareHandler } from 'hono'
import { checkOptionNames } from '../../base/names.ts'
import { latestBookmark, notingBookmarks, readingReplica } from '../../database/replica.ts'
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
  /**
   * Where lists are read. `replica`: lists of organizations, members, invitations, join requests and audit
   * events come from a replica of D1, if its read replication is on; access and every change are decided on
   * the primary. Responses have a header `x-seatgate-bookmark`: a request that sends it back reads a list
   * that has everything up to then. Default `primary`.
   */
  readonly reads?: 'primary' | 'replica'
}

/** The header by which a client hands back the state that it has seen. */
const BOOKMARK = 'x-seatgate-bookmark'

/**
 * Returns the configuration as the routes use it: with `reads: 'replica'` it notes bookmarks.
 *
 * @throws {TypeError} if `reads` is another text, or the database has no `withSession`.
 */
export function configuredReads<S extends Seatgate>(
  seatgate: S,
  { reads = 'primary' }: RouteOptions
): S {
  if (reads === 'primary') return seatgate
  if (reads !== 'replica') throw new TypeError('reads: Must be "primary" or "replica".')
  return notingBookmarks(seatgate)
}

/** Returns the configuration for a list: one that reads a replica, if that is configured. */
export function forList<S extends Seatgate>(c: Context<RouterEnv>, seatgate: S): S {
  if (!c.var.readsReplica) return seatgate
  const reads = readingReplica(seatgate, c.req.header(BOOKMARK))
  c.set('bookmarkRead', () => reads.bookmark())
  return reads.seatgate
}

// A change has the latest bookmark that was noted, a list that of its replica.
function bookmarks(seatgate: Seatgate): MiddlewareHandler<RouterEnv> {
  return async (c, next) => {
    c.set('readsReplica', true)
    await next()
    const isRead = c.req.method === 'GET' || c.req.method === 'HEAD'
    const bookmark = isRead ? c.var.bookmarkRead?.() : latestBookmark(seatgate)
    if (bookmark) c.res.headers.set(BOOKMARK, bookmark)
  }
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
  return group(seatgate, [...headOf(seatgate, options), signedIn(options.authenticate)], add)
}

/** Makes a group of routes that authenticate by themselves, or need no caller. */
export function openRoutes<E extends Env>(
  seatgate: Seatgate,
  options: RouteOptions,
  add: (routes: Hono<E>) => void
): Hono<E> {
  return group(seatgate, headOf(seatgate, options), add)
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
  checkOptionNames(where, options, ['authenticate', 'allowedOrigins', 'reads', ...others])
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

function headOf(
  seatgate: Seatgate,
  { allowedOrigins = [], reads }: RouteOptions
): readonly MiddlewareHandler[] {
  const head = [noStore, requireWellEncoded, refuseCrossSite({ allowedOrigins })]
  return reads === 'replica' ? [...head, bookmarks(seatgate)] : head
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
