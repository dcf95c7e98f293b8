/**
 * The waitlist: the first user gets the next free seat.
 *
 * @module
 */
import { and, asc, eq, sql, type SQL } from 'drizzle-orm'
import { joinRequestEvent } from '../../engine/audit/part-actions.ts'
import { budgeted, STATEMENTS_AFTER_A_CHANGE } from '../../database/statement-budget.ts'
import { rowsWhere } from '../../database/kept-query.ts'
import { batch } from '../../database/batch.ts'
import { guard } from '../../database/commit.ts'
import type { Statement, DatabaseContext } from '../../database/database.ts'
import { joinRequests, type JoinRequestRow } from '../../database/schema/joining-tables.ts'
import {
  memberships,
  organizations,
  type MembershipRow,
  type OrganizationRow,
} from '../../database/schema/organizations-tables.ts'
import type { InvitationRow } from '../../database/schema/invitations-tables.ts'
import { unchanged, withHook, type Plan } from '../../engine/model/plan.ts'
import { planJoin } from '../../engine/model/join.ts'
import {
  excluding,
  exclusionsOf,
  guardExclusions,
  type ExclusionCandidate,
} from '../../engine/model/exclusions.ts'
import {
  guardLive,
  guardOrganization,
  guardUnchanged,
  guardUserExists,
} from '../../engine/access/access-guards.ts'
import { waitsFor } from '../../engine/seats/waitlist-seats.ts'
import { typeOfRole, type SeatType } from '../../base/seat-types.ts'
import { existingUser, personOf } from '../../engine/model/membership.ts'
import { mayChangeRole, type AccessContext, rightsOf, rolesIn } from '../../engine/access/roles.ts'
import { isWaiting } from '../../engine/model/joining-members.ts'
import type { LossContext } from '../../engine/model/leave.ts'
import { perform } from '../../engine/changes/operation.ts'
import { LIMIT_REFUSALS, hasCode, ok, type Result } from '../../base/result.ts'
import { joinRequestView } from '../../engine/model/join-request.ts'
import { configured, type JoiningContext } from './join-rules.ts'

const WAITLISTS_PER_SWEEP = 100
const ADMITTED_AT_ONCE = 20

/** How many statements admitting the first user and the work after it send to D1. */
const STATEMENTS_TO_ADMIT = 60

const host = { type: 'system' } as const

/**
 * Admits the first user of the waitlist, then the next, while there are seats of the type that their role
 * takes: at most 20 users, and as
 * many as the invocation has statements for. A message on the queue continues, or without a queue the
 * next sweep. A user who can no longer join leaves the waitlist, and so does one whom a hook or a
 * constraint of the host refuses, or a limit of their own. It does not throw: the next sweep repeats what failed.
 */
export async function admitWaiting(context: JoiningContext, organizationId: string): Promise<void> {
  const within = budgeted(context, STATEMENTS_AFTER_A_CHANGE)
  const lines = [null, ...context.roles.seatTypes.keys()]
  for (let [settled, line] = [0, 0]; line < lines.length; settled++) {
    const type = lines[line] ?? null
    const begun =
      settled < ADMITTED_AT_ONCE &&
      (await within.budget.spend(STATEMENTS_TO_ADMIT, async () => {
        if (!(await admitFirst(within, { organizationId, type }))) line++
      }))
    if (!begun) return comeBack(context, organizationId)
  }
}

/** The waitlist of one type of seats: users who wait for another type are not in it. */
interface Line {
  readonly organizationId: string
  readonly type: SeatType
}

// Refusals that are about this user alone: they must not keep the seat from the next one.
const TURNED_AWAY = ['hook_refused', 'host_conflict', ...LIMIT_REFUSALS] as const

// Returns whether the next user may have a seat too.
async function admitFirst(context: JoiningContext, line: Line): Promise<boolean> {
  const admitted = await settleFirst(context, line, admit)
  if (admitted.ok) return admitted.value !== 'nobody'
  const { error } = admitted
  if (!hasCode(error, TURNED_AWAY)) return false
  const turnedAway = await settleFirst(context, line, turnAway(error.code))
  return turnedAway.ok && turnedAway.value !== 'nobody'
}

async function comeBack({ queue, report }: JoiningContext, organizationId: string): Promise<void> {
  try {
    await queue?.send({ organizationId, line: true })
  } catch (error) {
    report({ event: 'wake_up_not_sent', organizationId, error })
  }
}

