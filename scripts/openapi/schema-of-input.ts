/**
 * JSON Schema of the inputs that the code checks: of each field its limits. It runs where the schemas are, in
 * the test that records the exchanges. The types say what a field is, so that `type` is left out here.
 *
 * @module
 */
import { toJsonSchema, type ConversionConfig } from '@valibot/to-json-schema'
import type * as v from 'valibot'

type Schema = Record<string, unknown>

/** Returns the limits of each field of an input; an empty object for an input that has no fields. */
export function fieldsOf(input: v.GenericSchema): Readonly<Record<string, Schema>> {
  const { properties = {} } = toJsonSchema(input, CONVERSION) as Schema
  return Object.fromEntries(
    Object.entries(properties as Readonly<Record<string, Schema>>).flatMap(([name, schema]) => {
      const limits = limitsOf(schema)
      return Object.keys(limits).length === 0 ? [] : [[name, limits] as const]
    })
  )
}

const CONVERSION: ConversionConfig = {
  // A transformation, or a check by a function, has no form in JSON Schema.
  errorMode: 'ignore',
  overrideSchema: ({ valibotSchema: { type } }) =>
    type === 'date' ? { format: 'date-time' } : undefined,
  overrideAction({ valibotAction, jsonSchema: { pattern, allOf = [], ...schema } }) {
    const { type, requirement } = valibotAction as { type: string; requirement?: unknown }
    const known = { ...schema, ...(allOf.length > 0 && { allOf }) }
    switch (type) {
      case 'min_code_points':
        return { ...known, minLength: requirement as number }
      case 'max_code_points':
        return { ...known, maxLength: requirement as number }
      case 'max_value': {
        const { maximum: _largest, ...rest } = known
        return requirement === Number.MAX_SAFE_INTEGER ? rest : known
      }
      case 'regex': {
        // JSON Schema has no flags: a pattern is read as Unicode. Each is a condition of its own.
        const { source, flags } = requirement as RegExp
        return flags.includes('i') ? known : { ...known, allOf: [...allOf, { pattern: source }] }
      }
      case 'metadata':
        return pattern === undefined ? known : { ...known, allOf: [...allOf, { pattern }] }
      default:
        return known
    }
  },
}

// The type of a field, its null and its members are those of the TypeScript type.
function limitsOf(schema: Schema): Schema {
  const { type, anyOf, allOf, items, default: given, ...rest } = schema
  const { properties: _members, required: _required, not, ...limits } = rest
  if (not !== undefined) return {}
  const own: Schema = {
    ...(type === 'integer' && { type }),
    ...limits,
    ...patternsOf(allOf as readonly Schema[] | undefined),
    ...(given !== undefined && given !== null && { default: given }),
  }
  const options = anyOf as readonly Schema[] | undefined
  if (options) return { ...joined(options), ...own }
  const each = items ? limitsOf(items as Schema) : {}
  return Object.keys(each).length === 0 ? own : { ...own, items: each }
}

function patternsOf(patterns: readonly Schema[] = []): Schema {
  const different = [...new Set(patterns.map(({ pattern }) => pattern))]
  if (different.length === 1) return { pattern: different[0] }
  return different.length === 0 ? {} : { allOf: different.map((pattern) => ({ pattern })) }
}

// A time or a number is a text too, which says nothing of its own.
function joined(options: readonly Schema[]): Schema {
  const limits = options.filter(({ type }) => type !== 'null').map(limitsOf)
  const [only, ...others] = limits
  if (only === undefined || others.length === 0) return only ?? {}
  return limits.some((each) => Object.keys(each).length === 0) ? {} : { anyOf: limits }
}
