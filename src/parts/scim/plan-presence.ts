/**
 * The membership that a pushed user is to have: admitted through the gate, or out by the same ways as any
 * member.
 *
 * @module
 */
import { joinRequestEvent } from '../../engine/audit/part-actions.ts'
import { eq, sql } from 'drizzle-orm'
import { guard } from '../../database/commit.ts'
import type { RowsOf } from '../../database/batch.ts'
import { joinRequests, type JoinRequestRow } from '../../database/schema/joining-tables.ts'
import type { MembershipRow } from '../../database/schema/organizations-tables.ts'
import { guardUnchanged, guardUserExists } from '../../engine/access/access-guards.ts'
import type { Principal } from '../../engine/access/principal.ts'
import { isConfigured, type Rights } from '../../engine/access/roles.ts'
import { planJoin } from '../../engine/model/join.ts'
import { isPutOut } from '../../engine/model/membership.ts'
import { joinRequestView } from '../../engine/model/join-request.ts'
import { withHook, type Plan } from '../../engine/model/plan.ts'
import { planRemovals } from '../../engine/model/removals.ts'
import { nextPlace, waitsForSeat } from '../../engine/model/waitlist-place.ts'
import { invalid, ok, refused, type Result } from '../../base/result.ts'
import { planRestoration } from './plan-restoration.ts'
import { planSuspended } from './plan-suspended.ts'
import type { ScimContext } from './scim.ts'
import type { presenceQueries } from './user-rows.ts'

/** The parts of a plan that change a membership. */
export interface Presence extends Omit<Plan<unknown>, 'value' | 'proof' | 'lifecycle'> {
  /** Whether the person is an active member after it. */
  readonly active: boolean
}

/** The rows that were read about a person. */
export type PresenceRows = RowsOf<ReturnType<typeof presenceQueries>>

/** The person, and who changes what. */
export interface PresenceChange {
  readonly organizationId: string
  readonly userId: string
  readonly rows: PresenceRows
  readonly caller: Principal
  readonly actor: Rights
  readonly now: Date
}

/** Why a membership cannot be as it is asked for. */
export type PresenceRefusal =
  | 'validation_error'
  | 'role_not_configured'
  | 'not_found'
  | 'insufficient_role'

/**
 * Plans that a person is an active member, or not; undefined: as they are. Without a change it has no events.
 * A member whom a limit has suspended is put out too, and does not return when there are seats.
 */
export function planPresence(
  context: ScimContext,
  wanted: boolean | undefined,
  change: PresenceChange
): Result<Presence, PresenceRefusal> {
  const [membership] = change.rows.membership
  const isActive = membership?.status === 'active'
  if (wanted === true && !isActive) return planEntry(context, membership, change)
  if (wanted === false && membership && !isPutOut(membership)) {
    return planExit(context, membership, change)
  }
  return ok(asIs(context, membership, change))
}

function asIs(
  context: ScimContext,
  membership: MembershipRow | undefined,
  change: PresenceChange
): Presence {
  return {
    active: membership?.status === 'active',
    statements: [membership ? guardUnchanged(context, membership) : guardNoMember(context, change)],
    events: [],
  }
}

function guardNoMember({ db }: ScimContext, { organizationId, userId }: PresenceChange) {
  return guard(
    db,
    'stale',
    sql`not exists (select 1 from seatgate_memberships
      where organization_id = ${organizationId} and user_id = ${userId})`
  )
}

function planEntry(
  context: ScimContext,
  membership: MembershipRow | undefined,
  change: PresenceChange
): Result<Presence, PresenceRefusal> {
  const { scim, roles, users } = context
  const { organizationId, userId, rows, caller, now } = change
  if (users && rows.user.length === 0) {
    return refused(invalid({ userName: ['The user of this name no longer exists.'] }))
  }
  if (membership) {
    return isConfigured(roles, membership.role)
      ? ok({ active: true, ...planRestoration(context, membership, caller, now) })
      : refused({ code: 'role_not_configured' })
  }
  const excluded = context.joining?.members.excluding(rows.excluded, userId) ?? []
  const [pending] = rows.waiting
  if (waitsForSeat(context, scim.whenFull, scim.role)) {
    const readmitted = context.joining?.members.readmit(context, excluded) ?? []
    return ok(planWaiting(context, pending, change, readmitted))
  }
  const newcomer = { organizationId, userId, role: scim.role }
  const guards = guardUserExists(context, userId)
  const details = { path: 'scim', invited: rows.invited, excluded } as const
  const { value: _member, ...plan } = planJoin(context, newcomer, caller, now, guards, details)
  return ok({ active: true, ...plan })
}

