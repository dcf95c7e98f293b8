/**
 * The uses of a role: members, invitations, and the rows of other parts.
 *
 * @module
 */
import { and, eq, sql, type SQL } from 'drizzle-orm'
import { guard } from '../../database/commit.ts'
import type { DatabaseContext, Statement } from '../../database/database.ts'
import { memberships } from '../../database/schema/organizations-tables.ts'
import type {
  RoleHolder,
  RoleHolderContext,
  RolePlace,
  RoleReplacement,
} from '../../engine/model/role-holders.ts'

const members: RoleHolder = {
  name: 'members',
  holding: ({ organizationId, role }) =>
    sql`select 1 from seatgate_memberships where organization_id = ${organizationId} and role = ${role}`,
  replace: ({ db }, { organizationId, role, newRole, now }) => [
    db
      .update(memberships)
      .set({ role: newRole, updatedAt: now })
      .where(and(eq(memberships.organizationId, organizationId), eq(memberships.role, role))),
  ],
}

const holdersOf = ({ roleHolders }: Pick<RoleHolderContext, 'roleHolders'>) => [
  members,
  ...roleHolders,
]

/** Selects how many rows of each kind have a role, as JSON. */
export function usesOf(context: DatabaseContext & RoleHolderContext, place: RolePlace) {
  return context.db.select({ counts: countsOf(context, place) }).from(sql`(select 1)`)
}

/** Selects the same for each of an organization's own roles. */
export function usesOfEach(
  context: DatabaseContext & Pick<RoleHolderContext, 'roleHolders'>,
  place: Omit<RolePlace, 'role'>,
  allowed: SQL
) {
  return context.db
    .select({
      role: sql<string>`own.key`.as('own_role'),
      counts: countsOf(context, { ...place, role: sql`own.key` }),
    })
    .from(sql`seatgate_organizations o, json_each(o.own_roles) own`)
    .where(sql`o.id = ${place.organizationId} and ${allowed}`)
}

function countsOf(context: Pick<RoleHolderContext, 'roleHolders'>, place: RolePlace) {
  const counts = holdersOf(context).map(
    ({ name, holding }) => sql`${name}, (select count(*) from (${holding(place)}))`
  )
  return sql<string>`json_object(${sql.join(counts, sql`, `)})`.as('role_uses')
}

/** How many rows of each kind have a role. */
export type RoleUses = Readonly<Record<string, number>>

/** Returns the kinds of rows that have a role, with their numbers; null if there are no such rows. */
export function usesIn(rows: readonly { readonly counts: string }[]): RoleUses | null {
  const counts = JSON.parse(rows[0]?.counts ?? '{}') as RoleUses
  const uses = Object.entries(counts).filter(([, count]) => count > 0)
  return uses.length === 0 ? null : Object.fromEntries(uses)
}

/** Guards that no row has a role. */
export function guardUnused(
  context: DatabaseContext & RoleHolderContext,
  place: RolePlace
): Statement {
  const each = holdersOf(context).map(({ holding }) => sql`not exists (${holding(place)})`)
  return guard(context.db, 'stale', sql.join(each, sql` and `))
}

/** Builds another role for everything that has one. */
export function replaceRole(
  context: DatabaseContext & RoleHolderContext,
  replacement: RoleReplacement
): readonly Statement[] {
  return holdersOf(context).flatMap(({ replace }) => replace(context, replacement))
}
