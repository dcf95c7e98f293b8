/**
 * JSON Schema (2020-12) of a type, as the compiler resolves it.
 *
 * @module
 */
import {
  SymbolFlags,
  TypeFlags,
  type Checker,
  type Symbol,
  type Type,
} from 'typescript/unstable/sync'

export type Schema = Record<string, unknown>

/** Returns the schema of a type. */
export function schemaOf(checker: Checker, type: Type): Schema {
  // Any JSON, which is recursive.
  if (/^JSON(?:Array|Object|Value)$/.test(type.getAliasSymbol()?.name ?? '')) return {}
  if (type.isUnionType()) return unionOf(checker, type.getTypes())
  if (type.isStringLiteralType() || type.isNumberLiteralType() || type.isBooleanLiteralType()) {
    return { const: type.value }
  }
  const { flags } = type
  if (flags & (TypeFlags.String | TypeFlags.TemplateLiteral)) return { type: 'string' }
  if (flags & TypeFlags.Number) return { type: 'number' }
  if (flags & TypeFlags.Boolean) return { type: 'boolean' }
  if (flags & TypeFlags.Null) return { type: 'null' }
  if (flags & (TypeFlags.Any | TypeFlags.Unknown)) return {}
  if (type.getSymbol()?.name === 'Date') return { type: 'string', format: 'date-time' }
  if (checker.isArrayType(type)) {
    const [items] = checker.getTypeArguments(type as never)
    return { type: 'array', items: items ? schemaOf(checker, items) : {} }
  }
  return objectOf(checker, type)
}

function unionOf(checker: Checker, types: readonly Type[]): Schema {
  const schemas = types
    .filter(({ flags }) => !(flags & TypeFlags.Undefined))
    // Refusals of other codes, which a code excludes.
    .filter((type) => checker.typeToString(type) !== 'never')
    .map((type) => schemaOf(checker, type))
  const distinct = [...new Map(schemas.map((schema) => [JSON.stringify(schema), schema])).values()]
  if (distinct.some((schema) => Object.keys(schema).length === 0)) return {}
  const values = distinct.flatMap((schema) => ('const' in schema ? [schema['const']] : []))
  const others = distinct.filter((schema) => !('const' in schema))
  if (values.includes(true) && values.includes(false) && values.length === 2) {
    others.push({ type: 'boolean' })
  } else if (values.length > 0) {
    others.push(values.length === 1 ? { const: values[0] } : { enum: sorted(values) })
  }
  const [only] = others
  if (others.length === 1 && only) return only
  const ordered = others.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
  const isPlain = (schema: Schema) =>
    Object.keys(schema).length === 1 && typeof schema['type'] === 'string'
  if (ordered.every(isPlain)) return { type: ordered.map((schema) => schema['type']) }
  return { anyOf: ordered }
}

// In one order, so that the document does not change with the compiler.
function sorted(values: readonly unknown[]): readonly unknown[] {
  return values.toSorted((a, b) => (String(a) < String(b) ? -1 : 1))
}

function objectOf(checker: Checker, type: Type): Schema {
  const members = checker.getPropertiesOfType(type).toSorted((a, b) => (a.name < b.name ? -1 : 1))
  const properties = members.map((member) => [member.name, memberOf(checker, member)] as const)
  const required = members
    .filter((member) => !(member.flags & SymbolFlags.Optional))
    .map(({ name }) => name)
  const [index] = checker.getIndexInfosOfType(type)
  return {
    type: 'object',
    ...(properties.length > 0 && { properties: Object.fromEntries(properties) }),
    ...(required.length > 0 && { required }),
    ...(index && { additionalProperties: schemaOf(checker, index.valueType) }),
  }
}

function memberOf(checker: Checker, member: Symbol): Schema {
  const type = checker.getTypeOfSymbol(member)
  const description = textOf(member.getDocumentationComment(checker))
  return { ...(type && schemaOf(checker, type)), ...(description !== '' && { description }) }
}

/** Returns a docstring as plain text. */
function textOf(docstring: string): string {
  return docstring
    .replaceAll(/\{@link\s+([^}]*)\}/g, '`$1`')
    .replaceAll(/\s+/g, ' ')
    .trim()
}
