/**
 * The head that every group of routes has: it keeps answers out of caches, refuses what other sites send,
 * authenticates the caller, and answers errors as problems.
 *
 * @module
 */
import type { Context, Hono, MiddlewareHandler } from 'hono'
import type { HonoBase } from 'hono/hono-base'
import type { ExtractSchema, Schema } from 'hono/types'
import { checkOptionNames } from '../../base/names.ts'
import { latestBookmark, notingBookmarks, readingReplica } from '../../database/replica.ts'
import { storeRefusal } from '../../engine/changes/operation-refusals.ts'
import type { RefusalCode } from '../../base/result.ts'
import type { Seatgate } from '../../seatgate.ts'
import { mountable } from '../mountable.ts'
import { checkAuthenticate, type Authenticate, type RouterEnv } from '../request.ts'
import type { Grouped } from '../typed-response.ts'
import { refuseCrossSite } from '../cross-site.ts'
import { requireWellEncoded } from '../request-body.ts'
import { RefusalException, noStore, problemResponse } from '../problem.ts'

/** Options of each group of routes. */
export interface RouteOptions {
  /** Identifies the caller of a request. */
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
function configuredReads<S extends Seatgate>(seatgate: S, { reads = 'primary' }: RouteOptions): S {
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

/** The routes that a group is made of. */
export type Routes = Hono<RouterEnv>

/** Adds the routes of a group; their handlers find the caller in `c.var.asking`. */
type Add<G, O> = (
  // oxlint-disable-next-line typescript/no-explicit-any -- Of any environment: the routes make their own.
  routes: Hono<any>,
  seatgate: G,
  options: O
  // oxlint-disable-next-line typescript/no-explicit-any
) => HonoBase<any, any>

/** The group of routes for signed-in callers that a function adds: its type for clients. */
export type GroupOf<Adds extends AnyAdd> = GroupWith<Adds, 'unauthenticated'>

/** The group of routes that a function adds, and that authenticate by themselves. */
export type OpenGroupOf<Adds extends AnyAdd> = GroupWith<Adds, never>

type AnyAdd = (...parameters: never) => unknown

type GroupWith<Adds extends AnyAdd, Head extends RefusalCode> =
  ReturnType<Adds> extends HonoBase<infer E, Schema>
    ? ExtractSchema<ReturnType<Adds>> extends infer S extends Schema
      ? Hono<E, Grouped<S, Head>>
      : never
    : never

/**
 * Makes a group of routes for signed-in callers; others get `unauthenticated`.
 *
 * @throws {TypeError} if an option is wrong.
 */
export function signedInRoutes<G extends Seatgate, O extends RouteOptions, Adds extends Add<G, O>>(
  where: string,
  seatgate: G,
  options: O,
  add: Adds,
  others?: readonly string[]
): GroupOf<Adds> {
  const head = [signedIn(options.authenticate)]
  return openRoutes(where, seatgate, options, add, others, head)
}

/**
 * Makes a group of routes that authenticate by themselves, or need no caller.
 *
 * @throws {TypeError} if an option is wrong.
 */
export function openRoutes<G extends Seatgate, O extends RouteOptions, Adds extends Add<G, O>>(
  where: string,
  given: G,
  options: O,
  add: Adds,
  others?: readonly string[],
  further: readonly MiddlewareHandler[] = []
): OpenGroupOf<Adds> {
  checkRouteOptions(where, options, others)
  const seatgate = configuredReads(given, options)
  const head = [...headOf(seatgate, options), ...further]
  const routes = add(mountable(), seatgate, options)
  const group = mountable()
  group.onError((error) => {
    if (error instanceof RefusalException) return error.getResponse()
    return problemResponse(storeRefusal(seatgate, error))
  })
  const places = new Map(routes.routes.map((route) => [`${route.method} ${route.path}`, route]))
  // A middleware for `*` would also hold for the routes that a host mounts beside these.
  for (const { method, path } of places.values()) group.on(method, [path], ...head)
  group.route('/', routes)
  return group as unknown as OpenGroupOf<Adds>
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
