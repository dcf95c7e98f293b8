import { and, eq, inArray, sql, type SQL } from 'drizzle-orm'
import { batch } from '../../database/batch.ts'
import { rowsWhere } from '../../database/kept-query.ts'
import { guard } from '../../database/commit.ts'
import type { DatabaseContext, Statement } from '../../database/database.ts'
import { rateLimits } from '../../database/schema/changes-tables.ts'
import type { InvitationRow } from '../../database/schema/invitations-tables.ts'
import {
  joinRequests,
  type InviteLinkRow,
  type JoinRequestRow,
} from '../../database/schema/joining-tables.ts'
import { memberships, type OrganizationRow } from '../../database/schema/organizations-tables.ts'
import {
  HOOK_REFUSALS,
  SEAT_REFUSALS,
  ok,
  refused,
  type HookRefusal,
  type RefusalCode,
  type Result,
  type SeatRefusal,
  type StoreRefusal,
} from '../../base/result.ts'
import { guardOrganization, guardUserExists } from '../../engine/access/access-guards.ts'
import {
  isUser,
  operationActor,
  requestInfoOf,
  userIdOf,
  type Scope,
  type UserPrincipal,
} from '../../engine/access/principal.ts'
import { isConfigured, rolesIn } from '../../engine/access/roles.ts'
import { joinRequestEvent, linkEvent } from '../../engine/audit/part-actions.ts'
import { storeRefusal } from '../../engine/changes/operation-refusals.ts'
import { perform, type OperationOptions } from '../../engine/changes/operation.ts'
import {
  excluding,
  exclusionsOf,
  guardExclusions,
  type ExclusionCandidate,
} from '../../engine/model/exclusions.ts'
import {
  joinRequestView,
  pendingOutcome,
  type JoinOutcome,
} from '../../engine/model/join-request.ts'
import { nextPlace, waitsForSeat } from '../../engine/model/waitlist-place.ts'
import { planJoin } from '../../engine/model/join.ts'
import { membershipView, personOf } from '../../engine/model/membership.ts'
import { unchanged, withHook, type Plan } from '../../engine/model/plan.ts'
import { countUp, isReached, secondsLeft } from '../../engine/model/rate-limits.ts'
import {
  linkQueries,
  linkRules,
  openLink,
  organizationOfLink,
  readLinkToken,
  spendUse,
  type LinkRefusal,
  type LinkTokenInput,
} from './invite-link.ts'
import type { JoiningContext } from './join-rules.ts'
import { guardRequest, outcomeOnWaitlist, verifiedDomainOf } from './joining-lookup.ts'

/** Why {@link joinByLink} refuses. */
export type JoinByLinkRefusal =
  | 'unauthenticated'
  | LinkRefusal
  | SeatRefusal
  | 'membership_limit_reached'
  | HookRefusal
  | StoreRefusal
  | 'insufficient_role'
  | 'email_mismatch'
  | 'invitation_mismatch'
  | 'already_member'
  | 'role_not_configured'
  | 'rate_limited'
  | 'not_pending'

const WRONG_TOKENS_A_DAY = 20

/**
 * Joins an organization by a link `{ token }`, in the role of the link. The batch of the membership spends
 * one use, so no more users join than there are uses. Without a free seat the user is refused, and spends
 * no use, or enters the waitlist and spends one, as `links.whenFull` says. A member, or a user on the
 * waitlist, is returned unchanged and spends no use.
 *
 * Refusals: `unauthenticated`, `LinkRefusal`, `SeatRefusal`, `membership_limit_reached`, `HookRefusal`,
 * `StoreRefusal`, `insufficient_role` (the caller is not a person), `email_mismatch` (no verified address
 * in the domain of the link), `invitation_mismatch` (a former member whom another user removed or
 * suspended), `already_member` (the caller is suspended), `role_not_configured`, `rate_limited` (too many
 * wrong tokens), `not_pending` (the place on the waitlist ended before the response).
 *
 * @throws {TypeError} if `joinRules` has no `links`.
 *
 * @example
 * ```ts
 * const joined = await joinByLink(seatgate, { caller: session }, { token })
 * if (joined.ok && joined.value.status === 'joined') welcome(joined.value.membership)
 * ```
 */
