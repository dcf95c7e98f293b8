import { getTableColumns, sql } from 'drizzle-orm'
import * as v from 'valibot'
import type { AuditActor } from '../../base/runtime.ts'
import { auditEvents, type AuditEventRow } from '../../database/schema/audit-tables.ts'
import type { SaltedData } from '../../proof/personal.ts'
import { ACTIONS, type AuditAction, type MetadataOf } from './actions.ts'

/** The trail of events that belong to no organization. */
export const SYSTEM = 'system'

/** An event that is about to be written. Its sequence is assigned in the batch. */
export interface EventDraft {
  readonly organizationId: string
  readonly action: string
  readonly target: { readonly type: string; readonly id: string } | null
  readonly metadata: Readonly<Record<string, unknown>>
  /** The outcome. Default success. */
  readonly outcome?: AuditEvent['outcome']
  /** The actor, if it is not the caller. */
  readonly actor?: AuditActor
  /** Identifies the act: recorded again, it is the same event. */
  readonly idempotencyKey?: string
  /** Whether its batch is rolled back if it is sent again after its commit. */
  readonly onlyOnce?: true
  /** The event that caused this one. */
  readonly causeEventId?: string
  /** Whether it gives the consumers of the trail work, though they may not accept it. */
  readonly wakesConsumers?: true
  /** The `after…` hook that is called after the commit. */
  readonly after?: AfterCall
}

/**
 * Lets the batch of these events commit at most once, however often a host sends it. One event is marked,
 * with a key of its own; it costs a written row. Events with a key of the host need no mark.
 */
export function onlyOnce(events: readonly EventDraft[]): readonly EventDraft[] {
  const marked = events.find(({ idempotencyKey }) => idempotencyKey === undefined)
  return events.map((event) => (event === marked ? { ...event, onlyOnce: true } : event))
}

/** An `after…` hook with its argument; {@link EventDraft.after} carries it, and the model types it. */
export interface AfterCall {
  readonly hook: string
  readonly state: object
}

/** The metadata that a builder's caller provides; the builder adds the rest. */
type Told<A extends AuditAction, Known extends string = never> = Omit<MetadataOf<A>, Known>
type With<A extends AuditAction, Known extends string = never> =
  Partial<Told<A, Known>> extends Told<A, Known>
    ? [metadata?: Told<A, Known>]
    : [metadata: Told<A, Known>]

/** Creates an event about an organization itself. */
export function organizationEvent<A extends AuditAction>(
  organizationId: string,
  action: A,
  ...[metadata]: With<A>
): EventDraft {
  return libraryEvent(organizationId, action, organizationId, { ...metadata })
}

/** Creates an event about a member; the metadata contain their id too. */
export function memberEvent<A extends AuditAction>(
  { organizationId, userId }: { readonly organizationId: string; readonly userId: string },
  action: A,
  ...[metadata]: With<A, 'user_id'>
): EventDraft {
  return libraryEvent(organizationId, action, userId, { user_id: userId, ...metadata })
}

/** Creates an event about an invitation; the metadata contain its id, but not the address. */
export function invitationEvent<A extends AuditAction>(
  { organizationId, id }: { readonly organizationId: string; readonly id: string },
  action: A,
  ...[metadata]: With<A, 'invitation_id'>
): EventDraft {
  return libraryEvent(organizationId, action, id, { invitation_id: id, ...metadata })
}

/** Creates an event about a mail domain; the metadata contain its name too. */
export function domainEvent<A extends AuditAction>(
  row: { readonly organizationId: string; readonly id: string; readonly domain: string },
  action: A,
  ...[metadata]: With<A, 'domain'>
): EventDraft {
  const { organizationId, id, domain } = row
  return libraryEvent(organizationId, action, id, { domain, ...metadata })
}

/** Creates an event about a request to join. */
export function joinRequestEvent<A extends AuditAction>(
  row: { readonly organizationId: string; readonly id: string; readonly userId: string },
  action: A,
  ...[metadata]: With<A, 'user_id'>
): EventDraft {
  const { organizationId, id, userId } = row
  return libraryEvent(organizationId, action, id, { user_id: userId, ...metadata })
}

/** Creates an event about a seat, with its holder or former holder. */
export function seatEvent<A extends AuditAction>(
  { organizationId, seatId }: { readonly organizationId: string; readonly seatId: string },
  action: A,
  ...[metadata]: With<A>
): EventDraft {
  return libraryEvent(organizationId, action, seatId, { ...metadata })
}

/** Creates an event of the catalogue, with the target that the catalogue defines. */
export function libraryEvent(
  organizationId: string,
  action: AuditAction,
  targetId: string,
  metadata: EventDraft['metadata']
): EventDraft {
  const { target: type, metadata: shape } = ACTIONS[action]
  v.assert(shape, metadata)
  return { organizationId, action, target: { type, id: targetId }, metadata }
}

/**
 * An audit event, as readers and sinks receive it. `sequence` counts from 1 in each organization, without
 * gap or repeat; timestamps are ISO 8601 UTC. `personal` is null if there is none, or if it was erased;
 * `personalDigest` stays.
 */
export interface AuditEvent {
  readonly id: string
  readonly organizationId: string
  readonly sequence: number
  readonly action: string
  readonly outcome: 'success' | 'failure' | 'error'
  readonly actorType: string
  readonly actorId: string | null
  readonly effectiveUserId: string | null
  readonly targetType: string | null
  readonly targetId: string | null
  readonly metadata: Readonly<Record<string, unknown>>
  readonly requestId: string | null
  readonly traceId: string | null
  readonly causeEventId: string | null
  readonly idempotencyKey: string | null
  readonly schemaVersion: number
  readonly occurredAt: string
  readonly insertedAt: string
  readonly personalDigest: string | null
  readonly personal: SaltedData | null
  /** The hash that it was sealed with, in exports; null until then. */
  readonly leafHash?: string | null
}

/** A row with the columns that {@link eventColumns} adds. */
export type ReadEventRow = AuditEventRow & {
  readonly personalSalt: string | null
  readonly ipAddress: string | null
  readonly userAgent: string | null
  readonly leafHash?: string | null
}

/** The columns of an event: its row, and its personal data unless they were erased. */
export const eventColumns = {
  ...getTableColumns(auditEvents),
  personalSalt: personal('salt'),
  ipAddress: personal('ip_address'),
  userAgent: personal('user_agent'),
}

// A subquery instead of a join, whose columns would have no names in a batch of D1.
function personal(column: 'salt' | 'ip_address' | 'user_agent') {
  return sql<string | null>`(select ${sql.raw(column)} from seatgate_audit_personal
    where seatgate_audit_personal.organization_id = seatgate_audit_events.organization_id
    and seatgate_audit_personal.digest = seatgate_audit_events.personal_digest)`.as(
    `personal_${column}`
  )
}

/**
 * Returns the event as it was written. It is sealed, exported and forwarded in this form, so that its
 * hash can be verified everywhere.
 */
export function eventView({
  insertedAt,
  occurredAt,
  personalSalt,
  ipAddress,
  userAgent,
  ...row
}: ReadEventRow): AuditEvent {
  return {
    ...row,
    occurredAt: occurredAt.toISOString(),
    insertedAt: insertedAt.toISOString(),
    personal: personalSalt === null ? null : { salt: personalSalt, ipAddress, userAgent },
  }
}
