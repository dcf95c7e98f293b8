import { lowerCase } from '../../base/input.ts'
import { InvalidValue, valueOf, type AttributeValue, type Complex } from './attribute-values.ts'
import type { Filter, FilterValue } from './filter.ts'
import { attributeNamed, type Attribute } from './user-attributes.ts'

type Comparison = Extract<Filter, { kind: 'compare' }>

/**
 * Whether a value of a list fulfills a filter. Texts are compared without case.
 *
 * @throws {InvalidValue} if an operator is not supported, or there is no such attribute.
 */
export function matches(filter: Filter, attribute: Attribute, value: Complex): boolean {
  switch (filter.kind) {
    case 'all':
      return filter.filters.every((each) => matches(each, attribute, value))
    case 'any':
      return filter.filters.some((each) => matches(each, attribute, value))
    case 'not':
      return !matches(filter.filter, attribute, value)
    case 'compare':
      return compares(filter, attribute, value)
    default:
      throw new InvalidValue(
        `${filter.attribute}: A filter in a filter is not supported.`,
        'invalidFilter'
      )
  }
}

function compares(filter: Comparison, attribute: Attribute, value: Complex): boolean {
  const { name } = known(filter, attribute)
  const actual = comparable(value[name])
  const wanted = comparable(filter.value)
  switch (filter.operator) {
    case 'pr':
      return actual !== null
    case 'eq':
      return actual === wanted
    case 'ne':
      return actual !== wanted
    case 'co':
      return actual !== null && wanted !== null && actual.includes(wanted)
    case 'sw':
      return actual !== null && wanted !== null && actual.startsWith(wanted)
    case 'ew':
      return actual !== null && wanted !== null && actual.endsWith(wanted)
    default:
      throw new InvalidValue(
        `${filter.operator}: This operator is not supported in a path.`,
        'invalidFilter'
      )
  }
}

function known({ attribute: name }: Comparison, attribute: Attribute): Attribute {
  const found = attributeNamed(attribute, name)
  if (found) return found
  throw new InvalidValue(`${attribute.name}.${name}: There is no such attribute.`, 'invalidFilter')
}

// A boolean may be written as a text.
function comparable(value: AttributeValue | FilterValue | undefined): string | null {
  if (value === undefined || value === null || typeof value === 'object') return null
  return lowerCase(String(value))
}

/** Returns the value that a filter of equalities describes; null for another filter. */
export function valuesOf(filter: Filter, attribute: Attribute): Complex | null {
  const each = filter.kind === 'all' ? filter.filters : [filter]
  const entries: [string, AttributeValue][] = []
  for (const one of each) {
    if (one.kind !== 'compare' || one.operator !== 'eq') return null
    const sub = known(one, attribute)
    const value = valueOf(sub, one.value)
    if (value === undefined) return null
    entries.push([sub.name, value])
  }
  return Object.fromEntries(entries)
}
