/**
 * The tables of Seatgate with their columns, as statements use them. Each area has a file of its own, and a
 * table is built when a bundle uses it. `schema.ts` adds what only creates tables.
 *
 * @module
 */
export {
  organizations,
  memberships,
  slugAliases,
  memberCounts,
} from './schema/organizations-tables.ts'
export type { OrganizationRow, MembershipRow } from './schema/organizations-tables.ts'
export {
  entitlements,
  seatChecks,
  seatLedgers,
  seatFences,
  seatTypeCounts,
} from './schema/seats-tables.ts'
export { auditEvents, auditLookups, auditPersonal, auditOutbox } from './schema/audit-tables.ts'
export type { AuditEventRow } from './schema/audit-tables.ts'
export {
  auditNodes,
  auditCheckpoints,
  auditPublished,
  auditPurges,
  auditSegments,
  auditCarriedSeats,
  auditRetention,
} from './schema/log-tables.ts'
export { sinkCursors, sinkDeadLetters, sinkAttempts } from './schema/forwarding-tables.ts'
export type { PassedOver } from './schema/forwarding-tables.ts'
export { invitations } from './schema/invitations-tables.ts'
export type { InvitationRow } from './schema/invitations-tables.ts'
export {
  organizationDomains,
  joinRequests,
  exclusions,
  inviteLinks,
} from './schema/joining-tables.ts'
export type { DomainRow, JoinRequestRow, ExclusionRow } from './schema/joining-tables.ts'
export {
  guards,
  operations,
  jobs,
  rateLimits,
  rotations,
  schemaVersion,
} from './schema/changes-tables.ts'
export { sessions, stepUps } from './schema/sessions-tables.ts'
export { entitlementOverrides, subscriptions, entitlementStates } from './schema/billing-tables.ts'
export type { SubscriptionRow, OverrideRow, EntitlementStateRow } from './schema/billing-tables.ts'
export {
  billingCustomers,
  billingHandlers,
  billingInbox,
  billingUsers,
} from './schema/billing-inbox-tables.ts'
export type {
  BillingCustomerRow,
  BillingHandlerRow,
  BillingInboxRow,
  BillingUserRow,
} from './schema/billing-inbox-tables.ts'
export { scimTokens, scimUsers } from './schema/scim-tables.ts'
export { apiKeys } from './schema/key-tables.ts'
export { impersonations } from './schema/impersonation-tables.ts'
export { groups, groupMembers } from './schema/group-tables.ts'
