/**
 * The rights that members have through their groups, and the end of what depends on lost rights.
 *
 * @module
 */
import { SQL, sql } from 'drizzle-orm'
import { guard } from '../../database/commit.ts'
import type { Database, Statement } from '../../database/database.ts'
import type { GroupRow } from '../../database/schema/group-tables.ts'
import type { InvitationRow } from '../../database/schema/invitations-tables.ts'
import { memberships } from '../../database/schema/organizations-tables.ts'
import type { Access } from '../../engine/access/authorize.ts'
import { organizationIdOf } from '../../engine/access/organization-ref.ts'
import { userIdOf, type OrganizationScope } from '../../engine/access/principal.ts'
import { rightsOf } from '../../engine/access/roles.ts'
import type { Plan } from '../../engine/model/plan.ts'
import type { GroupsContext } from './groups.ts'

/** The members that a change may take rights from: all of a group, or these. */
export interface Around {
  readonly groupId: string
  /** Their ids, or a subquery of ids. */
  readonly userIds?: readonly string[] | SQL
  /** Those of them that it concerns. Default all. */
  readonly leaving?: ReadonlySet<string>
}

/** A member of a group that carries a role. */
export interface Affected {
  readonly userId: string
  readonly role: string
  /** The roles that their other groups carry: a JSON list. */
  readonly others: string
}

/** Builds the queries of a change that may take rights from members. Without a role they have no rows. */
export function rightsQueries(
  context: Pick<GroupsContext, 'db' | 'invitations'>,
  { organization }: OrganizationScope,
  around: Around
) {
  const organizationId = organizationIdOf(organization)
  const affected = affectedIn(organizationId, around)
  return {
    affected: context.db
      .select({
        userId: sql<string>`user_id`.as('user_id'),
        role: sql<string>`role`.as('role'),
        others: sql<string>`others`.as('others'),
      })
      .from(sql`(${affected})`),
    sent:
      context.invitations?.members.bySeveral(
        context.db,
        organizationId,
        sql`select user_id from (${affected})`
      ) ?? null,
  }
}

/** The rows of {@link rightsQueries}. */
export interface RightsRows {
  readonly affected: readonly Affected[]
  readonly sent: readonly InvitationRow[]
}

/** The parts of a plan that takes rights from members. */
export interface LostRights extends Required<
  Pick<Plan<unknown>, 'statements' | 'events' | 'freedSeats' | 'losses'>
> {
  /** How many open invitations end. */
  readonly ended: number
  /** The same for each member who has sent them. */
  readonly endedOf: ReadonlyMap<string, number>
}

/**
 * Plans the end of what depends on lost rights, for the members whose group role changes; null stands for
 * no role, or for leaving the group. Ends their open invitations that they may no longer send and, through
 * the followers, their keys and links. The batch guards that their roles are as they were read.
 */
export function planLostRights(
  context: GroupsContext,
  { caller, roles, organization }: Access,
  around: Around,
  { affected, sent }: RightsRows,
  { from, to }: { readonly from: string | null; readonly to: string | null },
  now: Date
): LostRights {
  const organizationId = organization.id
  if (from === to) return NOTHING_LOST
  const concerned = affected.filter(({ userId }) => around.leaving?.has(userId) ?? true)
  const losses = concerned.flatMap(({ userId, role, others }) => {
    const rightsWith = (carried: string | null) => {
      const byOthers = JSON.parse(others) as readonly string[]
      const groupRoles = JSON.stringify(carried === null ? byOthers : [...byOthers, carried])
      return rightsOf(roles, { role, groupRoles })
    }
    const rights = rightsWith(to)
    const isLess = rightsWith(from).permissions.some((each) => !rights.permissions.includes(each))
    return isLess ? [{ organizationId, userId, rights, roles }] : []
  })
  const ending = context.invitations?.members.endLostBySeveral(
    { ...context, roles },
    organizationId,
    sent,
    losses,
    { by: userIdOf(caller), now }
  )
  const endedOf = ending?.counts ?? NOTHING_LOST.endedOf
  return {
    statements: [
      ...guardAffected(context.db, organizationId, around, affected),
      ...(ending?.statements ?? []),
    ],
    events: ending?.events ?? [],
    freedSeats: ending?.freedSeats ?? [],
    losses,
    ended: [...endedOf.values()].reduce((sum, count) => sum + count, 0),
    endedOf,
  }
}

const NOTHING_LOST: LostRights = {
  statements: [],
  events: [],
  freedSeats: [],
  losses: [],
  ended: 0,
  endedOf: /* @__PURE__ */ new Map(),
}

function guardAffected(
  db: Database,
  organizationId: string,
  around: Around,
  affected: readonly Affected[]
): readonly Statement[] {
  if (affected.length === 0) return []
  const known = JSON.stringify(
    affected.map(({ userId, role, others }) => [userId, role, others].join(' '))
  )
  return [
    guard(
      db,
      'stale',
      sql`(select count(*) = ${affected.length} and count(*) filter (where user_id || ' ' || role || ' '
        || others not in (select value from json_each(${known}))) = 0
        from (${affectedIn(sql`${organizationId}`, around)}))`
    ),
  ]
}

// The members of a group that carries a role, each with the roles of their other groups.
function affectedIn(organizationId: SQL, { groupId, userIds }: Around): SQL {
  const these =
    userIds === undefined
      ? sql``
      : sql`and m.user_id in (${
          userIds instanceof SQL
            ? userIds
            : sql`select value from json_each(${JSON.stringify(userIds)})`
        })`
  return sql`select s.user_id as user_id, s.role as role, ${rolesOfGroups(
    's',
    sql`and g.id <> ${groupId}`
  )} as others
    from seatgate_groups c
    join seatgate_group_members m on m.organization_id = c.organization_id and m.group_id = c.id
    join seatgate_memberships s on s.organization_id = m.organization_id and s.user_id = m.user_id
    where c.organization_id = ${organizationId} and c.id = ${groupId} and c.role is not null ${these}`
}

function rolesOfGroups(member: string, condition: SQL = sql``): SQL {
  const column = (name: string) => sql.raw(`${member}.${name}`)
  return sql`(select json_group_array(role) from (select distinct g.role as role
    from seatgate_group_members o
    join seatgate_groups g on g.organization_id = o.organization_id and g.id = o.group_id
    where o.organization_id = ${column('organization_id')} and o.user_id = ${column('user_id')}
    and g.role is not null ${condition} order by 1))`
}

/** Builds the statement that writes the roles of their groups to the memberships of users. */
export function writeGroupRoles(
  db: Database,
  { organizationId }: Pick<GroupRow, 'organizationId'>,
  userIds: SQL
): Statement {
  return db
    .update(memberships)
    .set({ groupRoles: sql`nullif(${rolesOfGroups('seatgate_memberships')}, '[]')` })
    .where(sql`organization_id = ${organizationId} and user_id in (${userIds})`)
}
