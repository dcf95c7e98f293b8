/**
 * The requests to join and the invite links that have a role.
 *
 * @module
 */
import { sql } from 'drizzle-orm'
import { inviteLinks, joinRequests } from '../../database/schema/joining-tables.ts'
import type { RoleHolder, RoleHolderContext } from '../../engine/model/role-holders.ts'

/** The requests to join that are not decided, and the users on the waitlist. */
export const requestsInRole: RoleHolder = {
  name: 'joinRequests',
  holding: ({ organizationId, role }) =>
    sql`select 1 from seatgate_join_requests where organization_id = ${organizationId}
      and role = ${role} and state in ('open', 'waiting')`,
  replace: ({ db }, { organizationId, role, newRole, now }) => [
    db
      .update(joinRequests)
      .set({ role: newRole, updatedAt: now })
      .where(
        sql`organization_id = ${organizationId} and role = ${role} and state in ('open', 'waiting')`
      ),
  ],
}

/** The links that are not revoked. */
export const linksInRole: RoleHolder = {
  name: 'inviteLinks',
  holding: ({ organizationId, role, now }) =>
    sql`select 1 from seatgate_invite_links where organization_id = ${organizationId}
      and role = ${role} and revoked_at is null and uses_left > 0 and expires_at > ${now.getTime()}`,
  replace: ({ db }, { organizationId, role, newRole, now }) => [
    db
      .update(inviteLinks)
      .set({ role: newRole, updatedAt: now })
      .where(sql`organization_id = ${organizationId} and role = ${role} and revoked_at is null`),
  ],
}

/** Selects the members whose links end with their right to invite. */
export const linkCreators: RoleHolderContext['creators'][number] = (organizationId) =>
  sql`select created_by_id from seatgate_invite_links
    where organization_id = ${organizationId} and revoked_at is null`
