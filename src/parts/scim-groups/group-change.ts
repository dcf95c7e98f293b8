/**
 * Reads the requests of identity providers about a group: the body of a POST or PUT, and a PATCH (RFC 7644,
 * section 3.5.2) in the forms that Okta and Entra send.
 *
 * @module
 */
import * as v from 'valibot'
import { lowerCase, shortText, UnreadableInput } from '../../base/input.ts'
import { ok, type Result } from '../../base/result.ts'
import { GroupName } from '../groups/group.ts'
import { readPath, type Filter } from '../scim/filter.ts'
import { schemasOf } from '../scim/read-user.ts'
import { scimInvalid } from '../scim/scim-invalid.ts'
import { PATCH_SCHEMA } from '../scim/user-attributes.ts'
import { GROUP_SCHEMA } from './scim-group.ts'

/** A change of a group. Attributes that are undefined stay. */
export interface GroupChange {
  readonly displayName?: string
  /** Null removes it. */
  readonly externalId?: string | null
  /** The changes of members, in order: ids of pushed users. */
  readonly members: readonly MembersChange[]
}

/** Whether users are added, are removed, or take the place of all others. */
export interface MembersChange {
  readonly op: 'add' | 'remove' | 'replace'
  readonly ids: readonly string[]
}

type Read<T> = Result<T, 'scim_invalid' | 'validation_error'>

const MOST_OPERATIONS = 100
const MOST_MEMBERS = 5000
const PREFIX = `${lowerCase(GROUP_SCHEMA)}:`

/** Reads the body of a POST or PUT. Its `schemas` must have that of groups. */
export function readGroup(input: unknown): Read<GroupChange & { readonly displayName: string }> {
  if (input instanceof UnreadableInput) return input.refuse()
  if (!schemasOf(input).includes(lowerCase(GROUP_SCHEMA))) {
    return scimInvalid('invalidSyntax', `schemas: Must have ${GROUP_SCHEMA}.`)
  }
  const twice = nameTwice(input as object)
  if (twice !== null) return scimInvalid('invalidValue', `${twice}: Must be present once.`)
  const { displayname, externalid, members } = lowerNames(input)
  const change = merged([
    attributeChange('replace', 'displayname', displayname),
    attributeChange('replace', 'externalid', externalid ?? null),
    attributeChange('replace', 'members', members ?? []),
  ])
  if (!change.ok) return change
  const { displayName } = change.value
  return displayName === undefined
    ? scimInvalid('invalidValue', 'displayName: Is required.')
    : ok({ ...change.value, displayName })
}

/** Reads the body of a PATCH. */
export function readGroupPatch(input: unknown): Read<GroupChange> {
  if (input instanceof UnreadableInput) return input.refuse()
  if (!schemasOf(input).includes(lowerCase(PATCH_SCHEMA))) {
    return scimInvalid('invalidSyntax', `schemas: Must have ${PATCH_SCHEMA}.`)
  }
  const given = lowerNames(input)['operations']
  if (!Array.isArray(given) || given.length === 0 || given.length > MOST_OPERATIONS) {
    return scimInvalid('invalidSyntax', `Operations: Must be a list of 1 to ${MOST_OPERATIONS}.`)
  }
  return merged(given.map(operationIn))
}

const Operation = v.object({
  op: v.pipe(v.string(), v.transform(lowerCase), v.picklist(['add', 'replace', 'remove'])),
  path: v.optional(v.string()),
  value: v.optional(v.unknown()),
})

function operationIn(given: unknown): Read<GroupChange> {
  const parsed = v.safeParse(Operation, lowerNames(given))
  if (!parsed.success) {
    return scimInvalid('invalidSyntax', 'Operations: op must be "add", "replace" or "remove".')
  }
  const { op, path, value } = parsed.output
  if (path !== undefined) return changeAt(op, path, value)
  if (op === 'remove') return scimInvalid('noTarget', 'remove: Needs a path.')
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return scimInvalid('invalidValue', 'value: Must be an object if there is no path.')
  }
  const twice = nameTwice(value)
  if (twice !== null) return scimInvalid('invalidValue', `${twice}: Must be present once.`)
  // As in a POST, unknown names are left out, and Okta repeats the id in the value.
  const attributes = Object.entries(value).filter(([name]) => KNOWN.has(withoutPrefix(name)))
  if (attributes.length === 0) {
    return scimInvalid('invalidPath', 'value: Has no attribute that is supported.')
  }
  return merged(attributes.map(([name, one]) => changeAt(op, name, one)))
}

