import { sql } from 'drizzle-orm'
import {
  ok,
  refused,
  type AccessRefusal,
  type InputRefusal,
  type Result,
  type StoreRefusal,
} from '../../base/result.ts'
import { guard } from '../../database/commit.ts'
import { groups } from '../../database/schema/group-tables.ts'
import { guardAccess } from '../../engine/access/access-guards.ts'
import { authorizeRole } from '../../engine/access/authorize.ts'
import type { OrganizationScope } from '../../engine/access/principal.ts'
import { groupEvent } from '../../engine/audit/group-actions.ts'
import { perform } from '../../engine/changes/operation.ts'
import type { Plan } from '../../engine/model/plan.ts'
import { changeMembers, isOverfull } from '../groups/change-members.ts'
import { nameKeyOf } from '../groups/group.ts'
import { placeOf } from '../scim/scim-token.ts'
import { readGroup } from './group-change.ts'
import { idsIn, memberChange } from './plan-members.ts'
import {
  candidatesFor,
  groupsNamed,
  scimGroupView,
  type ScimGroup,
  type ScimGroupsContext,
} from './scim-group.ts'

/** Why {@link createScimGroup} refuses. */
export type CreateScimGroupRefusal =
  | AccessRefusal
  | InputRefusal
  | StoreRefusal
  | 'scim_invalid'
  | 'not_unique'
  | 'too_many'

/**
 * Creates a group with pushed users, as POST does. The group has no role; `updateGroup` gives it one. A
 * repeated request is refused with `not_unique` and changes no row.
 *
 * Refusals: `AccessRefusal`, `InputRefusal`, `StoreRefusal`, `scim_invalid` (a member is not an active
 * pushed user), `not_unique`, `too_many`.
 *
 * @example
 * ```ts
 * await createScimGroup(seatgate, scope, { schemas: [GROUP], displayName: 'Design', members: [] })
 * ```
 */
export async function createScimGroup(
  context: ScimGroupsContext,
  scope: OrganizationScope,
  input: object
): Promise<Result<ScimGroup, CreateScimGroupRefusal>> {
  const { db, roles, newId } = context
  const { limit } = context.groups
  const place = placeOf(scope)
  const id = newId()
  const read = readGroup(input)
  const pushed = read.ok ? read.value : null
  const ids = idsIn(pushed?.members ?? [])
  const key = nameKeyOf(pushed?.displayName ?? '')
  return perform(context, scope, {
    name: 'organization.scim_group.create',
    input: id,
    grows: false,
    refusals: [],
    queries: {
      others: groupsNamed(context, place, key, pushed?.externalId ?? null),
      named: candidatesFor(context, place, id, ids),
      counted: db
        .select({ count: sql<number>`count(*)`.as('count') })
        .from(groups)
        .where(sql`${groups.organizationId} = ${place}`),
    },
    plan({ rows, ...found }, _caller, now): Result<Plan<ScimGroup>, CreateScimGroupRefusal> {
      const access = authorizeRole(roles, { rows, ...found }, [roles.owner])
      if (!access.ok) return access
      if (!read.ok) return read
      if (rows.others.length > 0) return refused({ code: 'not_unique' })
      if ((rows.counted[0]?.count ?? 0) >= limit) return refused({ code: 'too_many' })
      const change = memberChange(read.value.members, rows.named, [])
      if (!change.ok) return change
      const organizationId = access.value.organization.id
      const { displayName: name, externalId = null } = read.value
      const row = {
        organizationId,
        id,
        name,
        nameKey: key,
        role: null,
        externalId,
        members: 0,
        version: 1,
        createdAt: now,
        updatedAt: now,
      }
      if (isOverfull(context, row, change.value)) return refused({ code: 'too_many' })
      const changed =
        change.value.added.length > 0
          ? changeMembers(context, row, change.value, now)
          : { group: row, statements: [], events: [] }
      return ok({
        value: scimGroupView(changed.group, rows.named),
        statements: [
          guardAccess(context, access.value),
          guard(
            db,
            'stale',
            sql`(select count(*) from seatgate_groups where organization_id = ${organizationId}) < ${limit}`
          ),
          db.insert(groups).values(row),
          ...changed.statements,
        ],
        events: [groupEvent(row, 'organization.group.created', { name }), ...changed.events],
      })
    },
  })
}
