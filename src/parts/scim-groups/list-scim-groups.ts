import { sql, type SQL } from 'drizzle-orm'
import * as v from 'valibot'
import { lowerCase } from '../../base/input.ts'
import { ok, type AccessRefusal, type Result } from '../../base/result.ts'
import { groups } from '../../database/schema/group-tables.ts'
import { authorizeRole, find } from '../../engine/access/authorize.ts'
import { observed } from '../../engine/access/observed.ts'
import type { OrganizationScope } from '../../engine/access/principal.ts'
import { nameKeyOf } from '../groups/group.ts'
import { readFilter, type Filter } from '../scim/filter.ts'
import { Whole, type ListScimUsersInput } from '../scim/list-users.ts'
import { scimInvalid } from '../scim/scim-invalid.ts'
import { placeOf } from '../scim/scim-token.ts'
import type { ScimGroupOptions } from './get-group.ts'
import {
  GROUP_SCHEMA,
  groupsIn,
  membersOf,
  scimGroupView,
  type ScimGroup,
  type ScimGroupsContext,
} from './scim-group.ts'

/** A page of groups, and the number of all that the filter chooses. */
export interface ScimGroupPage {
  readonly totalResults: number
  readonly startIndex: number
  readonly groups: readonly ScimGroup[]
}

/** Why {@link listScimGroups} refuses. */
export type ListScimGroupsRefusal = AccessRefusal | 'scim_invalid'

const MOST = 100
const MOST_WITH_MEMBERS = 10

/**
 * Lists groups in the order of their creation, up to 100, or up to 10 with their members. Filters compare
 * `displayName` (without regard to case), `externalId` and `id` with `eq`; others are refused with
 * `invalidFilter`.
 *
 * Refusals: `AccessRefusal`, `scim_invalid`.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * const page = await listScimGroups(seatgate, scope, { filter: 'displayName eq "Design"' })
 * ```
 */
export function listScimGroups(
  context: ScimGroupsContext,
  scope: OrganizationScope,
  input: ListScimUsersInput = {},
  { members = true }: ScimGroupOptions = {}
): Promise<Result<ScimGroupPage, ListScimGroupsRefusal>> {
  return observed(context, 'scim.group_list', async (context) => {
    const { db, roles } = context
    const place = placeOf(scope)
    const request = readRequest(input, members ? MOST_WITH_MEMBERS : MOST)
    const { condition, startIndex, count } = request.ok
      ? request.value
      : { condition: sql`false`, startIndex: 1, count: 0 }
    const ids = sql`select id from (select id from seatgate_groups
      where organization_id = ${place} and ${condition}
      order by created_at, id limit ${count} offset ${startIndex - 1})`
    const found = await find(db, scope, {
      groups: groupsIn(context, place, condition)
        .limit(count)
        .offset(startIndex - 1),
      members: members ? membersOf(context, place, ids) : null,
      total: db
        .select({ total: sql<number>`count(*)`.as('total') })
        .from(groups)
        .where(sql`${groups.organizationId} = ${place} and ${condition}`),
    })
    const access = authorizeRole(roles, found, [roles.owner])
    if (!access.ok) return access
    if (!request.ok) return request
    const inIt = (id: string) => found.rows.members.filter(({ groupId }) => groupId === id)
    return ok({
      totalResults: found.rows.total[0]?.total ?? 0,
      startIndex,
      groups: found.rows.groups.map((row) =>
        scimGroupView(row, members ? inIt(row.id) : undefined)
      ),
    })
  })
}

function readRequest(input: ListScimUsersInput, most: number) {
  const startIndex = v.safeParse(Whole, input.startIndex ?? 1)
  if (!startIndex.success) return scimInvalid('invalidValue', 'startIndex: Must be a whole number.')
  const count = v.safeParse(Whole, input.count ?? most)
  if (!count.success) return scimInvalid('invalidValue', 'count: Must be a whole number.')
  const filter = input.filter === undefined ? null : readFilter(input.filter)
  if (filter && !filter.ok) return filter
  const condition = filter ? conditionOf(filter.value) : ok(sql`true`)
  if (!condition.ok) return condition
  return ok({
    condition: condition.value,
    startIndex: Math.max(1, startIndex.output),
    count: Math.min(most, Math.max(0, count.output)),
  })
}

const PREFIX = `${lowerCase(GROUP_SCHEMA)}:`

function conditionOf(filter: Filter): Result<SQL, 'scim_invalid'> {
  if (filter.kind !== 'compare' || filter.operator !== 'eq') {
    return scimInvalid('invalidFilter', 'Only eq of one attribute is supported.')
  }
  const { attribute, value } = filter
  const name = attribute.startsWith(PREFIX) ? attribute.slice(PREFIX.length) : attribute
  if (typeof value !== 'string') {
    return scimInvalid('invalidFilter', `${attribute}: Must be compared with a text.`)
  }
  switch (name) {
    case 'displayname':
      return ok(sql`name_key = ${nameKeyOf(value)}`)
    case 'externalid':
      return ok(sql`external_id = ${value}`)
    case 'id':
      return ok(sql`id = ${value}`)
    default:
      return scimInvalid('invalidFilter', `${attribute}: Cannot be filtered by.`)
  }
}
