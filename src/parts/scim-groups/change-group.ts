/**
 * Changes one group: the common part of replacing and patching.
 *
 * @module
 */
import { sql } from 'drizzle-orm'
import {
  ok,
  refused,
  type AccessRefusal,
  type InputRefusal,
  type Result,
  type StoreRefusal,
} from '../../base/result.ts'
import { groups, type GroupRow } from '../../database/schema/group-tables.ts'
import { guardAccess } from '../../engine/access/access-guards.ts'
import { authorizeRole } from '../../engine/access/authorize.ts'
import type { OrganizationScope } from '../../engine/access/principal.ts'
import { groupEvent } from '../../engine/audit/group-actions.ts'
import { perform } from '../../engine/changes/operation.ts'
import { unchanged, type Plan } from '../../engine/model/plan.ts'
import { changeMembers, isOverfull } from '../groups/change-members.ts'
import { guardGroup, isGroup, nameKeyOf } from '../groups/group.ts'
import { planLostRights, rightsQueries } from '../groups/group-rights.ts'
import type { ScimChangeOptions } from '../scim/change-user.ts'
import { placeOf } from '../scim/scim-token.ts'
import type { GroupChange } from './group-change.ts'
import { idsIn, memberChange, replacesAll } from './plan-members.ts'
import {
  candidatesFor,
  groupsIn,
  groupsNamed,
  membersOf,
  namesGroup,
  scimGroupView,
  usersWithIds,
  type ScimGroup,
  type ScimGroupsContext,
} from './scim-group.ts'

/** Why a change of a group is refused. */
export type ScimGroupChangeRefusal =
  | AccessRefusal
  | InputRefusal
  | StoreRefusal
  | 'not_found'
  | 'scim_invalid'
  | 'not_unique'
  | 'version_mismatch'
  | 'too_many'

/**
 * Changes a group, and returns it without its members. Without a difference, writes no row and no event.
 */
export async function changeScimGroup(
  context: ScimGroupsContext,
  scope: OrganizationScope,
  id: string,
  name: 'replace' | 'patch',
  read: Result<GroupChange, 'scim_invalid' | 'validation_error'>,
  { ifMatch }: ScimChangeOptions
): Promise<Result<ScimGroup, ScimGroupChangeRefusal>> {
  const { roles } = context
  const place = placeOf(scope)
  const asked: GroupChange = read.ok ? read.value : { members: [] }
  const key = asked.displayName === undefined ? null : nameKeyOf(asked.displayName)
  // A change that names its users concerns no others, however many are in the group.
  const around = {
    groupId: id,
    ...(!replacesAll(asked.members) && {
      userIds: usersWithIds(place, idsIn(asked.members)),
    }),
  }
  return perform(context, scope, {
    name: `organization.scim_group.${name}`,
    input: id,
    grows: false,
    refusals: [],
    queries: {
      targets: groupsIn(context, place, sql`id = ${id}`),
      others: groupsNamed(context, place, key, asked.externalId ?? null),
      named: candidatesFor(context, place, id, idsIn(asked.members)),
      current: replacesAll(asked.members) ? membersOf(context, place, sql`select ${id}`) : null,
      ...rightsQueries(context, scope, around),
    },
    plan({ rows, ...found }, _caller, now): Result<Plan<ScimGroup>, ScimGroupChangeRefusal> {
      const access = authorizeRole(roles, { rows, ...found }, [roles.owner])
      if (!access.ok) return access
      if (!read.ok) return read
      const [group] = rows.targets
      if (!group) return refused({ code: 'not_found' })
      if (ifMatch !== undefined && !namesGroup(ifMatch, group)) {
        return refused({ code: 'version_mismatch' })
      }
      if (rows.others.some((other) => other.id !== id)) return refused({ code: 'not_unique' })
      const change = memberChange(asked.members, rows.named, rows.current)
      if (!change.ok) return change
      if (isOverfull(context, group, change.value)) return refused({ code: 'too_many' })
      const { added, removed } = change.value
      const next = changedRow(group, asked, now)
      const moves = added.length + removed.length > 0
      if (next === null && !moves) return ok(unchanged(scimGroupView(group)))
      const leaving = new Set(removed)
      const roleChange = { from: removed.length > 0 ? group.role : null, to: null }
      const lost = planLostRights(
        context,
        access.value,
        { ...around, leaving },
        rows,
        roleChange,
        now
      )
      const renamed = next ?? group
      const changed = moves
        ? changeMembers(context, renamed, change.value, now, lost.endedOf)
        : { group: { ...renamed, version: group.version + 1 }, statements: [], events: [] }
      return ok({
        value: scimGroupView(changed.group),
        statements: [
          guardAccess(context, access.value),
          guardGroup(context, group),
          ...lost.statements,
          ...(next ? [updateOf(context, next, moves)] : []),
          ...changed.statements,
        ],
        losses: lost.losses,
        freedSeats: lost.freedSeats,
        events: [
          ...(next
            ? [
                groupEvent(group, 'organization.group.updated', {
                  ...(next.name !== group.name && { old_name: group.name, new_name: next.name }),
                }),
              ]
            : []),
          ...changed.events,
          ...lost.events,
        ],
      })
    },
  })
}

function updateOf({ db }: Pick<ScimGroupsContext, 'db'>, next: GroupRow, moves: boolean) {
  const { name: newName, nameKey, externalId, updatedAt } = next
  return db
    .update(groups)
    .set({
      name: newName,
      nameKey,
      externalId,
      updatedAt,
      // A change of members counts the version up by itself.
      ...(!moves && { version: sql`${groups.version} + 1` }),
    })
    .where(isGroup(next))
}

// Returns null if the attributes do not change.
function changedRow(row: GroupRow, asked: GroupChange, now: Date): GroupRow | null {
  const { displayName: name = row.name, externalId = row.externalId } = asked
  const isSame = name === row.name && externalId === row.externalId
  return isSame ? null : { ...row, name, nameKey: nameKeyOf(name), externalId, updatedAt: now }
}