// A person takes the last place of the waitlist; after the commit it is served, the first user first.
function planWaiting(
  context: ScimContext,
  pending: JoinRequestRow | undefined,
  { organizationId, userId, caller, now }: PresenceChange,
  readmitted: Plan<unknown>['statements']
): Presence {
  const { db, newId, scim } = context
  if (pending?.state === 'waiting') {
    return { active: false, statements: [guardWaiting(context, pending)], events: [] }
  }
  const row = {
    id: pending?.id ?? newId(),
    organizationId,
    userId,
    role: scim.role,
    path: 'domain',
    state: 'waiting',
    triedAt: now,
    decidedById: null,
    createdAt: pending?.createdAt ?? now,
    updatedAt: now,
  } as const
  const values = { ...row, place: nextPlace(organizationId) }
  const state = { organizationId, userId, role: row.role, caller }
  return {
    active: false,
    before: [{ hook: 'beforeJoinRequestQueue', state }],
    statements: [
      ...guardUserExists(context, userId),
      ...readmitted,
      pending
        ? db.update(joinRequests).set(values).where(eq(joinRequests.id, pending.id))
        : db.insert(joinRequests).values(values),
    ],
    events: [
      withHook(joinRequestEvent(row, 'organization.join_request.queued'), 'afterJoinRequestQueue', {
        request: joinRequestView(row),
      }),
    ],
  }
}

function planExit(
  context: ScimContext,
  membership: MembershipRow,
  change: PresenceChange
): Result<Presence, PresenceRefusal> {
  if (context.scim.deprovision === 'suspend') {
    return ok({ active: false, ...planSuspended(context, membership, change) })
  }
  const { rows, userId, caller, actor, now } = change
  const found = { $removed: [membership], $around0: rows.around, $address0: rows.address }
  const removed = planRemovals(context, found, [userId], { caller, actor, now })
  if (!removed.ok) return removed
  const { freeing: _freeing, ...leaving } = removed.value
  return ok({ active: false, ...leaving })
}

function guardWaiting({ db }: ScimContext, { id }: JoinRequestRow) {
  return guard(
    db,
    'stale',
    sql`exists (select 1 from seatgate_join_requests where id = ${id} and state = 'waiting')`
  )
}

function guardNotWaiting({ db }: ScimContext, { organizationId, userId }: PresenceChange) {
  return guard(
    db,
    'stale',
    sql`not exists (select 1 from seatgate_join_requests where organization_id = ${organizationId}
      and user_id = ${userId} and state in ('open', 'waiting') and state = 'waiting')`
  )
}

/** Plans that a person no longer waits for a seat. */
export function planNoWaiting(
  context: ScimContext,
  change: PresenceChange
): Omit<Presence, 'active'> {
  const { db, joining } = context
  const { rows, caller, now } = change
  const pending = rows.waiting.find(({ state }) => state === 'waiting')
  if (!pending) {
    return { statements: joining ? [guardNotWaiting(context, change)] : [], events: [] }
  }
  const { id } = pending
  const ended = { ...pending, state: 'withdrawn', updatedAt: now } as const
  return {
    before: [
      {
        hook: 'beforeJoinRequestWithdraw',
        state: { request: joinRequestView(pending), caller },
      },
    ],
    statements: [
      guardWaiting(context, pending),
      db
        .update(joinRequests)
        .set({ state: ended.state, updatedAt: now })
        .where(eq(joinRequests.id, id)),
    ],
    events: [
      withHook(
        joinRequestEvent(ended, 'organization.join_request.withdrawn'),
        'afterJoinRequestWithdraw',
        { request: joinRequestView(ended) }
      ),
    ],
  }
}

/** Adds the end of waiting to the other parts of a plan. */
export function withEnd(presence: Presence, end: Omit<Presence, 'active'>): Presence {
  return {
    ...presence,
    before: [...(presence.before ?? []), ...(end.before ?? [])],
    statements: [...presence.statements, ...end.statements],
    events: [...presence.events, ...end.events],
  }
}
