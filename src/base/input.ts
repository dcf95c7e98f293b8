import * as v from 'valibot'
import {
  invalid,
  type InputRefusal,
  type Refusal,
  type RefusalCode,
  type RefusalOf,
} from './refusal.ts'
import { ok, refused, type Result } from './result.ts'

/**
 * Stands for an input that could not be read (broken JSON, a body that is too large), so that it is
 * refused in the usual order: after authentication, absence and role.
 */
export class UnreadableInput {
  readonly refusal: RefusalOf<InputRefusal>

  constructor(refusal: RefusalOf<InputRefusal>) {
    this.refusal = refusal
  }
}

/** Checks an input against its schema; unknown keys are ignored. */
export function parseInput<S extends v.GenericSchema>(
  schema: S,
  input: unknown
): Result<v.InferOutput<S>, InputRefusal> {
  if (input instanceof UnreadableInput) return refused(input.refusal)
  const parsed = v.safeParse(schema, input)
  return parsed.success ? ok(parsed.output) : refused(invalid(errorsOf(parsed.issues)))
}

/**
 * Groups the messages of a failed check by field, without duplicates. A missing field gets `Is required.`
 * in place of its schema's message.
 */
export function errorsOf(
  issues: readonly v.BaseIssue<unknown>[],
  whole = 'body'
): Record<string, readonly string[]> {
  const errors = new Map<string, Set<string>>()
  for (const issue of issues) {
    const field = v.getDotPath(issue) ?? whole
    const messages = errors.get(field) ?? new Set()
    errors.set(field, messages.add(isMissing(issue) ? 'Is required.' : issue.message))
  }
  return Object.fromEntries(Array.from(errors, ([field, messages]) => [field, [...messages]]))
}

function isMissing({ kind, input, path }: v.BaseIssue<unknown>): boolean {
  return kind === 'schema' && input === undefined && path !== undefined
}

/** Combines two checks of one input: both values, or the errors of both. */
export function bothOf<A, B, Code extends RefusalCode>(
  a: Result<A, Code>,
  b: Result<B, Code>
): Result<A & B, Code | 'validation_error'> {
  if (a.ok) return b.ok ? ok({ ...a.value, ...b.value }) : b
  if (b.ok) return a
  const [first, second]: readonly [Refusal, Refusal] = [a.error, b.error]
  if (first.code !== 'validation_error' || second.code !== 'validation_error') return a
  return refused(invalid({ ...second.errors, ...first.errors }))
}
