import type { AuditEventRow } from '../database/schema.ts'
import { isOperator, isUser, type Principal } from '../scope.ts'

/** Who did it. `system` acts on nobody's behalf and has no id. */
export type AuditActor =
  | { readonly type: 'user' | 'operator' | 'service_account'; readonly id: string }
  | { readonly type: 'system' | 'anonymous'; readonly id: null }

/** Who is to be named as actor, and the user whose rights were used, if any were. */
export interface Attribution {
  readonly actor: AuditActor
  readonly effectiveUserId: string | null
}

/** Attributes what somebody does: an operator who acts as a user is the actor, the user is not. */
export function attributionOf(caller: Principal): Attribution {
  if (isUser(caller)) {
    const { userId, impersonatedBy } = caller
    if (impersonatedBy !== undefined) {
      return { actor: { type: 'operator', id: impersonatedBy }, effectiveUserId: userId }
    }
    const type = isOperator(caller) ? 'operator' : 'user'
    return { actor: { type, id: userId }, effectiveUserId: userId }
  }
  if (caller.type !== 'service_account') {
    return { actor: { type: caller.type, id: null }, effectiveUserId: null }
  }
  return { actor: { type: 'service_account', id: caller.serviceAccountId }, effectiveUserId: null }
}

/** What the library records. Each action is written by the batch that makes it true. */
export type AuditAction =
  | 'organization.create'
  | 'organization.update'
  | 'organization.rename'
  | 'organization.slug_change'
  | 'organization.delete'
  | 'organization.restore'
  | 'organization.mfa_policy_change'
  | 'organization.member_add'
  | 'organization.member_role_change'
  | 'organization.member_remove'
  | 'organization.member_suspend'
  | 'organization.member_restore'
  | 'organization.ownership_transfer'
  | 'organization.active_switched'
  | 'organization.active_auto_reassigned'
  | 'organization.invitation.created'
  | 'organization.invitation.resent'
  | 'organization.invitation.role_change'
  | 'organization.invitation.revoked'
  | 'organization.invitation.declined'
  | 'organization.invitation.accepted'
  | 'organization.domain.added'
  | 'organization.domain.verified'
  | 'organization.domain.mode_change'
  | 'organization.domain.removed'
  | 'organization.join_request.created'
  | 'organization.join_request.approved'
  | 'organization.join_request.queued'
  | 'organization.join_request.declined'
  | 'organization.join_request.withdrawn'
  | 'organization.join_request.closed'
  | 'seat.reserved'
  | 'seat.assigned'
  | 'seat.released'
  | 'seat.limit_changed'

/** An event that is about to be written. Its sequence is known only inside the batch. */
export interface EventDraft {
  readonly organizationId: string
  readonly action: AuditAction
  readonly target: {
    readonly type: 'organization' | 'user' | 'seat' | 'invitation' | 'domain' | 'join_request'
    readonly id: string
  }
  readonly metadata: Readonly<Record<string, unknown>>
}

/** An event about an organization itself. */
export function organizationEvent(
  organizationId: string,
  action: AuditAction,
  metadata: EventDraft['metadata'] = {}
): EventDraft {
  return { organizationId, action, target: { type: 'organization', id: organizationId }, metadata }
}

/** An event about a member; their id is in the metadata too. */
export function memberEvent(
  { organizationId, userId }: { readonly organizationId: string; readonly userId: string },
  action: AuditAction,
  metadata: EventDraft['metadata'] = {}
): EventDraft {
  const target = { type: 'user', id: userId } as const
  return { organizationId, action, target, metadata: { user_id: userId, ...metadata } }
}

/** An event about an invitation; its id is in the metadata too, the address is not. */
export function invitationEvent(
  { organizationId, id }: { readonly organizationId: string; readonly id: string },
  action: AuditAction,
  metadata: EventDraft['metadata'] = {}
): EventDraft {
  const target = { type: 'invitation', id } as const
  return { organizationId, action, target, metadata: { invitation_id: id, ...metadata } }
}

/** An event about a mail domain; its name is in the metadata too. */
export function domainEvent(
  row: { readonly organizationId: string; readonly id: string; readonly domain: string },
  action: AuditAction,
  metadata: EventDraft['metadata'] = {}
): EventDraft {
  const { organizationId, id, domain } = row
  return {
    organizationId,
    action,
    target: { type: 'domain', id },
    metadata: { domain, ...metadata },
  }
}

/** An event about somebody's wish to join. */
export function joinRequestEvent(
  row: { readonly organizationId: string; readonly id: string; readonly userId: string },
  action: AuditAction,
  metadata: EventDraft['metadata'] = {}
): EventDraft {
  const { organizationId, id, userId } = row
  const target = { type: 'join_request', id } as const
  return { organizationId, action, target, metadata: { user_id: userId, ...metadata } }
}

/** An event about a seat, and who has it or had it. */
export function seatEvent(
  { organizationId, seatId }: { readonly organizationId: string; readonly seatId: string },
  action: AuditAction,
  metadata: EventDraft['metadata']
): EventDraft {
  return { organizationId, action, target: { type: 'seat', id: seatId }, metadata }
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
