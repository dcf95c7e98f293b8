/**
 * The catalogue of the library's events: every action is defined here. An event is written by the batch
 * of its change.
 *
 * @module
 */
import * as v from 'valibot'

/** The targets of events. */
export type TargetType =
  | 'organization'
  | 'user'
  | 'seat'
  | 'invitation'
  | 'domain'
  | 'join_request'
  | 'event'

/** The definition of an action. */
export interface ActionDefinition {
  readonly target: TargetType
  /** The metadata; other fields are refused. */
  readonly metadata: v.GenericSchema<unknown, object>
  /** Whether it changes the seats, their holders or their number. */
  readonly changesSeats: boolean
}

function about<const T extends TargetType, const M extends v.ObjectEntries>(
  target: T,
  metadata: M,
  { changesSeats = false } = {}
) {
  return { target, metadata: v.strictObject(metadata), changesSeats }
}

const text = v.string()
const optional = v.optional(text)
const maybe = v.nullable(text)
const count = v.number()
const limit = v.union([count, v.picklist(['unlimited', 'unknown'])])
const user = { user_id: text }
const invitation = { invitation_id: text }
const domain = { domain: text }
const subscription = { provider: text, subscription_id: text }
// How many open invitations ended with it; absent for none.
const ended = { ended_invitations: v.optional(count) }
// Absolute numbers: those of the ledger when the seat was taken, or counted by the batch after the
// change.
const counted = { held: v.optional(count), reserved: v.optional(count), limit: v.optional(limit) }
const seats = { changesSeats: true }
// `sinks` are those that had not settled all of it.
const purge = { first_sequence: count, last_sequence: count, events: count, sinks: optional }