/**
 * Serves every waitlist, the longest unserved first: an invitation that expires frees a seat without an
 * event.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 * @throws {TypeError} if the part is missing.
 */
export async function sweepWaitlists(context: JoiningContext): Promise<void> {
  const { db, now } = context
  const joining = configured(context)
  const { lines } = await batch(db, {
    lines: db
      .select({ id: joinRequests.id, organizationId: joinRequests.organizationId })
      .from(joinRequests)
      .where(
        and(
          eq(joinRequests.state, 'waiting'),
          sql`not exists (select 1 from seatgate_join_requests ahead
            where ahead.organization_id = seatgate_join_requests.organization_id
            and ahead.state = 'waiting' and ahead.place < seatgate_join_requests.place)`
        )
      )
      .orderBy(asc(joinRequests.triedAt))
      .limit(WAITLISTS_PER_SWEEP),
  })
  const within = budgeted(context)
  for (const { id, organizationId } of lines) {
    // The next sweep begins with those that were not served.
    if (within.budget.left() < STATEMENTS_TO_ADMIT + 1) return within.budget.leave()
    await batch(within.db, {
      tried: db.update(joinRequests).set({ triedAt: now() }).where(eq(joinRequests.id, id)),
    })
    await joining.admitWaiting(within, organizationId)
  }
}

/** The outcome for the first user, or that there is no user. */
type Settled = 'joined' | 'gone' | 'nobody'

type Settle = (
  context: JoiningContext,
  first: JoinRequestRow,
  now: Date,
  comer: Comer
) => Plan<Settled>

/** Further facts about the first user. */
interface Comer {
  /** The organization, if it may have made roles of its own. */
  readonly organization: OrganizationRow | undefined
  readonly invited: readonly InvitationRow[]
  readonly candidates: readonly ExclusionCandidate[]
  /** The member who approved the request and counts it, if any. */
  readonly approver: MembershipRow | undefined
}

async function settleFirst(
  context: JoiningContext,
  line: Line,
  settle: Settle
): Promise<Result<Settled>> {
  const { db, roles } = context
  const { organizationId } = line
  const ofFirst = (column: 'user_id' | 'decided_by_id') =>
    sql<string | null>`(select ${sql.raw(column)} from seatgate_join_requests
      where ${isNext(context, line)} order by place limit 1)`
  const first = ofFirst('user_id')
  return perform(
    context,
    { caller: host },
    {
      name: 'organization.join_request.settle',
      input: organizationId,
      grows: true,
      queries: {
        first: db
          .select()
          .from(joinRequests)
          .where(isNext(context, line))
          .orderBy(asc(joinRequests.place))
          .limit(1),
        existing: db
          .select({ id: memberships.id })
          .from(memberships)
          .where(
            and(
              eq(memberships.organizationId, organizationId),
              eq(memberships.userId, sql`${first}`)
            )
          ),
        user: existingUser(context, first),
        invited: context.invitations?.members.toUser(context, organizationId, first) ?? null,
        excluded: exclusionsOf(context, sql`${organizationId}`, personOf(context, first)),
        // The roles that the organization has made.
        organizations: roles.extend
          ? rowsWhere(db, organizations, eq(organizations.id, organizationId))
          : null,
        approvers: rowsWhere(
          db,
          memberships,
          and(
            eq(memberships.organizationId, organizationId),
            eq(memberships.userId, ofFirst('decided_by_id'))
          )
        ),
      },
      plan({ rows }, _caller, now) {
        const [waiting] = rows.first
        if (!waiting) return ok(unchanged('nobody'))
        const gone = rows.user.length === 0 ? 'user_deleted' : 'already_member'
        const here = rows.existing.length === 0 && rows.user.length > 0
        if (!here) return ok(close(gone)(context, waiting, now))
        const candidates = rows.excluded
        const [approver] = rows.approvers
        const [organization] = rows.organizations
        const own = organization ? rolesIn(roles, organization) : roles
        const putOut = excluding(candidates, waiting.userId).length > 0
        if (putOut || !isApproved({ ...context, roles: own }, waiting, approver)) {
          return ok(askAgain(context, waiting, approver, now))
        }
        const { invited } = rows
        return ok(settle(context, waiting, now, { organization, invited, candidates, approver }))
      },
    }
  )
}

