import { sql, type SQL } from 'drizzle-orm'
import * as v from 'valibot'
import type { Attribution, AuditActor } from '../../base/runtime.ts'
import type { SaltedData } from '../../proof/personal.ts'
import type { ActionTable, CORE_ACTIONS, MetadataIn, TargetType } from './core-actions.ts'

/** The trail of events that belong to no organization. */
export const SYSTEM = 'system'

/** The version of new events. */
export const EVENT_VERSION = 1

/** An event that is about to be written. Its sequence is assigned in the batch. */
export interface EventDraft {
  /** Its id, if the batch names the event elsewhere too. */
  readonly id?: string
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

/** An `after…` hook with its argument; {@link EventDraft.after} carries it, and the model types it. */
export interface AfterCall {
  readonly hook: string
  readonly state: object
}

type Told<T extends ActionTable, A extends keyof T, Known extends string> = Omit<
  MetadataIn<T, A>,
  Known
>

/** The metadata that a builder's caller provides; the builder adds those that are `Known`. */
export type With<T extends ActionTable, A extends keyof T, Known extends string = never> =
  Partial<Told<T, A, Known>> extends Told<T, A, Known>
    ? [metadata?: Told<T, A, Known>]
    : [metadata: Told<T, A, Known>]

type On<T extends ActionTable, Target extends TargetType> = {
  [A in keyof T]: T[A]['target'] extends Target ? A : never
}[keyof T] &
  string

/** Creates an event about an organization itself. */
export function organizationEvent<A extends On<typeof CORE_ACTIONS, 'organization'>>(
  organizationId: string,
  action: A,
  ...[metadata]: With<typeof CORE_ACTIONS, A>
): EventDraft {
  const target = { type: 'organization', id: organizationId }
  return { organizationId, action, target, metadata: { ...metadata } }
}

/** Creates an event about a member; the metadata contain their id too. */
export function memberEvent<A extends On<typeof CORE_ACTIONS, 'user'>>(
  { organizationId, userId }: { readonly organizationId: string; readonly userId: string },
  action: A,
  ...[metadata]: With<typeof CORE_ACTIONS, A, 'user_id'>
): EventDraft {
  const target = { type: 'user', id: userId }
  return { organizationId, action, target, metadata: { user_id: userId, ...metadata } }
}

/** Creates an event about a seat, with its holder or former holder. */
export function seatEvent<A extends On<typeof CORE_ACTIONS, 'seat'>>(
  { organizationId, seatId }: { readonly organizationId: string; readonly seatId: string },
  action: A,
  ...[metadata]: With<typeof CORE_ACTIONS, A>
): EventDraft {
  const target = { type: 'seat', id: seatId }
  return { organizationId, action, target, metadata: { ...metadata } }
}

/** Creates an event of a part's table, with the target that the table defines. */
export function libraryEvent<T extends ActionTable>(
  table: T,
  organizationId: string,
  action: keyof T & string,
  targetId: string,
  metadata: EventDraft['metadata']
): EventDraft {
  const { target: type, metadata: shape } = table[action] as ActionTable[string]
  v.assert(shape, metadata)
  return { organizationId, action, target: { type, id: targetId }, metadata }
}

const SEAT_CHANGES = [
  'seat.reserved',
  'seat.assigned',
  'seat.released',
  'seat.limit_changed',
  'seat.drift_repaired',
]
const SEAT_NOTICES = ['seat.over_limit_entered', 'seat.over_limit_cleared', 'seat.limit_notice']

/** Whether an event changes an organization's seats, their holders or their number. */
export function changesSeats(action: string): boolean {
  return SEAT_CHANGES.includes(action)
}

/** Whether an event contains the number of an organization's seats. */
export function countsSeats(action: string): boolean {
  return changesSeats(action) || SEAT_NOTICES.includes(action)
}

/** Returns an action, and those of the events that may be recorded behind it in the same batch. */
export function withFollowing(action: string): readonly string[] {
  if (!changesSeats(action)) return [action]
  const cleared = [action, 'seat.over_limit_cleared', 'seat.limit_notice']
  return action === 'seat.limit_changed' ? [...cleared, 'seat.over_limit_entered'] : cleared
}

/**
 * An audit event, as readers and sinks receive it. `sequence` counts from 1 in each organization, without
 * gap or repeat; timestamps are ISO 8601 UTC. `personal` is null if the event has no personal part, or if that was erased;
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

/** Returns the user of an event's personal data: the actor, or the effective user of an actor without an id, or ''. */
export function personalUserOf({ actor, effectiveUserId }: Attribution): string {
  return actor.id ?? effectiveUserId ?? ''
}

/** {@link personalUserOf} in SQL, for a row of `seatgate_audit_events`. */
export function personalUserColumn(): SQL<string> {
  return sql`coalesce(seatgate_audit_events.actor_id, seatgate_audit_events.effective_user_id, '')`
}
