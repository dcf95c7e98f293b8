import type * as v from 'valibot'
import { parseInput } from './input.ts'
import { invalid, ok, refused, type InputRefusal, type Result } from './result.ts'

/**
 * Refuses unknown parameters of a read. Ignoring a misspelt filter would return all rows as if they had
 * passed it.
 */
export function knownParameters(
  input: unknown,
  known: readonly string[]
): Result<null, InputRefusal> {
  if (typeof input !== 'object' || input === null) {
    return refused(invalid({ query: ['Must be an object.'] }))
  }
  const unknown = Object.keys(input).filter((name) => !known.includes(name))
  if (unknown.length === 0) return ok(null)
  const errors = unknown.map((name) => [name, [unknownParameter(known)]] as const)
  return refused(invalid(Object.fromEntries(errors)))
}

/** Checks the parameters of a read: those of a schema and no others. */
export function parseQuery<S extends v.GenericSchema & { readonly entries: v.ObjectEntries }>(
  schema: S,
  input: unknown
): Result<v.InferOutput<S>, InputRefusal> {
  const known = knownParameters(input, Object.keys(schema.entries))
  return known.ok ? parseInput(schema, input) : known
}

function unknownParameter(known: readonly string[]): string {
  if (known.length === 0) return 'Unknown parameter; there are no parameters here.'
  return `Unknown parameter. Allowed: ${[...known].sort().join(', ')}.`
}
