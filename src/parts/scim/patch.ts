/**
 * PATCH (RFC 7644, section 3.5.2), in the forms that identity providers send: operations in any case,
 * values without a path, paths as names in such a value, and filters in paths.
 *
 * @see https://www.rfc-editor.org/rfc/rfc7644#section-3.5.2
 *
 * @module
 */
import * as v from 'valibot'
import { UnreadableInput, lowerCase } from '../../base/input.ts'
import { ok, type Result } from '../../base/result.ts'
import { readingValues, type Complex } from './attribute-values.ts'
import { applyChange, type Change } from './apply-change.ts'
import { readPath, type Filter } from './filter.ts'
import { schemasOf } from './read-user.ts'
import { scimInvalid } from './scim-invalid.ts'
import {
  attributeNamed,
  PATCH_SCHEMA,
  READ_ONLY,
  RESOURCE,
  USER_SCHEMA,
  type Attribute,
} from './user-attributes.ts'

const MOST_OPERATIONS = 100

const Operation = v.object({
  op: v.pipe(v.string(), v.transform(lowerCase), v.picklist(['add', 'replace', 'remove'])),
  path: v.optional(v.string()),
  value: v.optional(v.unknown()),
})

/** Reads the body of a PATCH into changes of single attributes, in order. */
export function readPatch(
  input: unknown
): Result<readonly Change[], 'scim_invalid' | 'validation_error'> {
  if (input instanceof UnreadableInput) return input.refuse()
  if (!schemasOf(input).includes(lowerCase(PATCH_SCHEMA))) {
    return scimInvalid('invalidSyntax', `schemas: Must have ${PATCH_SCHEMA}.`)
  }
  const given = lowerNames(input)['operations']
  if (!Array.isArray(given) || given.length === 0 || given.length > MOST_OPERATIONS) {
    return scimInvalid('invalidSyntax', `Operations: Must be a list of 1 to ${MOST_OPERATIONS}.`)
  }
  const changes: Change[] = []
  for (const each of given) {
    const read = readOperation(each)
    if (!read.ok) return read
    changes.push(...read.value)
  }
  return ok(changes)
}

/** Applies changes to a resource, in order, all of them or no change. */
export function applyPatch(
  resource: Complex,
  changes: readonly Change[]
): Result<Complex, 'scim_invalid'> {
  let patched = resource
  for (const change of changes) {
    const applied = readingValues(() => applyChange(patched, change))
    if (!applied.ok) return applied
    if (!applied.value.ok) return applied.value
    patched = applied.value.value
  }
  return ok(patched)
}

function readOperation(given: unknown): Result<readonly Change[], 'scim_invalid'> {
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
  return changesIn(op, value)
}

// As in a POST, unknown names are left out; but an operation that has no other name is refused, so that
// no change is answered as if it were made.
function changesIn(op: Change['op'], value: object): Result<readonly Change[], 'scim_invalid'> {
  const changes: Change[] = []
  for (const [name, one] of Object.entries(value)) {
    const lower = lowerCase(name)
    if (READ_ONLY.has(lower) || lower === lowerCase(USER_SCHEMA)) continue
    const read = changeAt(op, name, one)
    if (read.ok) changes.push(...read.value)
    else if (/[.[]/.test(name.replace(/^urn:.*:/i, ''))) return read
  }
  if (changes.length > 0) return ok(changes)
  return scimInvalid('invalidPath', 'value: Has no attribute that is supported.')
}

function changeAt(
  op: Change['op'],
  text: string,
  value: unknown
): Result<readonly Change[], 'scim_invalid'> {
  const path = readPath(text)
  if (!path.ok) return path
  const { attribute, filter, sub } = path.value
  const named = sub === null ? attribute : `${attribute}.${sub}`
  if (READ_ONLY.has(named.split(/[.[]/, 1)[0] ?? '')) {
    return scimInvalid('mutability', `${text}: Is read only.`)
  }
  const attributes = attributesAt(named)
  if (attributes === null || !fits(attributes, filter, sub)) {
    return scimInvalid('invalidPath', `${text}: There is no such attribute.`)
  }
  return ok([{ op, attributes, filter, value, path: text }])
}

// A filter chooses among the values of a list: of the attribute before the last, or of the last.
function fits(
  attributes: readonly Attribute[],
  filter: Filter | null,
  sub: string | null
): boolean {
  if (filter === null) return true
  return attributes.at(sub === null ? -1 : -2)?.many === true
}

/** Returns the attributes from the resource down to a name in lower case; null if one is not known. */
function attributesAt(name: string): readonly Attribute[] | null {
  const core = `${lowerCase(USER_SCHEMA)}:`
  const rest = name.startsWith(core) ? name.slice(core.length) : name
  const inside = RESOURCE.attributes.find((each) => isIn(lowerCase(each.name), rest))
  if (inside && rest.length === inside.name.length) return [inside]
  const names = (inside ? rest.slice(inside.name.length + 1) : rest).split('.')
  const found: Attribute[] = inside ? [inside] : []
  for (const one of names) {
    const next = attributeNamed(found.at(-1) ?? RESOURCE, one)
    if (!next) return null
    found.push(next)
  }
  return found
}

// An extension has the name of its schema, and its attributes follow after a colon.
function isIn(extension: string, name: string): boolean {
  return extension.startsWith('urn:') && (name === extension || name.startsWith(`${extension}:`))
}

function lowerNames(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return {}
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [lowerCase(name), one]))
}
