import type { Queries } from '../../database/batch.ts'
import { rowsWhere } from '../../database/kept-query.ts'
import {
  reasonOf,
  type Database,
  type DatabaseContext,
  type Statement,
} from '../../database/database.ts'
import { guardAccess } from '../../engine/access/access-guards.ts'
import { membershipView, type Membership } from '../../engine/model/membership.ts'
import type { AccessContext } from '../../engine/access/roles.ts'
import type { ChangeContext } from '../../engine/changes/change-context.ts'
import { conclude } from '../../engine/changes/conclude.ts'
import { perform } from '../../engine/changes/operation.ts'
import { prepare } from '../../engine/changes/prepare-change.ts'
import { unchanged } from '../../engine/model/plan.ts'
import { organizationView, type Organization } from '../../engine/model/organization.ts'
import { find, authorize, type Found, type Access } from '../../engine/access/authorize.ts'
import {
  ok,
  refused,
  type CommitRefusal,
  type HookRefusal,
  type Result,
} from '../../base/result.ts'
import {
  isUser,
  requestInfoOf,
  userIdOf,
  type Principal,
  type Scope,
  type Session,
} from '../../engine/access/principal.ts'
import type { SessionStore, SessionStoreContext } from '../../engine/model/session-store.ts'
import { eq, sql, type SQL } from 'drizzle-orm'
import { guard } from '../../database/commit.ts'
import { rateLimits } from '../../database/schema/changes-tables.ts'
import type { RateRow } from '../../engine/model/rate-limits.ts'
import { organizationEvent, type EventDraft } from '../../engine/audit/event.ts'

/** A session, and its new active organization, if any. */
export interface ActiveOrganization {
  readonly session: Session
  readonly organization: Organization | null
  readonly membership: Membership | null
  /** The permissions of the role there; empty without an organization. */
  readonly permissions: readonly string[]
}

/** Why {@link putActiveOrganization} refuses. */
export type PutActiveOrganizationRefusal =
  | 'unauthenticated'
  | HookRefusal
  | CommitRefusal
  | 'no_scope'
  | 'no_session'
  | 'not_a_member'
  | 'not_found'

/**
 * Sets the active organization of the caller's session, by id or slug, or clears it with `null`. Only
 * this function changes it by request. The membership is checked first. Writes no row if the session
 * already points there. Does not touch cookies or tokens.
 *
 * Refusals: `unauthenticated`, `HookRefusal` (of a session store of the host), `CommitRefusal`, `no_scope` (the caller is no person),
 * `no_session` (the caller, or the host, has no sessions), `not_a_member` (whether the organization
 * exists or not), `not_found` (the session is gone).
 *
 * @example
 * ```ts
 * const active = await putActiveOrganization(seatgate, { caller }, 'acme')
 * if (active.ok) console.log(active.value.membership?.role)
 * ```
 */
export async function putActiveOrganization(
  context: SessionContext,
  { caller, ...request }: Scope,
  organization: string | null
): Promise<Result<ActiveOrganization, PutActiveOrganizationRefusal>> {
  const { sessions } = context
  const scope: Scope = {
    caller,
    ...requestInfoOf(request),
    ...(organization !== null && { organization }),
  }
  if (sessions === null) return refused({ code: 'no_session' })
  if (!sessions.statements) return putElsewhere(context, sessions, scope)
  const pointers = sessions.statements
  return perform(context, scope, {
    name: 'organization.active_switched',
    input: organization,
    grows: false,
    refusals: ['not_found'],
    queries: { counted: switchesOf(context.db, userIdOf(caller)) },
    plan(found, by, now) {
      const move = decide(context, scope, found, by)
      if (!move.ok) return move
      const { session, access, value } = move.value
      if (session.activeOrganizationId === value.session.activeOrganizationId) {
        return ok(unchanged(value))
      }
      const counted = countSwitch(context, move.value.userId, found.rows.counted, now)
      return ok({
        value,
        statements: [
          counted.guard,
          counted.count,
          ...(access ? [guardAccess(context, access)] : []),
          ...pointers.update(context.db, session, value.session.activeOrganizationId),
        ],
        events: moved(move.value, counted),
      })
    },
  })
}

interface Move {
  readonly userId: string
  readonly session: Session
  readonly access: Access | null
  readonly value: ActiveOrganization
}

function decide(
  { roles }: Pick<AccessContext, 'roles'>,
  scope: Scope,
  found: Found<Queries>,
  by: Principal
): Result<Move, 'no_scope' | 'no_session' | 'not_a_member'> {
  if (!isUser(by)) return refused({ code: 'no_scope' })
  if (!by.session) return refused({ code: 'no_session' })
  const { session } = by
  if (scope.organization === undefined) {
    const cleared = { ...session, activeOrganizationId: null }
    const value = { session: cleared, organization: null, membership: null, permissions: [] }
    return ok({ userId: by.userId, session, access: null, value })
  }
  const inside = authorize(roles, found)
  if (!inside.ok) return refused({ code: 'not_a_member' })
  const { organization, membership, permissions } = inside.value
  return ok({
    userId: by.userId,
    session,
    access: inside.value,
    value: {
      session: { ...session, activeOrganizationId: organization.id },
      organization: organizationView(organization),
      membership: membership && membershipView(membership),
      permissions,
    },
  })
}

