import { sql } from 'drizzle-orm'
import { invitations } from '../../database/schema/invitations-tables.ts'
import { isUnfinished } from '../../engine/model/invitation.ts'
import type { RoleHolder } from '../../engine/model/role-holders.ts'
import { isPending } from '../../engine/seats/counts.ts'

/** The invitations to a role. Expired ones are not counted, and renamed, since they can be resent. */
export const invitationsInRole: RoleHolder = {
  name: 'invitations',
  holding: ({ organizationId, role, now }) =>
    sql`select 1 from seatgate_invitations
      where organization_id = ${organizationId} and role = ${role} and ${isPending(now)}`,
  replace: ({ db }, { organizationId, role, newRole, now }) => [
    db
      .update(invitations)
      .set({ role: newRole, updatedAt: now })
      .where(sql`organization_id = ${organizationId} and role = ${role} and ${isUnfinished()}`),
  ],
}
