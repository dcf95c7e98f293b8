/**
 * Conditions on rows that have a role, for queries that run before the role is known.
 *
 * @module
 */
import { sql, type SQL } from 'drizzle-orm'
import type { OwnPermission } from './permissions.ts'
import { permissionsOf, type RoleHolder, type Roles } from './roles.ts'

/** A permission, as one of some roles has it. With `orOwner` the owner's role needs no permission. */
export interface Needed {
  readonly roles: Roles
  readonly permission: OwnPermission
  readonly orOwner?: boolean
}

/** Builds the condition on memberships, a table with an alias such as `reader.`, for a permission. */
export function hasPermission(needed: Needed, table: string): SQL {
  const { roles, permission } = needed
  const list = rolesWith(needed)
  const carried = list.filter((role) => role !== roles.owner)
  return sql`(${sql.raw(table)}role in (select value from json_each(${JSON.stringify(list)}))
    or exists (select 1 from json_each(${sql.raw(table)}group_roles) carried
      where carried.value in (select value from json_each(${JSON.stringify(carried)})))
    ${roles.extend ? sql`or ${hasOwnRole(roles, table, permission)}` : sql``})`
}

/** Whether a role may have a permission; whether an own role has it, the organization's row says. */
export function mayHave(needed: Needed, role: string): boolean {
  const { all, extend } = needed.roles
  return isSufficient(needed, role) || (extend !== null && !all.includes(role))
}

function rolesWith(needed: Needed): readonly string[] {
  return needed.roles.all.filter((role) => isSufficient(needed, role))
}

function isSufficient({ roles, permission, orOwner = false }: Needed, role: string): boolean {
  return permissionsOf(roles, role).includes(permission) || (orOwner && role === roles.owner)
}

/** Builds the condition on rows of an organization for a role that the organization has. */
export function hasKnownRole(roles: Roles): SQL {
  const isConfigured = sql`role in (select value from json_each(${JSON.stringify(roles.all)}))`
  if (!roles.extend) return isConfigured
  return sql`(${isConfigured} or ${isOwnRole(roles, '', sql`own.key = role`)})`
}

/** A holder of roles in an organization, as columns or values. */
export type HolderIn = {
  readonly [Part in 'organizationId' | keyof Required<RoleHolder>]: SQL | string
}

/**
 * Builds the condition that a holder has all of these permissions, by their role and those of their groups
 * together.
 */
export function hasAllOf(
  roles: Roles,
  permissions: readonly string[],
  { organizationId, role, groupRoles }: HolderIn
): SQL {
  const given = Object.fromEntries(
    roles.all.map((each) => [
      each,
      permissionsOf(roles, each).filter((one) => permissions.includes(one)),
    ])
  )
  // A group's role that has become the owner's gives no right.
  const isTheirs = sql`(given.key = ${role} or (given.key <> ${roles.owner}
    and given.key in (select value from json_each(${groupRoles}))))`
  const own = sql`union all
    select permission.value
    from seatgate_organizations o, json_each(o.own_roles) given, json_each(given.value) permission
    where o.id = ${organizationId} and ${isTheirs} and ${isNotConfigured(roles, sql`given.key`)}`
  return sql`not exists (select 1 from json_each(${JSON.stringify(permissions)}) needed
    where needed.value not in (
      select permission.value
      from json_each(${JSON.stringify(given)}) given, json_each(given.value) permission
      where ${isTheirs} ${roles.extend ? own : sql``}))`
}

// The role of a membership, or that of one of their groups.
function hasOwnRole(roles: Roles, table: string, permission: string): SQL {
  const column = (name: string) => sql.raw(`${table}${name}`)
  return isOwnRole(
    roles,
    table,
    sql`(own.key = ${column('role')}
      or own.key in (select value from json_each(${column('group_roles')})))
      and ${permission} in (select value from json_each(own.value))`
  )
}

function isOwnRole(roles: Roles, table: string, condition: SQL): SQL {
  return sql`exists (select 1 from seatgate_organizations o, json_each(o.own_roles) own
    where o.id = ${sql.raw(table)}organization_id and ${condition}
    and ${isNotConfigured(roles, sql`own.key`)})`
}

function isNotConfigured({ all }: Roles, name: SQL): SQL {
  return sql`${name} not in (select value from json_each(${JSON.stringify(all)}))`
}
