import { eq, sql } from 'drizzle-orm'
import * as v from 'valibot'
import { guard } from '../../database/commit.ts'
import type { DatabaseContext, Statement } from '../../database/database.ts'
import { organizations, type OrganizationRow } from '../../database/schema/organizations-tables.ts'
import { OWN_ROLE_NAME, type Roles } from '../../engine/access/roles.ts'

/** A role of an organization. */
export interface Role {
  readonly name: string
  readonly permissions: readonly string[]
  /** Whether the organization has made it; otherwise it is configured. */
  readonly own: boolean
}

/** The document of an organization's own roles. */
export type OwnRoles = Readonly<Record<string, readonly string[]>>

/** Returns the own roles as they are stored, permissions that are no longer configured included. */
export function storedRoles({ ownRoles }: Pick<OrganizationRow, 'ownRoles'>): OwnRoles {
  return ownRoles === null ? {} : (JSON.parse(ownRoles) as OwnRoles)
}

/**
 * Returns the roles of an organization. Leaves out permissions that are no longer configured; a configured
 * role replaces an own role of the same name.
 */
export function extend(roles: Roles, row: Pick<OrganizationRow, 'ownRoles'>): Roles {
  const own = Object.entries(storedRoles(row)).filter(([name]) => !roles.grants.has(name))
  if (own.length === 0) return roles
  const granted = own.map(
    ([name, given]) => [name, roles.permissions.filter((each) => given.includes(each))] as const
  )
  return {
    ...roles,
    all: [...roles.all, ...own.map(([name]) => name)],
    grants: new Map([...roles.grants, ...granted]),
  }
}

/** Returns an own role; null if the organization has not made it, or if it is configured by now. */
export function ownRoleNamed(configured: Roles, row: OrganizationRow, name: string): Role | null {
  if (configured.grants.has(name)) return null
  const permissions = extend(configured, row).grants.get(name)
  return permissions ? { name, permissions, own: true } : null
}

/** The schema of the name of an own role. */
export const RoleName = v.pipe(
  v.string('Must be a string.'),
  v.regex(
    OWN_ROLE_NAME,
    'Must have 1 to 32 characters of a-z, 0-9, _ and -, and begin with a letter.'
  )
)

/** Creates the schema of a list of permissions. */
export function permissionList({ permissions }: Roles) {
  return v.pipe(
    v.array(v.picklist(permissions, 'Must be a permission.'), 'Must be a list of permissions.'),
    v.maxLength(permissions.length, 'Must not list a permission twice.'),
    v.transform((given) => permissions.filter((each) => given.includes(each)))
  )
}

/** An organization's row with other own roles. */
export function withRoles(row: OrganizationRow, own: OwnRoles, now: Date): OrganizationRow {
  const ownRoles = Object.keys(own).length === 0 ? null : JSON.stringify(own)
  return { ...row, ownRoles, rolesVersion: row.rolesVersion + 1, updatedAt: now }
}

/** Builds the write of other own roles, if those that were read are still there. */
export function writeRoles(
  { db }: DatabaseContext,
  { id, rolesVersion, ownRoles, updatedAt }: OrganizationRow
): readonly Statement[] {
  return [
    guard(
      db,
      'stale',
      sql`exists (select 1 from seatgate_organizations
        where id = ${id} and roles_version = ${rolesVersion - 1})`
    ),
    db
      .update(organizations)
      .set({ ownRoles, rolesVersion, updatedAt })
      .where(eq(organizations.id, id)),
  ]
}
