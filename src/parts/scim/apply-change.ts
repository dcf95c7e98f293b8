/**
 * One change of a PATCH, applied to a resource: the old resource stays as it is.
 *
 * @module
 */
import { lowerCase } from '../../base/input.ts'
import { ok, type Result } from '../../base/result.ts'
import {
  complexOf,
  isComplex,
  isList,
  textOfValue,
  valueOf,
  type AttributeValue,
  type Complex,
} from './attribute-values.ts'
import type { Filter } from './filter.ts'
import { matches, valuesOf } from './match-value.ts'
import { scimInvalid } from './scim-invalid.ts'
import type { Attribute } from './user-attributes.ts'

/** A change of one attribute, by the attributes that lead to it. */
export interface Change {
  readonly op: 'add' | 'replace' | 'remove'
  readonly attributes: readonly Attribute[]
  /** Chooses among the values of a list. */
  readonly filter: Filter | null
  readonly value: unknown
  /** As it was sent. */
  readonly path: string
}

/** Thrown inside of this file only. */
class NoTarget extends Error {}

const REQUIRED: readonly string[] = ['userName', 'active']

/**
 * Returns the resource with the change.
 *
 * @throws {InvalidValue} if the value is not of the kind of the attribute.
 */
export function applyChange(resource: Complex, change: Change): Result<Complex, 'scim_invalid'> {
  const { attributes, op, path } = change
  const [first, ...rest] = attributes
  if (first === undefined) return scimInvalid('invalidPath', `${path}: There is no such attribute.`)
  if (isRemoval(change) && rest.length === 0 && REQUIRED.includes(first.name)) {
    return scimInvalid('mutability', `${path}: Cannot be removed.`)
  }
  if (op !== 'remove' && change.value === undefined) {
    return scimInvalid('invalidValue', `${path}: Needs a value.`)
  }
  try {
    return ok(changed(resource, attributes, change))
  } catch (error) {
    if (error instanceof NoTarget) return scimInvalid('noTarget', `${path}: No value matches.`)
    throw error
  }
}

// An empty value is not assigned.
function isRemoval({ op, value }: Change): boolean {
  return op === 'remove' || value === null || value === ''
}

function changed(object: Complex, attributes: readonly Attribute[], change: Change): Complex {
  const [attribute, ...rest] = attributes
  if (attribute === undefined) return object
  const { [attribute.name]: current, ...others } = object
  const next = attribute.many
    ? changedList(attribute, isList(current) ? current : [], rest, change)
    : changedSingle(attribute, current, rest, change)
  const isEmpty = next === undefined || (typeof next === 'object' && Object.keys(next).length === 0)
  return isEmpty ? others : { ...others, [attribute.name]: next }
}

function changedSingle(
  attribute: Attribute,
  current: AttributeValue | undefined,
  rest: readonly Attribute[],
  change: Change
): AttributeValue | undefined {
  const object = isComplex(current) ? current : {}
  if (rest.length > 0) return changed(object, rest, change)
  if (isRemoval(change)) return undefined
  const value = valueOf(attribute, change.value)
  return isComplex(value) ? merged(attribute, object, change.value) : value
}

// The attributes that are named replace those that are there; a null removes one.
function merged(attribute: Attribute, object: Complex, value: unknown): Complex {
  const sent = typeof value === 'object' && value !== null ? value : { value }
  let result = object
  for (const [name, one] of Object.entries(sent)) {
    const known = attribute.attributes.find((each) => lowerCase(each.name) === lowerCase(name))
    if (!known) continue
    const change = {
      op: 'replace',
      attributes: [known],
      filter: null,
      value: one,
      path: name,
    } as const
    result = changed(result, [known], change)
  }
  return result
}

function changedList(
  attribute: Attribute,
  list: readonly Complex[],
  rest: readonly Attribute[],
  change: Change
): readonly Complex[] | undefined {
  const { op, filter, value } = change
  if (filter === null && rest.length === 0) {
    if (isRemoval(change)) return undefined
    const values = valueOf(attribute, value)
    if (!isList(values)) return op === 'add' ? list : undefined
    return op === 'replace' ? values : onePrimary([...list, ...without(values, list)], values)
  }
  const isChosen = (each: Complex) => filter === null || matches(filter, attribute, each)
  const chosen = list.filter(isChosen)
  if (chosen.length === 0) {
    if (op === 'remove') return list
    return onePrimary([...list, ...created(attribute, rest, change)], [])
  }
  const touched: Complex[] = []
  const next = list.flatMap((each) => {
    if (!isChosen(each)) return [each]
    const one = changedValue(attribute, each, rest, change)
    if (one === null) return []
    touched.push(one)
    return [one]
  })
  return onePrimary(next, touched)
}

function changedValue(
  attribute: Attribute,
  each: Complex,
  rest: readonly Attribute[],
  change: Change
): Complex | null {
  if (rest.length > 0) return changed(each, rest, change)
  if (isRemoval(change)) return null
  return merged(attribute, each, complexOf(attribute, change.value))
}

// Entra adds a value to what its filter describes, though no such value is there yet.
function created(
  attribute: Attribute,
  rest: readonly Attribute[],
  change: Change
): readonly Complex[] {
  const described = change.filter === null ? {} : valuesOf(change.filter, attribute)
  if (change.op !== 'add' || described === null) throw new NoTarget()
  const one = changedValue(attribute, described, rest, change)
  return one === null ? [] : [one]
}

function without(values: readonly Complex[], list: readonly Complex[]): readonly Complex[] {
  const known = new Set(list.map(textOfValue))
  return values.filter((each) => !known.has(textOfValue(each)))
}

// A new primary value takes the place of the earlier one.
function onePrimary(list: readonly Complex[], touched: readonly Complex[]): readonly Complex[] {
  const primary = list.filter((each) => each['primary'] === true)
  if (primary.length < 2) return list
  const kept = touched.findLast((each) => each['primary'] === true) ?? primary.at(-1)
  return list.map((each) =>
    each['primary'] === true && each !== kept ? { ...each, primary: false } : each
  )
}
