/**
 * The values of attributes: names in any case become those of the schema, unknown ones are left out, and
 * values of another kind are refused.
 *
 * @module
 */
import * as v from 'valibot'
import { atMost, LineOfText, lowerCase } from '../../base/input.ts'
import { ok, type Result } from '../../base/result.ts'
import { scimInvalid, type ScimType } from './scim-invalid.ts'
import { attributeNamed, type Attribute } from './user-attributes.ts'

/** The value of a complex attribute. */
export interface Complex {
  readonly [name: string]: AttributeValue
}

/** A value of an attribute. */
export type AttributeValue = string | boolean | Complex | readonly Complex[]

const LONGEST_TEXT = 1024
const MOST_VALUES = 20
const Text = v.pipe(LineOfText, atMost(LONGEST_TEXT))

/** Thrown inside of this part only, by the readers of values. */
export class InvalidValue extends Error {
  readonly scimType: ScimType

  constructor(message: string, scimType: ScimType = 'invalidValue') {
    super(message)
    this.scimType = scimType
  }
}

/** Reads values. Refuses one that is not valid, mostly with `invalidValue`. */
export function readingValues<T>(read: () => T): Result<T, 'scim_invalid'> {
  try {
    return ok(read())
  } catch (error) {
    if (error instanceof InvalidValue) return scimInvalid(error.scimType, error.message)
    throw error
  }
}

/** Returns a value as the attribute has it; undefined for one that is not assigned. */
export function valueOf(attribute: Attribute, value: unknown): AttributeValue | undefined {
  if (value === null || value === undefined || value === '') return undefined
  return attribute.many ? listOf(attribute, value) : singleOf(attribute, value)
}

function singleOf(attribute: Attribute, value: unknown): AttributeValue | undefined {
  switch (attribute.kind) {
    case 'text':
      return textOf(attribute, value)
    case 'boolean':
      return booleanOf(attribute, value)
    default: {
      // Entra sends the manager as the value alone.
      const whole =
        typeof value === 'string' && attributeNamed(attribute, 'value') ? { value } : value
      const read = complexOf(attribute, whole)
      return Object.keys(read).length === 0 ? undefined : read
    }
  }
}

function textOf({ name }: Attribute, value: unknown): string {
  const text = v.safeParse(Text, value)
  if (text.success) return text.output
  throw new InvalidValue(`${name}: ${text.issues[0].message}`)
}

// Entra sends "True" and "False" by default.
function booleanOf({ name }: Attribute, value: unknown): boolean {
  const written = typeof value === 'string' ? lowerCase(value) : value
  if (written === true || written === 'true') return true
  if (written === false || written === 'false') return false
  throw new InvalidValue(`${name}: Must be true or false.`)
}

function listOf(attribute: Attribute, value: unknown): readonly Complex[] | undefined {
  const values = Array.isArray(value) ? value : [value]
  if (values.length > MOST_VALUES) {
    throw new InvalidValue(`${attribute.name}: Must have at most ${MOST_VALUES} values.`)
  }
  const list = values
    .map((each: unknown) => complexOf(attribute, each))
    .filter((each) => Object.keys(each).length > 0)
  if (list.filter((each) => each['primary'] === true).length > 1) {
    throw new InvalidValue(`${attribute.name}: Must have at most one primary value.`)
  }
  return list.length === 0 ? undefined : list
}

/** Returns the attributes of an object that are known. A name that is there twice is refused. */
export function complexOf(attribute: Attribute, value: unknown): Complex {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InvalidValue(`${attribute.name}: Must be an object.`)
  }
  const read = new Map<string, AttributeValue>()
  const seen = new Set<string>()
  for (const [name, given] of Object.entries(value)) {
    const known = attributeNamed(attribute, name)
    if (!known) continue
    if (seen.has(known.name)) throw new InvalidValue(`${known.name}: Must be present once.`)
    seen.add(known.name)
    const one = valueOf(known, given)
    if (one !== undefined) read.set(known.name, one)
  }
  return Object.fromEntries(read)
}

/** Returns a value as text with its names in order, so that equal values have equal texts. */
export function textOfValue(value: AttributeValue): string {
  if (typeof value !== 'object') return JSON.stringify(value)
  if (isList(value)) return `[${value.map(textOfValue).join()}]`
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([name, one]) => `${JSON.stringify(name)}:${textOfValue(one)}`).join()}}`
}

/** Whether a value is a list. */
export function isList(value: AttributeValue | undefined): value is readonly Complex[] {
  return Array.isArray(value)
}

/** Whether a value is a single complex one. */
export function isComplex(value: AttributeValue | undefined): value is Complex {
  return typeof value === 'object' && !Array.isArray(value)
}
