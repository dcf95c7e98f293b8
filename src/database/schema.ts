/**
 * The tables of Seatgate in Drizzle, as the files in `migrations/` create them: columns, keys, indexes,
 * checks and foreign keys. Triggers are in the migrations only: they count members and prevent changes to
 * audit events. The library refuses a database without them, see `seatgate_schema`.
 *
 * @module
 */
export {
  organizations,
  memberships,
  slugAliases,
  memberCounts,
  entitlements,
  seatChecks,
  seatLedgers,
  seatFences,
  seatTypeCounts,
  invitations,
  organizationDomains,
  joinRequests,
  exclusions,
  inviteLinks,
  sessions,
  stepUps,
  guards,
  operations,
  jobs,
  rateLimits,
  rotations,
  schemaVersion,
} from './schema/membership-constraints.ts'
export {
  auditEvents,
  auditLookups,
  auditPersonal,
  auditOutbox,
  auditNodes,
  auditCheckpoints,
  auditPublished,
  auditPurges,
  auditSegments,
  auditCarriedSeats,
  auditRetention,
  sinkCursors,
  sinkDeadLetters,
  sinkAttempts,
} from './schema/trail-constraints.ts'
export type { OrganizationRow, MembershipRow } from './schema/organizations-tables.ts'
export type { AuditEventRow } from './schema/audit-tables.ts'
export type { PassedOver } from './schema/forwarding-tables.ts'
export type { InvitationRow } from './schema/invitations-tables.ts'
export type {
  DomainRow,
  ExclusionRow,
  InviteLinkRow,
  JoinRequestRow,
} from './schema/joining-tables.ts'
export type { SubscriptionRow, OverrideRow, EntitlementStateRow } from './schema/billing-tables.ts'
export {
  entitlementOverrides,
  subscriptions,
  entitlementStates,
  billingCustomers,
  billingHandlers,
  billingInbox,
  billingUsers,
} from './schema/billing-constraints.ts'
export type {
  BillingCustomerRow,
  BillingHandlerRow,
  BillingInboxRow,
  BillingUserRow,
} from './schema/billing-inbox-tables.ts'
export {
  scimTokens,
  scimUsers,
  apiKeys,
  impersonations,
  groups,
  groupMembers,
} from './schema/part-constraints.ts'
export type { ScimTokenRow, ScimUserRow } from './schema/scim-tables.ts'
export type { ApiKeyRow } from './schema/key-tables.ts'
export type { ImpersonationRow } from './schema/impersonation-tables.ts'
export type { GroupRow } from './schema/group-tables.ts'
