import { observed } from '../../engine/access/observed.ts'
import { eq, getTableColumns, sql, type SQL } from 'drizzle-orm'
import { actingOwner } from '../../engine/access/access-guards.ts'
import { guard } from '../../database/commit.ts'
import type { Database, Statement, UserContext } from '../../database/database.ts'
import { memberships, type MembershipRow } from '../../database/schema/organizations-tables.ts'
import type { InvitationRow } from '../../database/schema/invitations-tables.ts'
import type { JoiningMembersContext, OwnExclusion } from '../../engine/model/joining-members.ts'
import { NOTHING_LOST, planLeave, type LossContext } from '../../engine/model/leave.ts'
import { personOf } from '../../engine/model/membership.ts'
import type { MembershipContext } from '../../engine/changes/change-context.ts'
import type { AccessContext } from '../../engine/access/roles.ts'
import { perform } from '../../engine/changes/operation.ts'
import { composeLifecycle } from '../../engine/changes/lifecycle-hooks.ts'
import { prepare, type Prepared } from '../../engine/changes/prepare-change.ts'
import type { SeatlessPlan } from '../../engine/model/plan.ts'
import { proving, readProof, type ProofInput } from '../../engine/access/step-up.ts'
import { find } from '../../engine/access/authorize.ts'
import {
  HOOK_REFUSALS,
  PROOF_REFUSALS,
  ok,
  refused,
  type CommitRefusal,
  type HookRefusal,
  type InputRefusal,
  type NamedOrganization,
  type ProofRefusal,
  type Result,
} from '../../base/result.ts'
import type { Runtime } from '../../base/runtime.ts'
import {
  isUser,
  requestInfoOf,
  userIdOf,
  type Principal,
  type Scope,
} from '../../engine/access/principal.ts'
import type { ScimMembersContext } from '../../engine/model/scim-members.ts'
import type { SessionStoreContext } from '../../engine/model/session-store.ts'

/** Why {@link deleteUser} refuses. */
export type DeleteUserRefusal =
  | 'unauthenticated'
  | 'insufficient_role'
  | InputRefusal
  | ProofRefusal
  | HookRefusal
  | CommitRefusal
  | 'last_owner'

/**
 * Deletes the caller's account `{ password | stepUpProof }`: in one batch, every membership is deleted,
 * every seat is freed, each organization records it, and the host's `onDelete` hook deletes the user.
 * Refused for the only owner of a live organization.
 *
 * Refusals: `unauthenticated`, `insufficient_role` (of a caller who is no person), `InputRefusal`,
 * `ProofRefusal`, `HookRefusal`, `CommitRefusal` (`host_conflict` if a foreign key of the host keeps the
 * user), `last_owner` (with the `organizations`).
 *
 * @throws {TypeError} if the host has configured neither `verifyPassword` nor `stepUp`, or no
 *   `hooks.onDelete`.
 *
 * @example
 * ```ts
 * const deleted = await deleteUser(seatgate, { caller: { userId } }, { password })
 * ```
 */
export async function deleteUser(
  context: MembershipContext,
  { caller, ...request }: Scope,
  input: ProofInput
): Promise<Result<null, DeleteUserRefusal>> {
  if (!context.lifecycle.onDelete) {
    throw new TypeError('deleteUser needs hooks.onDelete in createSeatgate.')
  }
  const parsed = readProof(context, caller, input)
  return perform(
    context,
    { caller, ...requestInfoOf(request) },
    {
      name: 'user.delete',
      input: null,
      grows: false,
      refusals: [...PROOF_REFUSALS, ...HOOK_REFUSALS],
      queries: belongingsOf(context, userIdOf(caller)),
      plan({ rows }, leaver, now) {
        if (!isUser(leaver)) return refused({ code: 'insufficient_role' })
        if (!parsed.ok) return parsed
        const planned = planDeletion(context, leaver.userId, rows, leaver, now)
        return planned.ok ? ok({ ...planned.value, proof: proving(parsed.value) }) : planned
      },
    }
  )
}

/** Why {@link prepareUserDeletion} refuses. */
export type PrepareUserDeletionRefusal = HookRefusal | 'last_owner'

/**
 * Prepares the end of a user's memberships for a batch of the host that deletes the user. The `onDelete`
 * hook is part of it. If the memberships change before the batch, the batch is refused with
 * `operation_in_progress`: prepare it again.
 *
 * Refusals: `HookRefusal`, `last_owner` (with the `organizations`).
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * const leaving = await prepareUserDeletion(seatgate, { caller: { type: 'system' } }, userId)
 * if (leaving.ok) await commitTogether(seatgate, leaving.value, { after: [deleteUserRow] })
 * ```
 */
export function prepareUserDeletion(
  context: MembershipContext,
  { caller, ...request }: Scope & { readonly caller: Principal },
  userId: string
): Promise<Result<Prepared<null>, PrepareUserDeletionRefusal>> {
  return observed(context, 'user.delete.prepare', async (context) => {
    const { rows } = await find(context.db, { caller }, belongingsOf(context, userId))
    const now = context.now()
    const planned = planDeletion(context, userId, rows, caller, now)
    if (!planned.ok) return planned
    return prepare(context, { caller, ...requestInfoOf(request), now }, planned.value)
  })
}