/**
 * Whether the approval is valid now: its author could still give it. An invitation follows the same rule.
 * A user who joins by domain needs no approval, and an approval of the host stays valid.
 */
function isApproved(
  { roles, invitations }: Pick<LossContext, 'invitations' | 'roles'>,
  { decidedById, role }: JoinRequestRow,
  approver: MembershipRow | undefined
): boolean {
  if (decidedById === null || invitations?.outliveInviter) return true
  return (
    approver?.status === 'active' && mayChangeRole(roles, rightsOf(roles, approver), null, role)
  )
}

const admit: Settle = (context, first, now, { organization, invited, candidates, approver }) => {
  const { organizationId, userId, role, path } = first
  const plan = planJoin(
    context,
    { organizationId, userId, role },
    host,
    now,
    [
      organization ? guardOrganization(context, organization) : guardLive(context, organizationId),
      guardFirst(context, first),
      guardExclusions(context, organizationId, personOf(context, userId), candidates),
      ...guardUserExists(context, userId),
      ...guardApprover(context, approver),
      endRequest(context, first, 'joined', now),
    ],
    { path, awaited: true, requestId: first.id, invited }
  )
  return { ...plan, value: 'joined' }
}

const turnAway =
  (reason: (typeof TURNED_AWAY)[number]): Settle =>
  (context, first, now) => ({
    value: 'gone',
    statements: [guardFirst(context, first), endRequest(context, first, 'declined', now)],
    events: [
      withHook(
        joinRequestEvent(first, 'organization.join_request.declined', { reason }),
        'afterJoinRequestDecline',
        { request: joinRequestView({ ...first, state: 'declined', updatedAt: now }), path: reason }
      ),
    ],
  })

// The user was removed after they joined the waitlist, or their approval is no longer valid: they need an
// approval again.
const askAgain = (
  context: AccessContext,
  first: JoinRequestRow,
  approver: MembershipRow | undefined,
  now: Date
): Plan<Settled> => ({
  value: 'gone',
  statements: [
    guardFirst(context, first),
    ...guardApprover(context, approver),
    context.db
      .update(joinRequests)
      .set({ state: 'open', path: 'request', decidedById: null, updatedAt: now })
      .where(eq(joinRequests.id, first.id)),
  ],
  events: [
    withHook(
      joinRequestEvent(first, 'organization.join_request.created'),
      'afterJoinRequestCreate',
      { request: joinRequestView({ ...first, state: 'open', updatedAt: now }) }
    ),
  ],
})

// The user has joined by another way, or no longer exists.
const close =
  (path: 'already_member' | 'user_deleted') =>
  (context: AccessContext, first: JoinRequestRow, now: Date): Plan<Settled> => ({
    value: 'gone',
    statements: [guardFirst(context, first), endRequest(context, first, 'closed', now)],
    events: [
      withHook(
        joinRequestEvent(first, 'organization.join_request.closed'),
        'afterJoinRequestClose',
        {
          request: joinRequestView({ ...first, state: 'closed', updatedAt: now }),
          path,
        }
      ),
    ],
  })

function endRequest(
  { db }: DatabaseContext,
  { id }: JoinRequestRow,
  state: 'joined' | 'declined' | 'closed',
  now: Date
): Statement {
  return db.update(joinRequests).set({ state, updatedAt: now }).where(eq(joinRequests.id, id))
}

function guardApprover(context: DatabaseContext, approver: MembershipRow | undefined): Statement[] {
  return approver ? [guardUnchanged(context, approver)] : []
}

function guardFirst(context: AccessContext, first: JoinRequestRow): Statement {
  const { organizationId, id, role, decidedById } = first
  const line = { organizationId, type: typeOfRole(context.roles, role) }
  return guard(
    context.db,
    'stale',
    sql`exists (select 1 from (select * from seatgate_join_requests
        where ${isNext(context, line)} order by place limit 1)
      where id = ${id} and role = ${role} and decided_by_id is ${decidedById})`
  )
}

function isNext({ roles }: Pick<AccessContext, 'roles'>, { organizationId, type }: Line): SQL {
  return sql`organization_id = ${organizationId} and ${isWaiting(roles)}${waitsFor(roles, type)}`
}