const IGNORED = new Set(['id', 'schemas', 'meta'])
const KNOWN = new Set(['displayname', 'externalid', 'members'])

function withoutPrefix(name: string): string {
  const lower = lowerCase(name)
  return lower.startsWith(PREFIX) ? lower.slice(PREFIX.length) : lower
}

function nameTwice(value: object): string | null {
  const names = Object.keys(value).map(withoutPrefix)
  return names.find((name, at) => KNOWN.has(name) && names.indexOf(name) < at) ?? null
}

function changeAt(op: MembersChange['op'], text: string, value: unknown): Read<GroupChange> {
  const path = readPath(text)
  if (!path.ok) return path
  const { attribute, filter, sub } = path.value
  const name = withoutPrefix(attribute)
  if (IGNORED.has(name)) return scimInvalid('mutability', `${text}: Is read only.`)
  if (filter !== null) {
    const id = name === 'members' && sub === null && op === 'remove' ? idIn(filter) : null
    return id === null
      ? scimInvalid('invalidPath', `${text}: Only members are removed by value.`)
      : ok({ members: [{ op, ids: [id] }] })
  }
  return sub === null
    ? attributeChange(op, name, value)
    : scimInvalid('invalidPath', `${text}: There is no such attribute.`)
}

// As in `members[value eq "2819c223"]`.
function idIn(filter: Filter): string | null {
  const isValue =
    filter.kind === 'compare' && filter.attribute === 'value' && filter.operator === 'eq'
  return isValue && typeof filter.value === 'string' ? filter.value : null
}

function attributeChange(op: MembersChange['op'], name: string, value: unknown): Read<GroupChange> {
  switch (name) {
    case 'displayname': {
      const parsed = v.safeParse(GroupName, op === 'remove' ? undefined : value)
      return parsed.success
        ? ok({ displayName: parsed.output, members: [] })
        : scimInvalid('invalidValue', `displayName: ${parsed.issues[0].message}`)
    }
    case 'externalid': {
      const given = op === 'remove' || value === '' ? null : value
      const parsed = v.safeParse(v.nullable(shortText()), given)
      return parsed.success
        ? ok({ externalId: parsed.output, members: [] })
        : scimInvalid('invalidValue', `externalId: ${parsed.issues[0].message}`)
    }
    case 'members':
      return membersChange(op, value)
    default:
      return scimInvalid('invalidPath', `${name}: There is no such attribute.`)
  }
}

const Members = v.pipe(
  v.array(v.object({ value: shortText() })),
  v.maxLength(MOST_MEMBERS),
  v.transform((list) => [...new Set(list.map(({ value }) => value))])
)

// Without a value all of them are removed; Entra removes those that it lists.
function membersChange(op: MembersChange['op'], value: unknown): Read<GroupChange> {
  if (op === 'remove' && value == null) return ok({ members: [{ op: 'replace', ids: [] }] })
  const list = Array.isArray(value) ? value : [value]
  const parsed = v.safeParse(Members, list.map(lowerNames))
  return parsed.success
    ? ok({ members: [{ op, ids: parsed.output }] })
    : scimInvalid('invalidValue', 'members: Must be a list of { value }, the ids of users.')
}

function merged(changes: readonly Read<GroupChange>[]): Read<GroupChange> {
  let all: GroupChange = { members: [] }
  for (const change of changes) {
    if (!change.ok) return change
    all = { ...all, ...change.value, members: [...all.members, ...change.value.members] }
  }
  return ok(all)
}

function lowerNames(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return {}
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [lowerCase(name), one]))
}
