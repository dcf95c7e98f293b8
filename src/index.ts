/**
 * Organizations, memberships, exact seat limits and a provable audit trail for Hono on Cloudflare
 * Workers.
 *
 * @module
 */
export { createSeatgate } from './seatgate.ts'
export type {
  Report,
  Seatgate,
  SeatgateOptions,
  UserTable,
  WakeUp,
  WakeUpQueue,
} from './seatgate.ts'
export type { Caller, OrganizationScope, Principal, PrincipalQuery, Scope } from './scope.ts'
export type { Result } from './result.ts'
export type { Refusal, RefusalCode } from './refusal.ts'
export type { Page, PageInput } from './page.ts'
export type { OperationOptions } from './operations/perform.ts'
export { StoreUnavailable } from './database/database.ts'
export type { Database, Statement } from './database/database.ts'

export { createOrganization } from './organizations/create.ts'
export { renameOrganization } from './organizations/rename.ts'
export { getOrganization, listOrganizations } from './organizations/queries.ts'
export type { OwnOrganization } from './organizations/queries.ts'
export type { Organization } from './organizations/organization.ts'
export { generateSlug } from './organizations/slug.ts'

export { addMember } from './memberships/add.ts'
export type { AddedMember } from './memberships/add.ts'
export { changeRole } from './memberships/change-role.ts'
export { removeMember } from './memberships/remove.ts'
export { listMembers } from './memberships/queries.ts'
export type { Member } from './memberships/queries.ts'
export type { Membership } from './memberships/membership.ts'

export { ledgerSeats } from './seats/ledger-seats.ts'
export type { LedgerSeatsOptions } from './seats/ledger-seats.ts'
export type { LedgerCalls, LedgerNamespace } from './seats/ledger.ts'
export { d1Seats } from './seats/d1-seats.ts'
export { unlimitedSeats } from './seats/unlimited-seats.ts'
export { seatUsage } from './seats/queries.ts'
export { setSeatLimit } from './seats/set-limit.ts'
export { seatLimit } from './seats/limit.ts'
export type { SeatLimit, SeatLimitView } from './seats/limit.ts'
export type { SeatProvider } from './seats/provider.ts'
export type { SeatUsage } from './seats/usage.ts'

export { listAuditEvents } from './audit/queries.ts'
export type { AuditAction, AuditEvent } from './audit/event.ts'
export type { Delivery, Sink } from './audit/sink.ts'
export { webhookSink } from './audit/webhook-sink.ts'
export type { WebhookSinkOptions } from './audit/webhook-sink.ts'
export { forwardOrganization } from './audit/forward.ts'
export { sweepAudit } from './audit/sweep.ts'
export { auditQueueHandler, auditSweepHandler } from './runtime/handlers.ts'
