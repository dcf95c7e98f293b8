import { sql, type SQL } from 'drizzle-orm'
import { lowerCase } from '../../base/input.ts'
import { normalizeEmail } from '../../base/email.ts'
import { ok, type Result } from '../../base/result.ts'
import { scimUsers } from '../../database/schema/scim-tables.ts'
import type { Filter, FilterValue } from './filter.ts'
import { scimInvalid } from './scim-invalid.ts'
import { isIn, type Place } from './user-rows.ts'
import { USER_SCHEMA } from './user-attributes.ts'

const PREFIX = `${lowerCase(USER_SCHEMA)}:`

/**
 * Builds the condition of a filter: `eq` of `userName`, `externalId`, `id`, `active` and `emails.value`
 * (the primary address), with `and` and `or`. Each comparison names the organization `place`, so that the
 * sides of an `or` use an index each; `active` has no index. Other filters are refused.
 */
export function conditionOf(filter: Filter, place: Place): Result<SQL, 'scim_invalid'> {
  switch (filter.kind) {
    case 'all':
    case 'any':
      return joined(filter.filters, place, filter.kind === 'all' ? sql` and ` : sql` or `)
    case 'compare':
      return within(place, comparisonOf(place, filter.attribute, filter.operator, filter.value))
    case 'some':
      return within(place, addressOf(place, filter.attribute, filter.filter))
    default:
      return scimInvalid('invalidFilter', 'not: Is not supported.')
  }
}

function within(place: Place, condition: Result<SQL, 'scim_invalid'>): Result<SQL, 'scim_invalid'> {
  return condition.ok ? ok(sql`(${isIn(place)} and ${condition.value})`) : condition
}

function joined(
  filters: readonly Filter[],
  place: Place,
  between: SQL
): Result<SQL, 'scim_invalid'> {
  const conditions: SQL[] = []
  for (const filter of filters) {
    const condition = conditionOf(filter, place)
    if (!condition.ok) return condition
    conditions.push(condition.value)
  }
  return ok(sql`(${sql.join(conditions, between)})`)
}

function comparisonOf(
  place: Place,
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
    ? ok(column(value, place))
    : scimInvalid('invalidFilter', `${attribute}: Must be compared with a text.`)
}

// By ids, which the index of addresses has: without statistics SQLite takes the primary key instead of it.
const byAddress = (value: string, place: Place) =>
  sql`${scimUsers.id} in (select named.id from seatgate_scim_users named
    where named.organization_id = ${place} and named.email = ${normalizeEmail(value)})`

const COLUMNS: Readonly<Record<string, (value: string, place: Place) => SQL>> = {
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
function addressOf(place: Place, attribute: string, filter: Filter): Result<SQL, 'scim_invalid'> {
  const each = filter.kind === 'all' ? filter.filters : [filter]
  const isType = (one: Filter) => one.kind === 'compare' && one.attribute === 'type'
  const [value, ...others] = each.filter((one) => !isType(one))
  if (attribute === 'emails' && value?.kind === 'compare' && others.length === 0) {
    if (value.attribute === 'value')
      return comparisonOf(place, 'emails', value.operator, value.value)
  }
  return scimInvalid('invalidFilter', `${attribute}: Only an address can be filtered by.`)
}
