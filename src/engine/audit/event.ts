import { getTableColumns, sql } from 'drizzle-orm'
import * as v from 'valibot'
import type { AuditActor } from '../../base/actor.ts'
import { auditEvents, type AuditEventRow } from '../../database/schema.ts'
import type { SaltedData } from '../../proof/personal.ts'
import { ACTIONS, type AuditAction, type MetadataOf } from './actions.ts'

/** An event that is about to be written. Its sequence is known only inside the batch. */
export interface EventDraft {
  readonly organizationId: string
  readonly action: string
  readonly target: { readonly type: string; readonly id: string } | null
  readonly metadata: Readonly<Record<string, unknown>>
  /** What came of it. Default success. */
  readonly outcome?: AuditEvent['outcome']
  /** Who did it, if that is not who is asking. */
  readonly actor?: AuditActor
  /** Names the one act that this tells: written again, it is the same event. */
  readonly idempotencyKey?: string
  /** The event that this one followed from. */
  readonly causeEventId?: string
  /** Whether it gives the consumers of the trail work, though they may not accept it. */
  readonly wakesConsumers?: true
  /** The `after…` hook that is called once it is committed. */
  readonly after?: AfterCall
}

/** An `after…` hook and the state that it gets; {@link EventDraft.after} carries it, the model types it. */
export interface AfterCall {
  readonly hook: string
  readonly state: object
}

/** What a builder is to be told; what it knows itself it adds. */
type Told<A extends AuditAction, Known extends string = never> = Omit<MetadataOf<A>, Known>
type With<A extends AuditAction, Known extends string = never> =
  Partial<Told<A, Known>> extends Told<A, Known>
    ? [metadata?: Told<A, Known>]
    : [metadata: Told<A, Known>]

/** An event about an organization itself. */
export function organizationEvent<A extends AuditAction>(
  organizationId: string,
  action: A,
  ...[metadata]: With<A>
): EventDraft {
  return libraryEvent(organizationId, action, organizationId, { ...metadata })
}

/** An event about a member; their id is in the metadata too. */
export function memberEvent<A extends AuditAction>(
  { organizationId, userId }: { readonly organizationId: string; readonly userId: string },
  action: A,
  ...[metadata]: With<A, 'user_id'>
): EventDraft {
  return libraryEvent(organizationId, action, userId, { user_id: userId, ...metadata })
}

/** An event about an invitation; its id is in the metadata too, the address is not. */
export function invitationEvent<A extends AuditAction>(
  { organizationId, id }: { readonly organizationId: string; readonly id: string },
  action: A,
  ...[metadata]: With<A, 'invitation_id'>
): EventDraft {
  return libraryEvent(organizationId, action, id, { invitation_id: id, ...metadata })
}

/** An event about a mail domain; its name is in the metadata too. */
export function domainEvent<A extends AuditAction>(
  row: { readonly organizationId: string; readonly id: string; readonly domain: string },
  action: A,
  ...[metadata]: With<A, 'domain'>
): EventDraft {
  const { organizationId, id, domain } = row
  return libraryEvent(organizationId, action, id, { domain, ...metadata })
}

/** An event about somebody's wish to join. */
export function joinRequestEvent<A extends AuditAction>(
  row: { readonly organizationId: string; readonly id: string; readonly userId: string },
  action: A,
  ...[metadata]: With<A, 'user_id'>
): EventDraft {
  const { organizationId, id, userId } = row
  return libraryEvent(organizationId, action, id, { user_id: userId, ...metadata })
}

/** An event about a seat, and who has it or had it. */
export function seatEvent<A extends AuditAction>(
  { organizationId, seatId }: { readonly organizationId: string; readonly seatId: string },
  action: A,
  ...[metadata]: With<A>
): EventDraft {
  return libraryEvent(organizationId, action, seatId, { ...metadata })
}

/** An event of the catalogue, about what the catalogue says it is about. */
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
 * An audit event as readers and sinks see it. `sequence` counts from 1 in each organization, without
 * gap or repeat; timestamps are ISO 8601 UTC. `personal` is null where there is none, and once it is
 * erased; `personalDigest` stays.
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

/** A row with what {@link eventColumns} has beside it. */
export type ReadEventRow = AuditEventRow & {
  readonly personalSalt: string | null
  readonly ipAddress: string | null
  readonly userAgent: string | null
  readonly leafHash?: string | null
}

/** What is read of an event: its row, and its personal part if that is still there. */
export const eventColumns = {
  ...getTableColumns(auditEvents),
  personalSalt: personal('salt'),
  ipAddress: personal('ip_address'),
  userAgent: personal('user_agent'),
}

// A subquery and not a join, for which D1 has no names in a batch.
function personal(column: 'salt' | 'ip_address' | 'user_agent') {
  return sql<string | null>`(select ${sql.raw(column)} from seatgate_audit_personal
    where seatgate_audit_personal.organization_id = seatgate_audit_events.organization_id
    and seatgate_audit_personal.digest = seatgate_audit_events.personal_digest)`.as(
    `personal_${column}`
  )
}

/**
 * The event as it was written: what is sealed, exported and forwarded, so that its hash can be checked
 * wherever it goes.
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
