import { and, eq, inArray, sql } from 'drizzle-orm'
import * as v from 'valibot'
import { joinRequestEvent } from '../../engine/audit/part-actions.ts'
import type { DatabaseContext } from '../../database/database.ts'
import { rowsWhere } from '../../database/kept-query.ts'
import {
  joinRequests,
  type DomainRow,
  type JoinRequestRow,
} from '../../database/schema/joining-tables.ts'
import { memberships } from '../../database/schema/organizations-tables.ts'
import { rateLimits } from '../../database/schema/changes-tables.ts'
import type { InvitationRow } from '../../database/schema/invitations-tables.ts'
import { unchanged, withHook, type Plan } from '../../engine/model/plan.ts'
import { countMore, reached, type Rate } from '../../engine/model/rate-limits.ts'
import { nextPlace, waitsForSeat } from '../../engine/model/waitlist-place.ts'
import { LineOfText, parseInput } from '../../base/input.ts'
import { planJoin } from '../../engine/model/join.ts'
import {
  excluding,
  exclusionsOf,
  guardExclusions,
  type ExclusionCandidate,
} from '../../engine/model/exclusions.ts'
import { guardLive, guardUserExists } from '../../engine/access/access-guards.ts'
import { membershipView, personOf } from '../../engine/model/membership.ts'
import { perform, type OperationOptions } from '../../engine/changes/operation.ts'
import {
  HOOK_REFUSALS,
  SEAT_REFUSALS,
  ok,
  refused,
  type AccessRefusal,
  type HookRefusal,
  type InputRefusal,
  type Result,
  type SeatRefusal,
  type StoreRefusal,
} from '../../base/result.ts'
import {
  isUser,
  requestInfoOf,
  userIdOf,
  type Scope,
  type UserPrincipal,
} from '../../engine/access/principal.ts'
import { configured, type JoiningContext } from './join-rules.ts'
import { guardOpenDomain, guardRequest, openDomain, outcomeOnWaitlist } from './joining-lookup.ts'
import {
  isPendingRequest,
  joinRequestView,
  pendingOutcome,
  type JoinOutcome,
} from '../../engine/model/join-request.ts'

const Input = v.object({ organizationId: LineOfText }, 'Must be an object.')

// Each attempt writes an event into the trail of an organization that the user may not belong to.
const JOINS_A_DAY = 10

/** The limit of a user's joins and requests in one organization. */
function joinRate(organizationId: string, userId: string): Rate<'rate_limited_user'> {
  const key = `join:${organizationId}:${userId}`
  return { code: 'rate_limited_user', key, limit: JOINS_A_DAY }
}

// A declined user may request again after this time.
const PAUSE_MS = 24 * 60 * 60 * 1000

/** The input of {@link joinOrganization}. */
export interface JoinOrganizationInput {
  readonly organizationId: string
}

/** Why {@link joinOrganization} refuses. */
export type JoinOrganizationRefusal =
  | AccessRefusal
  | InputRefusal
  | SeatRefusal
  | 'membership_limit_reached'
  | HookRefusal
  | StoreRefusal
  | 'already_member'
  | 'rate_limited_user'
  | 'not_pending'

/**
 * Joins an organization `{ organizationId }` by the domain of the caller's verified address, or requests
 * to join, as the mode of the domain says. A user who was removed or suspended by another one always has
 * to request, also with another account of the same address, until they are let in. Without a free seat
 * it is refused or puts the user on the waitlist, as `joinRules` configures. Returns a member
 * unchanged. For a user whose address is in no domain of the organization, the organization does not exist.
 *
 * Refusals: `AccessRefusal` (`insufficient_role` of a caller who is no person), `InputRefusal`,
 * `SeatRefusal`, `membership_limit_reached`, `HookRefusal`, `StoreRefusal`, `already_member` (suspended),
 * `rate_limited_user` (declined less than a day ago, or the eleventh time in a day), `not_pending` (the request ended before this answer).
 *
 * @throws {TypeError} if the host has configured no `joining`.
 *
 * @example
 * ```ts
 * const joined = await joinOrganization(seatgate, { caller: session }, { organizationId })
 * if (joined.ok && joined.value.status === 'waiting') console.log('You are on the waitlist.')
 * ```
 */
export async function joinOrganization(
  context: JoiningContext,
  scope: Scope,
  input: JoinOrganizationInput,
  options: OperationOptions = {}
): Promise<Result<JoinOutcome, JoinOrganizationRefusal>> {
  const { db } = context
  const { caller } = scope
  configured(context)
  const parsed = parseInput(Input, input)
  const organizationId = parsed.ok ? parsed.value.organizationId : ''
  const userId = userIdOf(caller)
  const own = sql`${userId}`
  return perform(
    context,
    { caller, ...requestInfoOf(scope) },
    {
      name: 'organization.join',
      input,
      grows: true,
      refusals: [
        ...HOOK_REFUSALS,
        ...SEAT_REFUSALS,
        'membership_limit_reached',
        'rate_limited_user',
      ],
      finish: (outcome) => outcomeOnWaitlist(context, outcome),
      queries: {
        doors: openDomain(context, organizationId, userId),
        counted: rowsWhere(
          db,
          rateLimits,
          eq(rateLimits.key, sql`'join:' || ${organizationId} || ':' || ${own}`)
        ),
        excluded: exclusionsOf(
          context,
          sql`select organization_id from (${openDomain(context, organizationId, userId)})`,
          personOf(context, userId)
        ),
        invited: context.invitations?.members.toUser(context, organizationId, userId) ?? null,
        existing: rowsWhere(
          db,
          memberships,
          and(eq(memberships.organizationId, organizationId), eq(memberships.userId, own))
        ),
        earlier: rowsWhere(
          db,
          joinRequests,
          and(
            eq(joinRequests.organizationId, organizationId),
            eq(joinRequests.userId, own),
            inArray(joinRequests.state, ['open', 'waiting', 'declined'])
          )
        ),
      },
      plan({ rows }, by, now): Result<Plan<JoinOutcome>, JoinOrganizationRefusal> {
        if (!isUser(by)) return refused({ code: 'insufficient_role' })
        if (!parsed.ok) return parsed
        const [existing] = rows.existing
        if (existing?.status === 'active') {
          return ok(unchanged({ status: 'joined', membership: membershipView(existing) }))
        }
        const [door] = rows.doors
        if (!door || configured(context).publicDomains.has(door.domain)) {
          return refused({ code: 'organization_not_found' })
        }
        if (existing) return refused({ code: 'already_member' })
        const comer = {
          candidates: rows.excluded,
          excluded: excluding(rows.excluded, by.userId).length > 0,
          pending: rows.earlier.find(isPendingRequest),
          pauseMs: pauseAfter(rows.earlier, now),
          invited: rows.invited,
          tooOften: reached([joinRate(organizationId, by.userId)], rows.counted, now),
        }
        return planEntry(context, door, comer, by, now)
      },
    },
    options
  )
}

