/**
 * Conditions on rows that have a role, for queries that run before the role is known.
 *
 * @module
 */
import { sql, type SQL } from 'drizzle-orm'
import type { OwnPermission } from './permissions.ts'
import { permissionsOf, type Roles } from './roles.ts'

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
  return sql`(${sql.raw(table)}role in (select value from json_each(${JSON.stringify(list)}))
    or exists (select 1 from json_each(${sql.raw(table)}group_roles) carried
      where carried.value in (select value from json_each(${JSON.stringify(list)})))
    ${roles.extend ? sql`or ${hasOwnRole(roles, table, [permission])}` : sql``})`
}

/** Whether a role may have a permission; whether an own role has it, the organization's row says. */
export function mayHave(needed: Needed, role: string): boolean {
  const { all, extend } = needed.roles
  return rolesWith(needed).includes(role) || (extend !== null && !all.includes(role))
}

function rolesWith({ roles, permission, orOwner = false }: Needed): readonly string[] {
  return roles.all.filter(
    (role) => permissionsOf(roles, role).includes(permission) || (orOwner && role === roles.owner)
  )
}

/** Builds the condition on rows of an organization for a role that the organization has. */
export function hasKnownRole(roles: Roles): SQL {
  if (!roles.extend) return sql`role in ${roles.all}`
  return sql`(role in ${roles.all} or ${isOwnRole(roles, '', [], sql`own.key = role`)})`
}

/**
 * Builds the condition on memberships that the organization has made their role, or that of one of their
 * groups, with these permissions.
 */
export function hasOwnRole(roles: Roles, table: string, permissions: readonly string[]): SQL {
  const column = (name: string) => sql.raw(`${table}${name}`)
  return isOwnRole(
    roles,
    table,
    permissions,
    sql`(own.key = ${column('role')}
      or own.key in (select value from json_each(${column('group_roles')})))`
  )
}

function isOwnRole(
  { all }: Roles,
  table: string,
  permissions: readonly string[],
  isNamed: SQL
): SQL {
  return sql`exists (select 1 from seatgate_organizations o, json_each(o.own_roles) own
    where o.id = ${sql.raw(table)}organization_id and ${isNamed}
    and own.key not in (select value from json_each(${JSON.stringify(all)}))
    and not exists (select 1 from json_each(${JSON.stringify(permissions)})
      where value not in (select value from json_each(own.value))))`
}