/** A membership, and the organization if it would be left without an owner who can act. */
interface Belonging extends MembershipRow {
  readonly orphan: string | null
  /** The user's address, for a suspended membership. */
  readonly address: string | null
}

/** The rows of a user who is to be deleted. */
interface Belongings {
  readonly belongings: readonly Belonging[]
  /** The open invitations that the user has sent. */
  readonly sent: readonly InvitationRow[]
  /** The organizations that exclude the user already, and their address. */
  readonly excluded: readonly OwnExclusion[]
}

function belongingsOf(
  context: LossContext & JoiningMembersContext,
  userId: SQL<string | null> | string | null
) {
  const places = sql`select organization_id from seatgate_memberships where user_id = ${userId}`
  return {
    belongings: membershipsWithOrphans(context, userId),
    sent: context.invitations?.members.by(context, places, userId) ?? null,
    excluded: context.joining?.members.exclusionsBy(context, userId) ?? null,
  }
}

function membershipsWithOrphans(
  context: AccessContext & UserContext,
  userId: SQL<string | null> | string | null
) {
  const { db, roles } = context
  const { address } = personOf(context, userId)
  return db
    .select({
      ...getTableColumns(memberships),
      orphan: sql<string | null>`(select json_object('id', o.id, 'name', o.name, 'slug', o.slug)
        from seatgate_organizations o where o.id = seatgate_memberships.organization_id
        and ${onlyOwner(roles.owner)})`.as('orphan'),
      address: sql<
        string | null
      >`case seatgate_memberships.status when 'suspended' then ${address} end`.as(
        'present_address'
      ),
    })
    .from(memberships)
    .where(eq(memberships.userId, sql`${userId}`))
    .orderBy(memberships.createdAt, memberships.id)
}

// For the organization `o` and the row of `memberships` of the surrounding query.
function onlyOwner(ownerRole: string): SQL {
  return sql`o.deleted_at is null
    and seatgate_memberships.role = ${ownerRole} and seatgate_memberships.status = 'active'
    and not exists (select 1 from seatgate_memberships other
      where other.organization_id = o.id and other.user_id <> seatgate_memberships.user_id
      and ${actingOwner(ownerRole, 'other.')})`
}

function planDeletion(
  context: LossContext &
    JoiningMembersContext &
    ScimMembersContext &
    SessionStoreContext &
    Pick<Runtime, 'newId' | 'newSecret'>,
  userId: string,
  { belongings, sent, excluded }: Belongings,
  caller: Principal,
  now: Date
): Result<SeatlessPlan<null>, 'last_owner'> {
  const { db, roles } = context
  const organizations = belongings.flatMap(({ orphan }) =>
    orphan === null ? [] : [JSON.parse(orphan) as NamedOrganization]
  )
  if (organizations.length > 0) return refused({ code: 'last_owner', organizations })
  const lost =
    context.invitations?.members.endLost(context, sent, {
      userId,
      organizationIds: belongings.map(({ organizationId }) => organizationId),
      rights: null,
      putOut: false,
      by: userIdOf(caller),
      now,
    }) ?? NOTHING_LOST
  const suspended = belongings.filter(({ status }) => status === 'suspended')
  const leave = planLeave(context, belongings, 'user_deleted', ({ organizationId }) =>
    lost.counts.get(organizationId)
  )
  return ok({
    ...leave,
    value: null,
    statements: [
      guardBelongings(db, userId, belongings),
      guard(
        db,
        'stale',
        sql`not exists (select 1 from seatgate_memberships join seatgate_organizations o
          on o.id = seatgate_memberships.organization_id
          where seatgate_memberships.user_id = ${userId} and ${onlyOwner(roles.owner)})`
      ),
      ...lost.statements,
      ...leave.statements,
      ...(context.joining?.members.excludeAgain(
        context,
        userId,
        [...suspended, ...excluded],
        now
      ) ?? []),
      ...(context.scim ? [context.scim.members.forget(context, userId)] : []),
    ],
    freedSeats: [...leave.freedSeats, ...lost.freedSeats],
    events: [...leave.events, ...lost.events],
    lifecycle: (context, statements) =>
      composeLifecycle(context, 'onDelete', statements, { userId }),
  })
}

// Guards that the memberships are exactly those that were read.
function guardBelongings(
  db: Database,
  userId: string,
  belongings: readonly MembershipRow[]
): Statement {
  const known = belongings.map(({ id, role, status, seatId }) =>
    [id, role, status, seatId ?? ''].join(' ')
  )
  const own = sql`select count(*) from seatgate_memberships where user_id = ${userId}`
  return guard(
    db,
    'stale',
    sql`(${own}) = ${known.length} and (${own}
      and id || ' ' || role || ' ' || status || ' ' || coalesce(seat_id, '')
      in (select value from json_each(${JSON.stringify(known)}))) = ${known.length}`
  )
}