export async function joinByLink(
  context: JoiningContext,
  { caller, ...request }: Scope,
  input: LinkTokenInput,
  options: OperationOptions = {}
): Promise<Result<JoinOutcome, JoinByLinkRefusal>> {
  linkRules(context)
  const { db, roles } = context
  const read = readLinkToken(input)
  const hash = read.ok ? read.value : null
  const userId = userIdOf(caller)
  const place = organizationOfLink(hash)
  const attempts = sql`'link:' || ${operationActor(caller)}`
  const answer = await perform(
    context,
    { caller, ...requestInfoOf(request) },
    {
      name: 'organization.join_by_link',
      input: hash,
      grows: true,
      refusals: [...HOOK_REFUSALS, ...SEAT_REFUSALS, 'membership_limit_reached'],
      finish: (outcome: JoinOutcome) => outcomeOnWaitlist(context, outcome),
      queries: {
        ...linkQueries(context, hash),
        existing: rowsWhere(
          db,
          memberships,
          and(
            eq(memberships.organizationId, sql`(${place})`),
            eq(memberships.userId, sql`${userId}`)
          )
        ),
        verified: db
          .select({ domain: verifiedDomainOf(context, userId).as('verified_domain') })
          .from(sql`(select 1)`),
        excluded: exclusionsOf(context, place, personOf(context, userId)),
        invited:
          context.invitations?.members.toUser(context, sql<string>`(${place})`, userId) ?? null,
        pending: rowsWhere(
          db,
          joinRequests,
          and(
            eq(joinRequests.organizationId, sql`(${place})`),
            eq(joinRequests.userId, sql`${userId}`),
            inArray(joinRequests.state, ['open', 'waiting'])
          )
        ),
        attempts: rowsWhere(db, rateLimits, sql`${rateLimits.key} = ${attempts}`),
      },
      plan({ rows }, by, now): Result<Plan<JoinOutcome>, JoinByLinkRefusal> {
        if (!isUser(by)) return refused({ code: 'insufficient_role' })
        if (!read.ok) return read
        const [counted] = rows.attempts
        if (isReached(WRONG_TOKENS_A_DAY, counted, now)) {
          return refused({ code: 'rate_limited', retryAfterSeconds: secondsLeft(counted, now) })
        }
        const [existing] = rows.existing
        if (rows.organizations.length > 0 && existing?.status === 'active') {
          return ok(unchanged({ status: 'joined', membership: membershipView(existing) }))
        }
        const [pending] = rows.pending
        if (rows.organizations.length > 0 && pending?.state === 'waiting') {
          return ok(unchanged(pendingOutcome(pending)))
        }
        const open = openLink(context, rows, now)
        if (!open.ok) return open
        const link = open.value
        if (existing) return refused({ code: 'already_member' })
        if (link.domain !== null && rows.verified[0]?.domain !== link.domain) {
          return refused({ code: 'email_mismatch' })
        }
        if (excluding(rows.excluded, by.userId).length > 0) {
          return refused({ code: 'invitation_mismatch' })
        }
        const [organization] = rows.organizations
        if (!organization || !isConfigured(rolesIn(roles, organization), link.role)) {
          return refused({ code: 'role_not_configured' })
        }
        const comer = { organization, candidates: rows.excluded, invited: rows.invited, pending }
        return ok(planEntry(context, link, comer, by, now))
      },
    },
    options
  )
  return countWrong(context, attempts, answer)
}

/** Further facts about the joining user. */
interface Comer {
  readonly organization: OrganizationRow
  readonly candidates: readonly ExclusionCandidate[]
  readonly invited: readonly InvitationRow[]
  /** Their open request to join. */
  readonly pending: JoinRequestRow | undefined
}

function planEntry(
  context: JoiningContext,
  link: InviteLinkRow,
  { organization, candidates, invited, pending }: Comer,
  caller: UserPrincipal,
  now: Date
): Plan<JoinOutcome> {
  const { organizationId, role } = link
  const { userId } = caller
  const used = linkEvent(link, 'organization.invite_link.used', { user_id: userId })
  const guards = [
    guardOrganization(context, organization),
    ...spendUse(context, link, now),
    ...guardDomain(context, link, userId),
    guardExclusions(context, organizationId, personOf(context, userId), candidates),
    ...guardUserExists(context, userId),
    ...(pending ? [guardRequest(context, pending)] : []),
  ]
  if (waitsForSeat(context, linkRules(context).whenFull, role)) {
    const plan = planWaiting(context, link, pending, caller, now)
    return {
      ...plan,
      statements: [...guards, ...plan.statements],
      events: [used, ...plan.events],
    }
  }
  const statements = pending ? [...guards, stampJoined(context, pending, now)] : guards
  const details = { path: 'link', requestId: pending?.id, invited } as const
  const plan = planJoin(context, { organizationId, userId, role }, caller, now, statements, details)
  const { membership } = plan.value
  return { ...plan, value: { status: 'joined', membership }, events: [used, ...plan.events] }
}

function guardDomain(context: JoiningContext, { domain }: InviteLinkRow, userId: string) {
  if (domain === null) return []
  return [guard(context.db, 'stale', sql`${verifiedDomainOf(context, userId)} = ${domain}`)]
}

function stampJoined({ db }: DatabaseContext, { id }: JoinRequestRow, now: Date): Statement {
  return db
    .update(joinRequests)
    .set({ state: 'joined', updatedAt: now })
    .where(eq(joinRequests.id, id))
}

// The creator of the link counts as the approver: the place ends if they lose the right to invite.
function planWaiting(
  { db, newId }: Pick<JoiningContext, 'db' | 'newId'>,
  { organizationId, role, createdById }: InviteLinkRow,
  pending: JoinRequestRow | undefined,
  caller: UserPrincipal,
  now: Date
): Plan<JoinOutcome> {
  const { userId } = caller
  const row = {
    id: pending?.id ?? newId(),
    organizationId,
    userId,
    role,
    path: 'request' as const,
    state: 'waiting' as const,
    triedAt: now,
    decidedById: createdById,
    createdAt: pending?.createdAt ?? now,
    updatedAt: now,
  }
  const values = { ...row, place: nextPlace(organizationId) }
  return {
    value: pendingOutcome(row),
    before: [{ hook: 'beforeJoinRequestQueue', state: { organizationId, userId, role, caller } }],
    statements: [
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

/**
 * Counts a wrong token. If D1 does not answer, the result stands and the failure is reported: the counter
 * must not block a correct attempt.
 */
async function countWrong<T, Code extends RefusalCode>(
  { db, now, report }: Pick<JoiningContext, 'db' | 'now' | 'report'>,
  key: SQL,
  answer: Result<T, Code>
): Promise<Result<T, Code | 'rate_limited'>> {
  if (answer.ok || answer.error.code !== 'invitation_invalid') return answer
  const at = now()
  try {
    const { counted } = await batch(db, { counted: countUp(db, key, 1, at).returning() })
    const [row] = counted
    if (row === undefined || row.count <= WRONG_TOKENS_A_DAY) return answer
    return refused({ code: 'rate_limited', retryAfterSeconds: secondsLeft(row, at) })
  } catch (error) {
    storeRefusal({ report }, error)
    return answer
  }
}
