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
import { guard } from '../../database/commit.ts'
import { groups } from '../../database/schema/group-tables.ts'
import { guardAccess } from '../../engine/access/access-guards.ts'
import { authorizeFor } from '../../engine/access/authorize.ts'
import { organizationIdOf } from '../../engine/access/organization-ref.ts'
import type { OrganizationScope } from '../../engine/access/principal.ts'
import {
  isConfigured,
  mayChangeRole,
  unknownRole,
  type HasRoles,
} from '../../engine/access/roles.ts'
import { groupEvent } from '../../engine/audit/group-actions.ts'
import { perform, type OperationOptions } from '../../engine/changes/operation.ts'
import type { Plan } from '../../engine/model/plan.ts'
import {
  GroupName,
  groupRole,
  groupView,
  groupsOf,
  nameKeyOf,
  nameTaken,
  type Group,
} from './group.ts'
import type { GroupsContext } from './groups.ts'

/** The input of {@link createGroup}. */
export interface CreateGroupInput<Role extends string = string> {
  /** Its name, up to 100 characters; no other group of the organization has it in any case of its letters. */
  readonly name: string
  /** The role whose permissions its members have besides their own, not the owner's. Default null. */
  readonly role?: Role | null | undefined
}

/** Why {@link createGroup} refuses. */
export type CreateGroupRefusal = AccessRefusal | InputRefusal | StoreRefusal | 'too_many'

/**
 * Creates a group `{ name, role? }` without members. The caller needs `members:manage`. With
 * `roles.permissions` a caller gives the group no role with permissions that they do not have.
 *
 * Refusals: `AccessRefusal`, `InputRefusal` (on `name` and `role`), `StoreRefusal`, `too_many` (the
 * organization has `limit` groups).
 *
 * @example
 * ```ts
 * const created = await createGroup(seatgate, { caller, organization: 'acme' }, { name: 'Design' })
 * ```
 */
export async function createGroup<Role extends string = string>(
  context: GroupsContext & HasRoles<Role>,
  scope: OrganizationScope,
  input: CreateGroupInput<NoInfer<Role>>,
  options: OperationOptions = {}
): Promise<Result<Group, CreateGroupRefusal>> {
  const { db, roles, newId } = context
  const { limit } = context.groups
  const schema = v.object(
    { name: GroupName, role: v.optional(groupRole(roles), null) },
    'Must be an object.'
  )
  const parsed = parseInput(schema, input)
  const key = parsed.ok ? nameKeyOf(parsed.value.name) : ''
  return perform(
    context,
    scope,
    {
      name: 'organization.group.create',
      input,
      grows: false,
      refusals: [],
      queries: {
        named: groupsOf(db, scope, eq(groups.nameKey, key)),
        counted: db
          .select({ count: sql<number>`count(*)` })
          .from(groups)
          .where(eq(groups.organizationId, organizationIdOf(scope.organization))),
      },
      plan(found, _caller, now): Result<Plan<Group>, CreateGroupRefusal> {
        const access = authorizeFor(roles, found, 'members:manage')
        if (!access.ok) return access
        if (!parsed.ok) return parsed
        const { name, role } = parsed.value
        const { roles: own } = access.value
        if (role !== null && !isConfigured(own, role)) return unknownRole(own)
        if (role !== null && !mayChangeRole(own, access.value, null, role)) {
          return refused({ code: 'insufficient_role' })
        }
        if (found.rows.named.length > 0) return nameTaken()
        if ((found.rows.counted[0]?.count ?? 0) >= limit) return refused({ code: 'too_many' })
        const organizationId = access.value.organization.id
        const row = {
          organizationId,
          id: newId(),
          name,
          nameKey: key,
          role,
          externalId: null,
          members: 0,
          version: 1,
          createdAt: now,
          updatedAt: now,
        }
        return ok({
          value: groupView(row),
          statements: [
            guardAccess(context, access.value),
            guard(
              db,
              'stale',
              sql`(select count(*) from seatgate_groups where organization_id = ${organizationId}) < ${limit}`
            ),
            db.insert(groups).values(row),
          ],
          events: [
            groupEvent(row, 'organization.group.created', {
              name,
              ...(role !== null && { role }),
            }),
          ],
        })
      },
    },
    options
  )
}
