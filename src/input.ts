import * as v from 'valibot'
import { invalid, type Refusal } from './refusal.ts'
import { ok, refused, type Result } from './result.ts'

/**
 * Stands for an input that could not be read at all (broken JSON, a body that is too large), so
 * that it is refused in its turn: after authentication, absence and role.
 */
export class UnreadableInput {
  readonly refusal: Refusal

  constructor(refusal: Refusal) {
    this.refusal = refusal
  }
}

/**
 * A text on one line: no control characters, no broken surrogates. SQLite takes a NUL for the end of
 * a text, so that what is counted and compared there would not be what was sent.
 */
export const LineOfText = v.pipe(
  v.string('Must be a text.'),
  v.regex(/^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}]*$/u, 'Must not have control characters.')
)

/** Checks an input against its schema; unknown keys are ignored. */
export function parseInput<S extends v.GenericSchema>(
  schema: S,
  input: unknown
): Result<v.InferOutput<S>> {
  if (input instanceof UnreadableInput) return refused(input.refusal)
  const parsed = v.safeParse(schema, input)
  if (parsed.success) return ok(parsed.output)
  const errors: Record<string, string[]> = {}
  for (const issue of parsed.issues) {
    const field = v.getDotPath(issue) ?? 'body'
    ;(errors[field] ??= []).push(issue.message)
  }
  return refused(invalid(errors))
}

/** Two readings of one input: both, or what is wrong with either. */
export function bothOf<A, B>(a: Result<A>, b: Result<B>): Result<A & B> {
  if (a.ok && b.ok) return ok({ ...a.value, ...b.value })
  if (a.ok) return b as Result<never>
  if (b.ok || a.error.code !== 'validation_error' || b.error.code !== 'validation_error') return a
  return refused(invalid({ ...b.error.errors, ...a.error.errors }))
}
