/**
 * Limits on how many organizations a user may own, and be a member of. They are guards at the end of a
 * change's own batch: D1 has one writer, so of many changes at once no more come through than a limit allows.
 *
 * @module
 */
import { sql, type SQL } from 'drizzle-orm'
import { checkOptionNames, namesOf } from '../../base/names.ts'
import type { LimitRefusal } from '../../base/result.ts'
import { guardSelecting } from '../../database/commit.ts'
import type { Statement } from '../../database/database.ts'
import type { AccessContext } from '../../engine/access/roles.ts'
import type { EventDraft } from '../../engine/audit/event.ts'
import type { Follower } from '../../engine/changes/change-context.ts'
import type { Part } from '../../engine/changes/part.ts'

/**
 * A limit: a whole number from 0, `Infinity` for no limit, or a function that returns one as SQL for the user
 * whose id is the column or value `userId`. Null is no limit.
 */
export type UserLimit = number | ((userId: SQL<string>) => SQL<number | null>)

/** Options of {@link userLimits}. */
export interface UserLimitOptions {
  /** How many organizations a user may own. Default: any number. */
  readonly owned?: UserLimit
  /** How many organizations a user may be in, with those that they own. Default: any number. */
  readonly memberships?: UserLimit
}

const OPTIONS = namesOf<UserLimitOptions>({ owned: true, memberships: true })

/**
 * Limits how many organizations a user may own and be a member of. A change that would exceed a limit is
 * refused with `owned_limit_reached` or `membership_limit_reached`, for every caller: creating an
 * organization, restoring one (of its owners), a transfer, a role, and every way to become a member.
 *
 * Personal and deleted organizations do not count; suspended memberships do. A lower limit removes no
 * membership.
 *
 * @throws {TypeError} if an option is invalid.
 *
 * @example
 * ```ts
 * createSeatgate({
 *   …,
 *   identity: {
 *     users,
 *     limits: userLimits({
 *       owned: (userId) => sql`(select max_organizations from users where id = ${userId})`,
 *       memberships: 50,
 *     }),
 *   },
 * })
 * ```
 */
export function userLimits(options: UserLimitOptions): Part<'limits'> {
  checkOptionNames('userLimits', options, OPTIONS)
  const { owned = Infinity, memberships = Infinity } = options
  for (const [name, limit] of Object.entries({ owned, memberships })) checkLimit(name, limit)
  return { part: 'limits', followers: [limitFollower({ owned, memberships })] }
}

function checkLimit(name: string, limit: UserLimit): void {
  if (typeof limit === 'function' || limit === Infinity) return
  if (Number.isInteger(limit) && limit >= 0) return
  throw new TypeError(
    `userLimits: ${name} must be a whole number from 0, Infinity, or a function that returns SQL.`
  )
}

/** Returns a follower that guards the limits of users who gained an organization. */
function limitFollower({ owned, memberships }: Required<UserLimitOptions>): Follower {
  return (context, { effectiveUserId }, events) =>
    events.flatMap((event) => {
      const { owns, joins } = gainedBy(event, context.roles.owner, effectiveUserId)
      return [
        ...(owns ? guardLimit(context, event, OWNED, owned, owns) : []),
        ...(joins ? guardLimit(context, event, MEMBERSHIPS, memberships, joins) : []),
      ]
    })
}

/** The users who gained: one by id, or all owners of the organization. */
type Gainers = { readonly userId: string } | 'owners'

interface Gained {
  readonly owns?: Gainers
  readonly joins?: Gainers
}

function gainedBy(
  { action, target, metadata }: EventDraft,
  owner: string,
  founderId: string | null
): Gained {
  const subject = { userId: target?.id ?? '' }
  switch (action) {
    case 'organization.create': {
      const founder = { userId: founderId ?? '' }
      return { owns: founder, joins: founder }
    }
    case 'organization.member_add':
      return { joins: subject, ...(metadata['role'] === owner && { owns: subject }) }
    case 'organization.member_role_change':
      return metadata['new_role'] === owner ? { owns: subject } : {}
    case 'organization.ownership_transfer':
      return { owns: subject }
    case 'organization.restore':
      return { owns: 'owners' }
    default:
      return {}
  }
}

interface Counted {
  readonly code: LimitRefusal
  /** The condition on memberships that count; `owner` is the owner's role. */
  readonly counts: (owner: string) => SQL
}

const OWNED: Counted = {
  code: 'owned_limit_reached',
  counts: (owner) => sql`and counted.role = ${owner}`,
}
const MEMBERSHIPS: Counted = { code: 'membership_limit_reached', counts: () => sql`` }

// The membership is written already: it is counted, and not part of what was in use before.
function guardLimit(
  { db, roles: { owner } }: AccessContext,
  { organizationId }: EventDraft,
  { code, counts }: Counted,
  limit: UserLimit,
  gainers: Gainers
): readonly Statement[] {
  if (limit === Infinity) return []
  const userId = sql<string>`gainer.user_id`
  const most = typeof limit === 'number' ? sql`${limit}` : sql`(${limit(userId)})`
  const who =
    gainers === 'owners' ? sql`gainer.role = ${owner}` : sql`gainer.user_id = ${gainers.userId}`
  return [
    guardSelecting(
      db,
      sql`select ${code} || ':' || cast(most as integer) || ':' || (used - 1) from (
        select ${most} as most, (select count(*) from seatgate_memberships counted
          join seatgate_organizations held on held.id = counted.organization_id
          where counted.user_id = gainer.user_id ${counts(owner)}
          and held.deleted_at is null and held.personal = 0) as used
        from seatgate_memberships gainer
        join seatgate_organizations place on place.id = gainer.organization_id and place.personal = 0
        where gainer.organization_id = ${organizationId} and ${who})
      where used > most limit 1`
    ),
  ]
}
