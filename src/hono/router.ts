import type { Hono } from 'hono'
import type { ExtractSchema, Schema } from 'hono/types'
import { hasForwarding, hasInvitations, hasJoining, hasLog } from './router-parts.ts'
import type { Seatgate } from '../seatgate.ts'
import { mountable } from './mountable.ts'
import type { RouterEnv } from './request.ts'
import {
  auditRoutes,
  forwardingRoutes,
  logRoutes,
  type AuditRoutes,
  type ForwardingRoutes,
  type LogRoutes,
} from './routes/audit-routes.ts'
import {
  invitationRoutes,
  type InvitationRouteOptions,
  type InvitationRoutes,
} from './routes/invitation-routes.ts'
import {
  inviteLinkRoutes,
  joiningRoutes,
  type InviteLinkRoutes,
  type JoiningRoutes,
} from './routes/joining-routes.ts'
import { memberRoutes, type MemberRoutes } from './routes/member-routes.ts'
import { billingRoutes, type BillingRoutes } from './routes/billing-routes.ts'
import { operatorRoutes, type OperatorRoutes } from './routes/operator-routes.ts'
import {
  organizationRoutes,
  seatRoutes,
  type OrganizationRouteOptions,
  type OrganizationRoutes,
  type SeatRoutes,
} from './routes/organization-routes.ts'
import { checkProof, checkRouteOptions } from './routes/route-group.ts'
import { sessionRoutes, type SessionRoutes } from './routes/session-routes.ts'
import { userRoutes, type UserRoutes } from './routes/user-routes.ts'

/** Options of {@link seatgateRouter}. */
export interface RouterOptions extends OrganizationRouteOptions, InvitationRouteOptions {}

/**
 * The groups of routes that every configuration has. That of users is in the type either way: without `onDelete`
 * a request gets the response of a missing route.
 */
type Always =
  | SessionRoutes
  | OrganizationRoutes
  | MemberRoutes
  | UserRoutes
  | SeatRoutes
  | BillingRoutes
  | AuditRoutes
  | OperatorRoutes

/** The groups of the parts that a configuration has. */
type OfParts<S extends Seatgate> =
  | IfPassed<S['invitations'], InvitationRoutes>
  | IfPassed<S['joining'], JoiningRoutes | InviteLinkRoutes>
  | IfPassed<S['log'], LogRoutes>
  | IfPassed<S['forwarding'], ForwardingRoutes>

// A part that is perhaps passed has its routes in the type.
type IfPassed<Part, Routes> = [Part] extends [null] ? never : Routes

/**
 * The routes of {@link seatgateRouter}, with the input, the response and the refusals of each: for `hc`
 * of `hono/client` and for `seatgate/client`. A part that is not passed is not in the type.
 */
export type SeatgateRouter<S extends Seatgate = Seatgate> =
  ExtractSchema<Always | OfParts<S>> extends infer Routes extends Schema
    ? Hono<RouterEnv, Routes>
    : never

/**
 * Creates the ready routes: organizations, members, seats, the active organization and the audit trail.
 * Refusals are `application/problem+json`. Every POST takes an `Idempotency-Key`, except
 * `/organizations/switch` and, of those for invited users, `view`, `decline` and `accept-with-signup`.
 *
 * The routes of invitations, joining, forwarding and the log are there if the part is passed, those of
 * invite links if `joinRules` has `links`,
 * `DELETE /users/me` if `hooks.onDelete` is. Routes under `/operator/` are for operators alone.
 *
 * Bodies are `application/json`. A request that another site's page makes with a cookie is refused, see
 * `refuseCrossSite`. Responses are not cached.
 *
 * It is made of {@link organizationRoutes}, {@link memberRoutes}, {@link userRoutes}, {@link seatRoutes},
 * {@link sessionRoutes}, {@link invitationRoutes}, {@link joiningRoutes}, {@link inviteLinkRoutes}, {@link auditRoutes},
 * {@link logRoutes}, {@link forwardingRoutes} and {@link operatorRoutes}; each can be mounted by itself.
 *
 * @throws {TypeError} if `authenticate` is not a function, if `allowedOrigins` has an entry that is not
 *   an origin, or if neither `verifyPassword` nor `stepUp` is configured, which changing a slug and
 *   deleting need.
 *
 * @example
 * ```ts
 * const app = new Hono().route('/', seatgateRouter(seatgate, { authenticate }))
 * ```
 */
export function seatgateRouter<S extends Seatgate>(
  seatgate: S,
  options: RouterOptions
): SeatgateRouter<S> {
  checkRouteOptions('seatgateRouter', options, ['signIn', 'mfaCheck'])
  checkProof('seatgateRouter', seatgate)
  const { signIn, mfaCheck, ...shared } = options
  const router = mountable<RouterEnv>()
  router.route('/', sessionRoutes(seatgate, shared))
  if (hasInvitations(seatgate)) {
    router.route('/', invitationRoutes(seatgate, { ...shared, ...(signIn && { signIn }) }))
  }
  router.route('/', organizationRoutes(seatgate, { ...shared, ...(mfaCheck && { mfaCheck }) }))
  router.route('/', memberRoutes(seatgate, shared))
  if (seatgate.lifecycle.onDelete) router.route('/', userRoutes(seatgate, shared))
  if (hasJoining(seatgate)) {
    router.route('/', joiningRoutes(seatgate, shared))
    if (seatgate.joining.links) router.route('/', inviteLinkRoutes(seatgate, shared))
  }
  router.route('/', seatRoutes(seatgate, shared))
  router.route('/', billingRoutes(seatgate, shared))
  router.route('/', auditRoutes(seatgate, shared))
  if (hasLog(seatgate)) router.route('/', logRoutes(seatgate, shared))
  if (hasForwarding(seatgate)) router.route('/', forwardingRoutes(seatgate, shared))
  router.route('/', operatorRoutes(seatgate, shared))
  return router as unknown as SeatgateRouter<S>
}
