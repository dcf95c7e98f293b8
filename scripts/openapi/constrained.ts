import type { Schema } from './schema-of-type.ts'

/** Adds to the schema of a type what the code checks: the limits of each member. */
export function constrained(
  schema: Schema | undefined,
  checked: Readonly<Record<string, Schema>>
): Schema | undefined {
  const properties = schema?.['properties'] as Readonly<Record<string, Schema>> | undefined
  if (schema === undefined || properties === undefined) return schema
  const limited = Object.entries(properties).map(([name, member]) => {
    const check = checked[name]
    return [name, check === undefined ? member : limitedBy(member, check)] as const
  })
  return { ...schema, properties: Object.fromEntries(limited) }
}

function limitedBy(member: Schema, { enum: values, const: value, ...check }: Schema): Schema {
  // The type has the values, and null where it is accepted.
  const known = values !== undefined || value !== undefined
  const { description, ...rest } = member
  const text = description === undefined ? {} : { description }
  if (known) return { ...rest, ...check, ...text }
  const isNullable = allowsNull(member)
  if (check['anyOf']) {
    const anyOf = [
      ...(check['anyOf'] as readonly Schema[]),
      ...(isNullable ? [{ type: 'null' }] : []),
    ]
    return { anyOf, ...text }
  }
  if (check['type'] === undefined && check['format'] !== 'date-time') {
    return { ...rest, ...check, ...text }
  }
  const { type = 'string', ...limits } = check
  return { type: isNullable ? [type, 'null'] : type, ...limits, ...text }
}

function allowsNull({ type, anyOf }: Schema): boolean {
  if (Array.isArray(type)) return type.includes('null')
  return Array.isArray(anyOf) && (anyOf as readonly Schema[]).some((one) => one['type'] === 'null')
}
