/**
 * Ends the keys of a creator who has lost the right to them, and those of a deleted organization, in the
 * batch of that change, after its events.
 *
 * @module
 */
import { and, eq, sql, type SQL } from 'drizzle-orm'
import type { Statement } from '../../database/database.ts'
import { apiKeys } from '../../database/schema/key-tables.ts'
import type { Roles } from '../../engine/access/roles.ts'
import { libraryEvent } from '../../engine/audit/event.ts'
import { KEY_ACTIONS } from '../../engine/audit/key-actions.ts'
import { recordEventsWhere, type EventContext } from '../../engine/audit/record-events.ts'
import { trailOf, type ChangeContext, type Follower } from '../../engine/changes/change-context.ts'
import { alike, isOneOf, type LeftAlike } from '../../engine/model/rights-left.ts'
import type { RoleHolder, RoleHolderContext } from '../../engine/model/role-holders.ts'
import { areValid, mayGive } from './api-key.ts'

/** The loss of rights of a creator. */
interface Loss {
  readonly creatorIds: readonly string[]
  /** The permissions that are left. */
  readonly left: readonly string[]
}

/** Returns the statements that end keys, for each event by which their creator loses a right. */
export const keyFollower: Follower = (context, eventContext, events, _dueIn, losses) => [
  ...events.flatMap(({ action, organizationId, target }) => {
    switch (action) {
      case 'organization.delete':
        return [context.db.delete(apiKeys).where(eq(apiKeys.organizationId, organizationId))]
      case 'organization.member_remove':
      case 'organization.member_suspend':
        return endKeys(context, eventContext, organizationId, {
          creatorIds: [target?.id ?? ''],
          left: [],
        })
      default:
        return []
    }
  }),
  ...alike(losses).flatMap((loss) => {
    const inside = { ...context, roles: loss.roles }
    const ended = endedBy(loss)
    return ended ? endKeys(inside, eventContext, loss.organizationId, ended) : []
  }),
]

// Creating keys requires a permission; without it the creator's keys end.
function endedBy({ userIds, rights: { permissions }, roles }: LeftAlike): Loss | null {
  if (roles.permissions.every((each) => permissions.includes(each))) return null
  return {
    creatorIds: userIds,
    left: permissions.includes('organization:update') ? permissions : [],
  }
}

function endKeys(
  context: ChangeContext,
  eventContext: EventContext,
  organizationId: string,
  { creatorIds, left }: Loss
): readonly Statement[] {
  const endingOf = (creators: SQL) => sql`organization_id = ${organizationId}
    and created_by_id ${creators} and ends_with_creator = 1 ${beyond(context.roles, left)}`
  const events = creatorIds.map((creatorId) =>
    libraryEvent(KEY_ACTIONS, organizationId, 'organization.api_key.ended', creatorId, {
      user_id: creatorId,
      reason: 'creator_lost_right',
    })
  )
  const isThere = (creatorId: SQL | string | null) => sql`exists (select 1 from seatgate_api_keys
    where ${endingOf(sql`= ${creatorId}`)} and ${areValid(eventContext.now)})`
  return [
    ...recordEventsWhere(trailOf(context), eventContext, events, (_, creatorId) =>
      isThere(creatorId)
    ),
    context.db.delete(apiKeys).where(and(endingOf(isOneOf(creatorIds)))),
  ]
}

// The keys with a right that the creator has lost.
function beyond(roles: Roles, left: readonly string[]): SQL {
  if (left.length === 0) return sql``
  const kept = roles.all.filter((role) => role !== roles.owner && mayGive(roles, left, role))
  return sql`and (role not in (select value from json_each(${JSON.stringify(kept)}))
    or exists (select 1 from json_each(permissions)
      where value not in (select value from json_each(${JSON.stringify(left)}))))`
}

/** Selects the members whose keys end with a right of theirs. */
export const keyCreators: RoleHolderContext['creators'][number] = (organizationId) =>
  sql`select created_by_id from seatgate_api_keys
    where organization_id = ${organizationId} and ends_with_creator = 1`

/** The keys with the name of a role. */
export const keysInRole: RoleHolder = {
  name: 'apiKeys',
  holding: ({ organizationId, role, now }) =>
    sql`select 1 from seatgate_api_keys
      where organization_id = ${organizationId} and role = ${role} and ${areValid(now)}`,
  replace: ({ db }, { organizationId, role, newRole }) => [
    db
      .update(apiKeys)
      .set({ role: newRole })
      .where(and(eq(apiKeys.organizationId, organizationId), eq(apiKeys.role, role))),
  ],
}
