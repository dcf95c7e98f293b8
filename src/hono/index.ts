/**
 * Seatgate for Hono: middleware, guards and the ready routes. `seatgate/hono`
 *
 * @module
 */
export { loadActiveOrganization, putActiveOrganization } from './load-active-organization.ts'
export type { LoadOptions } from './load-active-organization.ts'
export { loadOrganizationFromSlug } from './load-organization-from-slug.ts'
export type { SlugOptions } from './load-organization-from-slug.ts'
export {
  requireMembership,
  requireOperator,
  requireOrganizationMfa,
  requireRole,
  requireSudo,
} from './guards.ts'
export type {
  RequireMembershipOptions,
  RequireMfaOptions,
  RequireOperatorOptions,
  RequireSudoOptions,
} from './guards.ts'
export { can, requirePermission } from './permission-guards.ts'
export type { RequirePermissionOptions, WithPermissions } from './permission-guards.ts'
export type {
  OrganizationEnv,
  OrganizationVariables,
  ScopeEnv,
  ScopeVariables,
  RouterEnv,
  Authenticate,
} from './request.ts'
export { requireAdminScope, requireStepUp } from './admin-guards.ts'
export type { AdminGuardOptions } from './admin-guards.ts'
export { hostAdapter, HostAdapterError, OPERATOR_ACTIONS } from './host-adapter.ts'
export type {
  Host,
  HostAdapter,
  HostAdapterCode,
  HostAdapterOptions,
  OperatorAction,
  StepUpAnswer,
  StepUpChallenge,
} from './host-adapter.ts'
export { endStepUp } from '../operations/sessions/step-up.ts'
export { seatgateRouter } from './router.ts'
export type { RouterOptions, SeatgateRouter } from './router.ts'
export { organizationRoutes, seatRoutes } from './routes/organization-routes.ts'
export type {
  OrganizationRouteOptions,
  OrganizationRoutes,
  SeatRoutes,
} from './routes/organization-routes.ts'
export { memberRoutes } from './routes/member-routes.ts'
export type { MemberRoutes } from './routes/member-routes.ts'
export { userRoutes } from './routes/user-routes.ts'
export type { UserRoutes } from './routes/user-routes.ts'
export { sessionRoutes } from './routes/session-routes.ts'
export type { SessionRoutes } from './routes/session-routes.ts'
export { invitationRoutes } from './routes/invitation-routes.ts'
export type {
  InvitationRouteOptions,
  InvitationRoutes,
  SignIn,
} from './routes/invitation-routes.ts'
export { inviteLinkRoutes, joiningRoutes } from './routes/joining-routes.ts'
export type { JoiningRoutes } from './routes/joining-routes.ts'
export { auditRoutes, forwardingRoutes, logRoutes } from './routes/audit-routes.ts'
export type { AuditRoutes, ForwardingRoutes, LogRoutes } from './routes/audit-routes.ts'
export { billingRoutes } from './routes/billing-routes.ts'
export type { BillingRoutes } from './routes/billing-routes.ts'
export { billingWebhooks, paymentRoutes } from './routes/payment-routes.ts'
export { stepUpRoutes } from './routes/step-up-routes.ts'
export type { StepUpRoutes } from './routes/step-up-routes.ts'
export type { BillingWebhooks, PaymentRoutes } from './routes/payment-routes.ts'
export { openapiRoutes } from './routes/openapi-routes.ts'
export { operatorRoutes } from './routes/operator-routes.ts'
export type { OperatorRoutes } from './routes/operator-routes.ts'
export type { RouteOptions } from './routes/route-group.ts'
export { pageRefusals, safeReturnPath } from './page-refusals.ts'
export type { PageRefusalsOptions } from './page-refusals.ts'
export { refuseCrossSite } from './cross-site.ts'
export type { CrossSiteOptions } from './cross-site.ts'
export { problemResponse, RefusalException, statusOf } from './problem.ts'
export type { RefusalHandler, StatusOf } from './problem.ts'
export type { Problem, ProblemResponse } from './typed-response.ts'
