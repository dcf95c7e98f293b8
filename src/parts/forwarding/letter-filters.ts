import { and, eq, gte, lte, type SQL } from 'drizzle-orm'
import * as v from 'valibot'
import { sinkDeadLetters } from '../../database/schema.ts'
import { Instant } from '../../base/instant-input.ts'
import { shortText } from '../../base/text-input.ts'

/** The filters of dead letters: an action, and when they were first given up, both ends included. */
export const LetterFilters = v.object(
  {
    action: v.optional(shortText()),
    from: v.optional(Instant),
    to: v.optional(Instant),
  },
  'Must be an object.'
)

/** The filters of an input. */
export type DeadLetterFilters = v.InferInput<typeof LetterFilters>

/** Builds the condition on dead letters. */
export function matchingLetters({
  action,
  from,
  to,
}: v.InferOutput<typeof LetterFilters>): SQL | undefined {
  return and(
    action === undefined ? undefined : eq(sinkDeadLetters.action, action),
    from && gte(sinkDeadLetters.diedAt, from),
    to && lte(sinkDeadLetters.diedAt, to)
  )
}