/** The catalogue: the target of each action, its metadata, and whether it changes seats. */
export const ACTIONS = {
  'organization.create': about('organization', {}),
  'organization.update': about('organization', {}),
  'organization.rename': about('organization', { old_name: text, new_name: text }),
  'organization.slug_change': about('organization', {
    old_slug: text,
    new_slug: text,
    alias_expires_at: text,
  }),
  'organization.mfa_policy_change': about('organization', {
    old_value: v.boolean(),
    new_value: v.boolean(),
  }),
  'organization.delete': about('organization', {}),
  'organization.restore': about('organization', {}),

  'organization.member_add': about('user', { ...user, role: text, path: optional }),
  'organization.member_role_change': about('user', {
    ...user,
    old_role: text,
    new_role: text,
    ...ended,
  }),
  'organization.member_suspend': about('user', { ...user, by: text, ...ended }),
  'organization.member_restore': about('user', { ...user, by: maybe }),
  'organization.member_remove': about('user', { ...user, reason: optional, ...ended }),
  'organization.ownership_transfer': about('user', {
    from_user_id: text,
    to_user_id: text,
    old_owner_role: text,
    ...ended,
  }),
  // `left_out`: how many switches of this user after the 60 of an hour were not recorded before this one.
  'organization.active_switched': about('organization', {
    from: maybe,
    to: maybe,
    left_out: v.optional(count),
  }),
  'organization.active_auto_reassigned': about('organization', { from: maybe, to: maybe }),

  'organization.invitation.created': about('invitation', { ...invitation, role: text }),
  'organization.invitation.resent': about('invitation', {
    ...invitation,
    token_version: count,
    expires_at: optional,
  }),
  'organization.invitation.role_change': about('invitation', {
    ...invitation,
    old_role: text,
    new_role: text,
  }),
  'organization.invitation.revoked': about('invitation', { ...invitation, reason: text }),
  'organization.invitation.declined': about('invitation', { ...invitation }),
  'organization.invitation.accepted': about('invitation', {
    ...invitation,
    role: text,
    path: optional,
    already_member: v.optional(v.boolean()),
  }),

  'organization.domain.added': about('domain', { ...domain, mode: text }),
  'organization.domain.verified': about('domain', domain),
  'organization.domain.mode_change': about('domain', {
    ...domain,
    old_mode: text,
    new_mode: text,
    reason: optional,
  }),
  'organization.domain.record_missing': about('domain', domain),
  'organization.domain.record_found': about('domain', domain),
  'organization.domain.removed': about('domain', domain),

  'organization.join_request.created': about('join_request', user),
  'organization.join_request.approved': about('join_request', { ...user, role: text }),
  'organization.join_request.queued': about('join_request', user),
  'organization.join_request.declined': about('join_request', { ...user, reason: optional }),
  'organization.join_request.withdrawn': about('join_request', user),
  'organization.join_request.closed': about('join_request', user),

  'seat.reserved': about('seat', { ...invitation, expires_at: optional, ...counted }, seats),
  'seat.assigned': about('seat', { ...user, ...counted }, seats),
  'seat.released': about('seat', { user_id: optional, invitation_id: optional, ...counted }, seats),
  'seat.limit_changed': about(
    'organization',
    { ...counted, version: count, limit, old_limit: v.nullable(limit), reason: optional },
    seats
  ),
  'organization.billing.subscription_change': about('organization', {
    ...subscription,
    plan: maybe,
    status: text,
    quantity: count,
    old_status: maybe,
    unmapped: optional,
  }),
  'organization.billing.cancel_scheduled': about('organization', { ...subscription, at: text }),
  'organization.billing.subscription_end': about('organization', { ...subscription, at: text }),
  'organization.billing.second_subscription_end': about('organization', {
    ...subscription,
    kept_subscription_id: text,
  }),
  'organization.billing.seats_request': about('organization', {
    provider: text,
    seats: count,
    proration: maybe,
  }),
  'organization.billing.seats_update': about('organization', {
    ...subscription,
    seats: count,
    old_seats: count,
  }),
  'organization.billing.seats_refuse': about('organization', {
    provider: text,
    seats: count,
    code: text,
  }),
  // Of the platform's trail, since the organization is not known yet.
  'organization.billing.webhook_receive': about('event', {
    provider: text,
    account: text,
    mode: text,
  }),
  // Of the platform's trail: the end of a subscription with the organization or user that it was for.
  'organization.billing.owner_end': about('event', {
    ...subscription,
    owner_type: text,
    owner_id: text,
    code: optional,
  }),

  // The numbers that an operator has set; without any of them what was set before is removed.
  'seat.entitlement_set': about('organization', {
    included: v.optional(limit),
    purchased: v.optional(count),
    add_ons: v.optional(count),
    cap: v.optional(limit),
    until: optional,
    reason: text,
    version: count,
  }),
  // The kinds of differences with their numbers, and the seats after the repair. With the epoch of the
  // ledger if it was started again.
  'seat.drift_repaired': about(
    'organization',
    {
      differences: v.record(text, count),
      held: count,
      reserved: count,
      limit,
      ledger_epoch: v.optional(count),
    },
    seats
  ),
  // How many claims were refused since the last such event, at this limit.
  'seat.limit_reached': about('organization', { refusals: count, used: count, limit: count }),
  'seat.over_limit_entered': about('organization', counted),
  'seat.over_limit_cleared': about('organization', counted),

  // Of the platform's trail. The act that the proof was for, and its outcome.
  'operator.step_up': about('user', { ...user, act: text }),
  'operator.step_up_block': about('user', { ...user, act: text, attempts: count }),

  'operator.event_requeue': about('event', { provider: text }),

  'audit.erasure': about('user', { ...user, records: count }),
  'audit.purge_run': about('organization', purge),
  'audit.forced_purge': about('organization', purge),
  'audit.hold_place': about('organization', { reason: text }),
  'audit.hold_release': about('organization', { reason: text }),
  'audit.replay': about('organization', { sink: text, from_sequence: count }),
  'audit.requeue': about('organization', {
    sink: text,
    sequence: v.optional(count),
    events: count,
  }),
  'audit.sink_resume': about('organization', { sink: text }),
  // The names of the filters, without their values.
  'audit.export': about('organization', { format: text, filters: text }),
} as const satisfies Record<string, ActionDefinition>

/** An action of the library. */
export type AuditAction = keyof typeof ACTIONS

/** The metadata of an action. */
export type MetadataOf<A extends AuditAction> = v.InferOutput<(typeof ACTIONS)[A]['metadata']>

/** Whether a name is in the catalogue. */
export function isLibraryAction(action: string): action is AuditAction {
  return Object.hasOwn(ACTIONS, action)
}

/** Whether an event contains the number of an organization's seats. */
export function countsSeats(action: string): boolean {
  return isLibraryAction(action) && 'held' in ACTIONS[action].metadata.entries
}

/** Returns an action, and those of the events that may be recorded behind it in the same batch. */
export function withFollowing(action: string): readonly string[] {
  if (!isLibraryAction(action) || !ACTIONS[action].changesSeats) return [action]
  const cleared = [action, 'seat.over_limit_cleared']
  return action === 'seat.limit_changed' ? [...cleared, 'seat.over_limit_entered'] : cleared
}
