import { sql, type SQL } from 'drizzle-orm'
import { lowerCase } from '../../base/input.ts'
import { normalizeEmail } from '../../base/email.ts'
import { ok, type Result } from '../../base/result.ts'
import { scimUsers } from '../../database/schema/scim-tables.ts'
import type { Filter, FilterValue } from './filter.ts'
import { scimInvalid } from './scim-invalid.ts'
import { USER_SCHEMA } from './user-attributes.ts'

const PREFIX = `${lowerCase(USER_SCHEMA)}:`

/**
 * Builds the condition of a filter: `eq` of `userName`, `externalId`, `id`, `active` and `emails.value`
 * (the primary address), with `and` and `or`. Each but `active` uses an index. Other filters are refused.
 */
export function conditionOf(filter: Filter): Result<SQL, 'scim_invalid'> {
  switch (filter.kind) {
    case 'all':
    case 'any':
      return joined(filter.filters, filter.kind === 'all' ? sql` and ` : sql` or `)
    case 'compare':
      return comparisonOf(filter.attribute, filter.operator, filter.value)
    case 'some':
      return addressOf(filter.attribute, filter.filter)
    default:
      return scimInvalid('invalidFilter', 'not: Is not supported.')
  }
}

function joined(filters: readonly Filter[], between: SQL): Result<SQL, 'scim_invalid'> {
  const conditions: SQL[] = []
  for (const filter of filters) {
    const condition = conditionOf(filter)
    if (!condition.ok) return condition
    conditions.push(condition.value)
  }
  return ok(sql`(${sql.join(conditions, between)})`)
}

function comparisonOf(
  attribute: string,
  operator: string,
  value: FilterValue
): Result<SQL, 'scim_invalid'> {
  const name = attribute.startsWith(PREFIX) ? attribute.slice(PREFIX.length) : attribute
  if (operator !== 'eq') {
    return scimInvalid('invalidFilter', `${operator}: Only eq is supported.`)
  }
  if (name === 'active') return activeIs(value)
  const column = COLUMNS[name]
  if (!column) return scimInvalid('invalidFilter', `${attribute}: Cannot be filtered by.`)
  return typeof value === 'string'
    ? ok(column(value))
    : scimInvalid('invalidFilter', `${attribute}: Must be compared with a text.`)
}

const byAddress = (value: string) => sql`${scimUsers.email} = ${normalizeEmail(value)}`

const COLUMNS: Readonly<Record<string, (value: string) => SQL>> = {
  username: (value) => sql`${scimUsers.userNameKey} = ${lowerCase(value)}`,
  externalid: (value) => sql`${scimUsers.externalId} = ${value}`,
  id: (value) => sql`${scimUsers.id} = ${value}`,
  'emails.value': byAddress,
  emails: byAddress,
}

function activeIs(value: FilterValue): Result<SQL, 'scim_invalid'> {
  const wanted = lowerCase(String(value))
  if (wanted !== 'true' && wanted !== 'false') {
    return scimInvalid('invalidFilter', 'active: Must be compared with true or false.')
  }
  const isActive = sql`exists (select 1 from seatgate_memberships
    where seatgate_memberships.organization_id = seatgate_scim_users.organization_id
    and seatgate_memberships.user_id = seatgate_scim_users.user_id
    and seatgate_memberships.status = 'active')`
  return ok(wanted === 'true' ? isActive : sql`not ${isActive}`)
}

// As in `emails[type eq "work"].value eq "ann@acme.example"`: one address stands for the person, of any type.
function addressOf(attribute: string, filter: Filter): Result<SQL, 'scim_invalid'> {
  const each = filter.kind === 'all' ? filter.filters : [filter]
  const isType = (one: Filter) => one.kind === 'compare' && one.attribute === 'type'
  const [value, ...others] = each.filter((one) => !isType(one))
  if (attribute === 'emails' && value?.kind === 'compare' && others.length === 0) {
    if (value.attribute === 'value') return comparisonOf('emails', value.operator, value.value)
  }
  return scimInvalid('invalidFilter', `${attribute}: Only an address can be filtered by.`)
}
