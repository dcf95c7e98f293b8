import { and, eq, sql } from 'drizzle-orm'
import { groups } from '../../database/schema/group-tables.ts'
import type { RoleHolder } from '../../engine/model/role-holders.ts'
import { writeGroupRoles } from './group-rights.ts'

/** The groups that carry a role. A replacement writes the rights of their members too. */
export const groupsWithRole: RoleHolder = {
  name: 'groups',
  holding: ({ organizationId, role }) =>
    sql`select 1 from seatgate_groups where organization_id = ${organizationId} and role = ${role}`,
  replace: ({ db }, { organizationId, role, newRole, now }) => [
    db
      .update(groups)
      .set({ role: newRole, version: sql`version + 1`, updatedAt: now })
      .where(and(eq(groups.organizationId, organizationId), eq(groups.role, role))),
    writeGroupRoles(
      db,
      { organizationId },
      sql`select m.user_id from seatgate_groups g join seatgate_group_members m
        on m.organization_id = g.organization_id and m.group_id = g.id
        where g.organization_id = ${organizationId} and g.role = ${newRole}`
    ),
  ],
}
