/**
 * JSON Schema of the inputs that the code checks: of each field as much as a schema can say. It runs where
 * the schemas are, in the test that records the exchanges.
 *
 * @module
 */
import type * as v from 'valibot'

type Schema = Record<string, unknown>

/** A schema or an action of Valibot, with the members that are read here. */
interface Node {
  readonly kind: string
  readonly type: string
  readonly pipe?: readonly Node[]
  readonly entries?: Readonly<Record<string, Node>>
  readonly wrapped?: Node
  readonly item?: Node
  readonly options?: readonly unknown[]
  readonly literal?: unknown
  readonly requirement?: unknown
  readonly metadata?: Schema
  readonly default?: unknown
}

/** Returns the schema of each field of an input; none for an input that is not an object. */
export function fieldsOf(input: v.GenericSchema): Readonly<Record<string, Schema>> {
  const { entries } = input as unknown as Node
  return Object.fromEntries(
    Object.entries(entries ?? {}).flatMap(([name, node]) => {
      const schema = schemaOf(node)
      return Object.keys(schema).length === 0 ? [] : [[name, schema] as const]
    })
  )
}

function schemaOf(node: Node): Schema {
  if (node.pipe === undefined) return ofStep(node)
  const schema = joined(node.pipe.map(ofStep))
  if (node.type !== 'string' || schema['maxItems'] === undefined) return schema
  // Valibot's name is the same for the length of a text.
  const { maxItems, ...rest } = schema
  return { ...rest, maxLength: maxItems }
}

function ofStep(node: Node, index = 0): Schema {
  if (index === 0 && node.pipe) return schemaOf(node)
  const { type, requirement } = node
  switch (type) {
    case 'optional':
    case 'nullable':
    case 'nullish':
    case 'undefinedable':
      return ofWrapped(node)
    case 'union':
      return ofUnion(node)
    case 'array':
      return node.item && Object.keys(schemaOf(node.item)).length > 0
        ? { items: schemaOf(node.item) }
        : {}
    case 'picklist':
      return { enum: node.options }
    case 'literal':
      return { const: node.literal }
    case 'date':
      return { format: 'date-time' }
    case 'safe_integer':
    case 'integer':
      return { type: 'integer' }
    case 'min_value':
      return { minimum: requirement }
    case 'max_value':
      return requirement === Number.MAX_SAFE_INTEGER ? {} : { maximum: requirement }
    case 'min_code_points':
      return { minLength: requirement }
    case 'max_code_points':
      return { maxLength: requirement }
    case 'min_length':
      return { minItems: requirement }
    case 'max_length':
      return { maxItems: requirement }
    case 'regex':
      return ofPattern(requirement as RegExp)
    case 'metadata':
      return node.metadata ?? {}
    default:
      return {}
  }
}

function ofWrapped({ wrapped, type, default: given }: Node): Schema {
  const schema = wrapped ? schemaOf(wrapped) : {}
  const isShown = given !== undefined && type === 'optional'
  return { ...schema, ...(isShown && { default: given }) }
}

// A time or a number is a text too, which says nothing of its own.
function ofUnion({ options = [] }: Node): Schema {
  const schemas = options.map((option) => schemaOf(option as Node))
  return schemas.some((schema) => Object.keys(schema).length === 0) ? {} : { anyOf: schemas }
}

// JSON Schema has no flags: a pattern is read as Unicode.
function ofPattern({ source, flags }: RegExp): Schema {
  return flags.includes('i') ? {} : { pattern: source }
}

/** Joins the steps of a pipe; a second pattern is a condition of its own. */
function joined(steps: readonly Schema[]): Schema {
  const patterns = [...new Set(steps.flatMap(({ pattern }) => (pattern ? [pattern] : [])))]
  const { pattern: _pattern, ...rest } = Object.assign({}, ...steps) as Schema
  if (patterns.length === 0) return rest
  if (patterns.length === 1) return { ...rest, pattern: patterns[0] }
  return { ...rest, allOf: patterns.map((pattern) => ({ pattern })) }
}
