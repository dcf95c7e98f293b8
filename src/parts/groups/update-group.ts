import { eq, sql } from 'drizzle-orm'
import * as v from 'valibot'
import { parseInput } from '../../base/input.ts'
import {
  ok,
  refused,
  type AccessRefusal,
  type InputRefusal,
  type Result,
  type StoreRefusal,
} from '../../base/result.ts'
import { groups } from '../../database/schema/group-tables.ts'
import { guardAccess } from '../../engine/access/access-guards.ts'
import { authorizeFor } from '../../engine/access/authorize.ts'
import type { OrganizationScope } from '../../engine/access/principal.ts'
import { groupEvent } from '../../engine/audit/group-actions.ts'
import { perform, type OperationOptions } from '../../engine/changes/operation.ts'
import { unchanged, type Plan } from '../../engine/model/plan.ts'
import {
  GroupName,
  groupOf,
  groupView,
  groupsOf,
  guardGroup,
  isGroup,
  nameKeyOf,
  nameTaken,
  type Group,
} from './group.ts'
import type { GroupsContext } from './groups.ts'

/** The input of {@link updateGroup}. */
export interface UpdateGroupInput {
  /** Its new name. */
  readonly name: string
}

/** Why {@link updateGroup} refuses. */
export type UpdateGroupRefusal = AccessRefusal | InputRefusal | StoreRefusal | 'not_found'

const UpdateGroupInput = v.object({ name: GroupName }, 'Must be an object.')

/**
 * Renames a group `{ name }`, for those with `members:manage`. The same name changes no row.
 *
 * Refusals: `AccessRefusal`, `InputRefusal` (on `name`), `StoreRefusal`, `not_found`.
 *
 * @example
 * ```ts
 * await updateGroup(seatgate, { caller, organization: 'acme' }, group.id, { name: 'Product design' })
 * ```
 */
export async function updateGroup(
  context: GroupsContext,
  scope: OrganizationScope,
  id: string,
  input: UpdateGroupInput,
  options: OperationOptions = {}
): Promise<Result<Group, UpdateGroupRefusal>> {
  const { db, roles } = context
  const parsed = parseInput(UpdateGroupInput, input)
  const key = parsed.ok ? nameKeyOf(parsed.value.name) : ''
  return perform(
    context,
    scope,
    {
      name: 'organization.group.update',
      input: [id, input],
      grows: false,
      refusals: [],
      queries: {
        target: groupOf(db, scope, id),
        named: groupsOf(db, scope, eq(groups.nameKey, key)),
      },
      plan(found, _caller, now): Result<Plan<Group>, UpdateGroupRefusal> {
        const access = authorizeFor(roles, found, 'members:manage')
        if (!access.ok) return access
        if (!parsed.ok) return parsed
        const [group] = found.rows.target
        if (!group) return refused({ code: 'not_found' })
        const { name } = parsed.value
        if (found.rows.named.some((each) => each.id !== id)) return nameTaken()
        if (group.name === name) return ok(unchanged(groupView(group)))
        const renamed = { name, nameKey: key, updatedAt: now }
        return ok({
          value: groupView({ ...group, ...renamed }),
          statements: [
            guardAccess(context, access.value),
            guardGroup(context, group),
            db
              .update(groups)
              .set({ ...renamed, version: sql`${groups.version} + 1` })
              .where(isGroup(group)),
          ],
          events: [
            groupEvent(group, 'organization.group.updated', {
              old_name: group.name,
              new_name: name,
            }),
          ],
        })
      },
    },
    options
  )
}