function moved({ session, value }: Move, { recorded, leftOut }: CountedSwitch) {
  if (!recorded) return []
  const [from, to] = [session.activeOrganizationId, value.session.activeOrganizationId]
  return pointerMoved('organization.active_switched', from, to, leftOut)
}

// The pointer is in another store: it moves first, and is recorded afterwards.
async function putElsewhere(
  context: ChangeContext,
  sessions: SessionStore,
  scope: Scope
): Promise<Result<ActiveOrganization, PutActiveOrganizationRefusal>> {
  const { db, report, now } = context
  try {
    const counted = switchesOf(db, userIdOf(scope.caller))
    const found = await find(db, scope, { counted })
    const { caller } = found
    if (caller === null) return refused({ code: 'unauthenticated' })
    const move = decide(context, scope, found, caller)
    if (!move.ok) return move
    const { session, value } = move.value
    const updated = await sessions.updateActiveOrganization(
      db,
      session,
      value.session.activeOrganizationId
    )
    if (!updated.ok) return updated
    if (session.activeOrganizationId === value.session.activeOrganizationId) {
      return ok({ ...value, session: updated.value })
    }
    const time = now()
    const switched = countSwitch(context, move.value.userId, found.rows.counted, time)
    const recorded = await prepare(
      context,
      { caller, ...requestInfoOf(scope), now: time },
      { value: null, statements: [switched.count], events: moved(move.value, switched) }
    )
    if (recorded.ok) await conclude(context, recorded.value)
    return ok({ ...value, session: updated.value })
  } catch (error) {
    report({
      event: 'store_unavailable',
      error: reasonOf(error),
    })
    return refused({ code: 'unavailable' })
  }
}

/** The context of an operation on active organizations. */
export interface SessionContext extends ChangeContext, SessionStoreContext {}

const RECORDED_AN_HOUR = 60
const HOUR_MS = 60 * 60 * 1000
// For so long the next event may still record how many were left out.
const KEPT_MS = 31 * 24 * HOUR_MS

/** Selects the counter of a user. */
function switchesOf(db: Database, userId: SQL<string | null> | string | null) {
  return rowsWhere(db, rateLimits, eq(rateLimits.key, sql`'switch:' || ${userId}`))
}

/** Whether a switch is recorded, how many earlier ones were not, and the statement that counts it. */
export interface CountedSwitch {
  readonly recorded: boolean
  readonly leftOut: number
  /** Guards that no other switch of the same user was counted in between. */
  readonly guard: Statement
  readonly count: Statement
}

/**
 * Counts a switch: the first 60 of an hour are recorded, and the first of a later hour records how many
 * were left out.
 */
function countSwitch(
  { db }: DatabaseContext,
  userId: string,
  [counted]: readonly RateRow[],
  now: Date
): CountedSwitch {
  const key = `switch:${userId}`
  const isOpen =
    counted !== undefined && now.getTime() < counted.endsAt.getTime() - KEPT_MS + HOUR_MS
  const before = counted?.count ?? 0
  const count = isOpen ? before + 1 : 1
  const endsAt = isOpen ? counted.endsAt : new Date(now.getTime() + KEPT_MS)
  const unchanged = sql`coalesce((select count from seatgate_rate_limits where key = ${key}), 0) = ${before}`
  return {
    recorded: count <= RECORDED_AN_HOUR,
    leftOut: isOpen ? 0 : Math.max(0, before - RECORDED_AN_HOUR),
    guard: guard(db, 'stale', unchanged),
    count: db
      .insert(rateLimits)
      .values({ key, count, endsAt })
      .onConflictDoUpdate({ target: rateLimits.key, set: { count, endsAt } }),
  }
}

/**
 * Creates the event of a moved pointer, for the trail of the organization that it moved to. A pointer
 * that was cleared, or moved because the organization was no longer accessible, is recorded in the trail
 * of the former one.
 */
export function pointerMoved(
  action: 'organization.active_switched' | 'organization.active_auto_reassigned',
  from: string | null,
  to: string | null,
  leftOut = 0
): readonly EventDraft[] {
  const organizationId = action === 'organization.active_switched' ? (to ?? from) : from
  if (organizationId === null || from === to) return []
  if (action === 'organization.active_auto_reassigned') {
    return [organizationEvent(organizationId, action, { from, to })]
  }
  const counted = leftOut > 0 ? { left_out: leftOut } : {}
  return [organizationEvent(organizationId, action, { from, to, ...counted })]
}