function pauseAfter(earlier: readonly JoinRequestRow[], now: Date): number {
  const declined = earlier.filter(({ state }) => state === 'declined')
  const ends = declined.map(({ updatedAt }) => updatedAt.getTime() + PAUSE_MS - now.getTime())
  return Math.max(0, ...ends)
}

/** Further facts about the joining user. */
interface Comer {
  /** The rows about exclusion, and whether the user is excluded. */
  readonly candidates: readonly ExclusionCandidate[]
  readonly excluded: boolean
  readonly pending: JoinRequestRow | undefined
  /** For how long a declined user may not request again. */
  readonly pauseMs: number
  readonly invited: readonly InvitationRow[]
  readonly tooOften: ReturnType<typeof reached<'rate_limited_user'>>
}

function planEntry(
  context: JoiningContext,
  door: DomainRow,
  { candidates, excluded, pending, pauseMs, invited, tooOften }: Comer,
  caller: UserPrincipal,
  now: Date
): Result<Plan<JoinOutcome>, 'rate_limited_user'> {
  const { role, whenFull } = configured(context)
  const { organizationId } = door
  const { userId } = caller
  const mode = excluded ? 'request' : door.mode
  if (pending && (pending.state === 'waiting' || mode === 'request')) {
    return ok(unchanged(pendingOutcome(pending)))
  }
  if (tooOften) return refused(tooOften)
  const guards = [
    ...countMore(context, [joinRate(organizationId, userId)], 1, now),
    guardLive(context, organizationId),
    guardOpenDomain(context, door, userId),
    guardExclusions(context, organizationId, personOf(context, userId), candidates),
    ...guardUserExists(context, userId),
    ...(pending ? [guardRequest(context, pending)] : []),
  ]
  const waits = waitsForSeat(context, whenFull.domain, role)
  if (mode === 'auto' && !waits) {
    const newcomer = { organizationId, userId, role }
    const statements = pending ? [...guards, stampJoined(context, pending, now)] : guards
    const details = { path: 'domain', requestId: pending?.id, invited } as const
    const plan = planJoin(context, newcomer, caller, now, statements, details)
    const { membership } = plan.value
    return ok({ ...plan, value: { status: 'joined', membership } })
  }
  if (mode === 'request' && pauseMs > 0) {
    return refused({ code: 'rate_limited_user', retryAfterSeconds: Math.ceil(pauseMs / 1000) })
  }
  return ok(planRequest(context, { organizationId, mode }, pending, caller, now, guards))
}

function stampJoined({ db }: DatabaseContext, { id }: JoinRequestRow, now: Date) {
  return db
    .update(joinRequests)
    .set({ state: 'joined', updatedAt: now })
    .where(eq(joinRequests.id, id))
}

// An open request, of an organization whose domain now admits users, moves to the waitlist.
function planRequest(
  { db, newId, joining }: Pick<JoiningContext, 'db' | 'joining' | 'newId'>,
  { organizationId, mode }: Pick<DomainRow, 'organizationId' | 'mode'>,
  pending: JoinRequestRow | undefined,
  caller: UserPrincipal,
  now: Date,
  guards: Plan<unknown>['statements']
): Plan<JoinOutcome> {
  const { userId } = caller
  const waits = mode === 'auto'
  const row = {
    id: pending?.id ?? newId(),
    organizationId,
    userId,
    role: joining.role,
    path: waits ? ('domain' as const) : ('request' as const),
    state: waits ? ('waiting' as const) : ('open' as const),
    triedAt: now,
    decidedById: null,
    createdAt: pending?.createdAt ?? now,
    updatedAt: now,
  }
  const values = { ...row, place: waits ? nextPlace(organizationId) : null }
  const { role } = row
  const state = { organizationId, userId, role, caller }
  const request = joinRequestView(row)
  return {
    value: pendingOutcome(row),
    before: [{ hook: waits ? 'beforeJoinRequestQueue' : 'beforeJoinRequestCreate', state }],
    statements: [
      ...guards,
      pending
        ? db.update(joinRequests).set(values).where(eq(joinRequests.id, pending.id))
        : db.insert(joinRequests).values(values),
    ],
    events: [
      waits
        ? withHook(
            joinRequestEvent(row, 'organization.join_request.queued'),
            'afterJoinRequestQueue',
            { request }
          )
        : withHook(
            joinRequestEvent(row, 'organization.join_request.created'),
            'afterJoinRequestCreate',
            { request }
          ),
    ],
  }
}
