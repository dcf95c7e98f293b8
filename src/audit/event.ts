import type { AuditEventRow } from '../database/schema.ts'

/** Who did it. `system` acts on nobody's behalf and has no id. */
export type AuditActor =
  | { readonly type: 'user' | 'operator'; readonly id: string }
  | { readonly type: 'system'; readonly id: null }

/** What the library records. Each action is written by the batch that makes it true. */
export type AuditAction =
  | 'organization.create'
  | 'organization.rename'
  | 'organization.member_add'
  | 'organization.member_role_change'
  | 'organization.member_remove'
  | 'seat.assigned'
  | 'seat.released'
  | 'seat.limit_changed'

/** An event that is about to be written. Its sequence is known only inside the batch. */
export interface EventDraft {
  readonly action: AuditAction
  readonly target: { readonly type: 'organization' | 'user' | 'seat'; readonly id: string }
  readonly metadata: Readonly<Record<string, unknown>>
}

/**
 * An audit event as readers and sinks see it. `sequence` counts from 1 in each organization, without
 * gap or repeat; timestamps are ISO 8601 UTC.
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
  readonly schemaVersion: number
  readonly occurredAt: string
}

export function eventView({
  insertedAt: _inserted,
  occurredAt,
  ...row
}: AuditEventRow): AuditEvent {
  return { ...row, occurredAt: occurredAt.toISOString() }
}
