/**
 * Ends memberships in groups, in the batch that ends or suspends the membership in the organization, after
 * its events.
 *
 * @module
 */
import { sql } from 'drizzle-orm'
import { groupMembers, groups } from '../../database/schema/group-tables.ts'
import { memberships } from '../../database/schema/organizations-tables.ts'
import type { EventDraft } from '../../engine/audit/event.ts'
import type { Follower } from '../../engine/changes/change-context.ts'

/** Returns the statements that take those out of their groups whose membership ends or is suspended. */
export const groupFollower: Follower = ({ db }, { now }, events) => {
  const leaving = events.filter(isLeaving)
  const [only, ...others] = leaving
  if (!only) return []
  // A single one is compared directly: a list costs D1 more rows to read.
  const isTheirs = (alias: string) => {
    const columns = sql.raw(`${alias}organization_id, ${alias}user_id`)
    const [organizationId, userId] = [
      sql.raw(`${alias}organization_id`),
      sql.raw(`${alias}user_id`),
    ]
    return others.length === 0
      ? sql`${organizationId} = ${only.organizationId} and ${userId} = ${idIn(only)}`
      : sql`(${columns}) in (select value ->> 0, value ->> 1 from json_each(${JSON.stringify(
          leaving.map((event) => [event.organizationId, idIn(event)])
        )}))`
  }
  const theirGroups = sql`(seatgate_groups.organization_id, seatgate_groups.id) in
    (select organization_id, group_id from seatgate_group_members where ${isTheirs('')})`
  return [
    db
      .update(groups)
      .set({
        members: sql`members - (select count(*) from seatgate_group_members m
          where m.organization_id = seatgate_groups.organization_id
          and m.group_id = seatgate_groups.id and ${isTheirs('m.')})`,
        version: sql`version + 1`,
        updatedAt: now,
      })
      .where(theirGroups),
    db.delete(groupMembers).where(isTheirs('')),
    // The row of a suspended member stays.
    ...(leaving.some(({ action }) => action === 'organization.member_suspend')
      ? [
          db
            .update(memberships)
            .set({ groupRoles: null })
            .where(sql`${isTheirs('')} and group_roles is not null`),
        ]
      : []),
  ]
}

function isLeaving({ action }: EventDraft): boolean {
  return action === 'organization.member_remove' || action === 'organization.member_suspend'
}

function idIn({ target }: EventDraft): string {
  return target?.id ?? ''
}
