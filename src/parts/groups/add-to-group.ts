import * as v from 'valibot'
import { parseInput, shortText } from '../../base/input.ts'
import {
  invalid,
  ok,
  refused,
  type AccessRefusal,
  type InputRefusal,
  type Result,
  type StoreRefusal,
} from '../../base/result.ts'
import { guardAccess } from '../../engine/access/access-guards.ts'
import { authorizeFor } from '../../engine/access/authorize.ts'
import type { OrganizationScope } from '../../engine/access/principal.ts'
import { mayChangeRole } from '../../engine/access/roles.ts'
import { perform, type OperationOptions } from '../../engine/changes/operation.ts'
import { unchanged, type Plan } from '../../engine/model/plan.ts'
import { membershipsOf } from '../../engine/model/removals.ts'
import { changeMembers, isOverfull } from './change-members.ts'
import { groupOf, groupView, membersAmong, type Group } from './group.ts'
import type { GroupsContext } from './groups.ts'

/** The input of {@link addToGroup}. */
export interface AddToGroupInput {
  /** The ids of 1 to 100 active members of the organization. */
  readonly userIds: readonly string[]
}

/** Why {@link addToGroup} refuses. */
export type AddToGroupRefusal =
  | AccessRefusal
  | InputRefusal
  | StoreRefusal
  | 'not_found'
  | 'too_many'

const MOST = 100

const AddToGroupInput = v.object(
  {
    userIds: v.pipe(
      v.array(shortText(), 'Must be a list of user ids.'),
      v.minLength(1, 'Must not be empty.'),
      v.maxLength(MOST, `Must have at most ${MOST} user ids.`),
      v.transform((ids) => [...new Set(ids)])
    ),
  },
  'Must be an object.'
)

/**
 * Adds members of the organization `{ userIds }` to a group, all of them or no one. The caller needs
 * `members:manage`. With `roles.permissions` a caller gives no permission that they do not have by the role
 * of the group. If all users are in the group already, no row changes.
 *
 * Refusals: `AccessRefusal`, `InputRefusal` (on `userIds`: a user is not an active member), `StoreRefusal`,
 * `not_found` (the group does not exist), `too_many` (the group would have more members than
 * `memberLimit`).
 *
 * @example
 * ```ts
 * await addToGroup(seatgate, { caller, organization: 'acme' }, group.id, { userIds: [userId] })
 * ```
 */
export async function addToGroup(
  context: GroupsContext,
  scope: OrganizationScope,
  id: string,
  input: AddToGroupInput,
  options: OperationOptions = {}
): Promise<Result<Group, AddToGroupRefusal>> {
  const { db, roles } = context
  const parsed = parseInput(AddToGroupInput, input)
  const userIds = parsed.ok ? parsed.value.userIds : []
  return perform(
    context,
    scope,
    {
      name: 'organization.group.add_members',
      input: [id, input],
      grows: false,
      refusals: [],
      queries: {
        target: groupOf(db, scope, id),
        members: membershipsOf(db, scope, userIds),
        inIt: membersAmong(db, scope, id, userIds),
      },
      plan(found, _caller, now): Result<Plan<Group>, AddToGroupRefusal> {
        const access = authorizeFor(roles, found, 'members:manage')
        if (!access.ok) return access
        if (!parsed.ok) return parsed
        const [group] = found.rows.target
        if (!group) return refused({ code: 'not_found' })
        const { roles: own } = access.value
        if (group.role !== null && !mayChangeRole(own, access.value, null, group.role)) {
          return refused({ code: 'insufficient_role' })
        }
        const active = found.rows.members.filter(({ status }) => status === 'active')
        if (active.length < userIds.length) {
          return refused(invalid({ userIds: ['Must be active members of the organization.'] }))
        }
        const inIt = new Set(found.rows.inIt.map(({ userId }) => userId))
        const change = { added: userIds.filter((userId) => !inIt.has(userId)), removed: [] }
        if (change.added.length === 0) return ok(unchanged(groupView(group)))
        if (isOverfull(context, group, change)) return refused({ code: 'too_many' })
        const changed = changeMembers(context, group, change, now)
        return ok({
          value: groupView(changed.group),
          statements: [guardAccess(context, access.value), ...changed.statements],
          events: changed.events,
        })
      },
    },
    options
  )
}
