/**
 * How an action is defined, and the actions of organizations, members and seats. Those of the parts are in
 * `part-actions.ts`, so that a bundle without a part leaves them out. The compiler checks the
 * events of these actions, so that a bundle has the table only if it uses the catalogue.
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
  | 'invite_link'
  | 'scim_token'
  | 'scim_user'
  | 'api_key'
  | 'group'
  | 'role'
  | 'event'

/** The definition of an action. */
export interface ActionDefinition {
  readonly target: TargetType
  /** The metadata; other fields are refused. */
  readonly metadata: v.GenericSchema<unknown, object>
  /** Whether it changes the seats, their holders or their number. */
  readonly changesSeats: boolean
}

/** Definitions by the names of their actions. */
export type ActionTable = Readonly<Record<string, ActionDefinition>>

/** The metadata of an action of a table. */
export type MetadataIn<T extends ActionTable, A extends keyof T> = v.InferOutput<T[A]['metadata']>

/** Defines an action by its target and its metadata. */
export function about<const T extends TargetType, const M extends v.ObjectEntries>(
  target: T,
  metadata: M,
  { changesSeats = false } = {}
) {
  return { target, metadata: v.strictObject(metadata), changesSeats }
}

export const text = v.string()
export const optional = v.optional(text)
export const maybe = v.nullable(text)
export const count = v.number()
export const limit = v.union([count, v.picklist(['unlimited', 'unknown'])])
export const user = { user_id: text }
// The number of open invitations that ended with it; absent for 0.
const ended = { ended_invitations: v.optional(count) }
// Absolute numbers: those of the ledger when the seat was taken, or counted by the batch after the
// change. The version is that of the entitlement that the limit is from; 0 for the default.
const counted = {
  held: v.optional(count),
  reserved: v.optional(count),
  limit: v.optional(limit),
  limit_version: v.optional(count),
}
const seats = { changesSeats: true }

/** The actions of organizations, members and seats. */
export const CORE_ACTIONS = {
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
  'seat.reserved': about('seat', { invitation_id: text, expires_at: optional, ...counted }, seats),
  'seat.assigned': about('seat', { ...user, ...counted }, seats),
  'seat.released': about('seat', { user_id: optional, invitation_id: optional, ...counted }, seats),
  'seat.limit_changed': about(
    'organization',
    {
      ...counted,
      version: count,
      limit,
      old_limit: v.nullable(limit),
      type_limits: v.optional(v.record(text, limit)),
      reason: optional,
    },
    seats
  ),
  // The kinds of differences with their numbers, and the seats after the repair. With the epochs of the
  // ledgers that were started again, of the default type and of the others.
  'seat.drift_repaired': about(
    'organization',
    {
      differences: v.record(text, count),
      held: count,
      reserved: count,
      limit,
      ledger_epoch: v.optional(count),
      type_epochs: v.optional(v.record(text, count)),
    },
    seats
  ),
  // How many claims were refused since the last such event, at this limit.
  'seat.limit_reached': about('organization', {
    refusals: count,
    used: count,
    limit: count,
    seat_type: optional,
  }),
  'seat.over_limit_entered': about('organization', counted),
  'seat.over_limit_cleared': about('organization', counted),
  // `grace_end` is null without a grace.
  'seat.limit_notice': about('organization', {
    ...counted,
    level: optional,
    grace_end: v.optional(v.nullable(text)),
  }),
} as const satisfies ActionTable
