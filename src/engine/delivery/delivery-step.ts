/**
 * The next step of a delivery, and its record in the history.
 *
 * @module
 */
import type { PassedOver } from '../../database/schema.ts'
import type { AuditEvent } from '../audit/event.ts'
import { eventView, type ReadEventRow } from '../audit/event.ts'
import { unsent, withPassed, type Attempt } from './attempt-history.ts'
import { passedBecause } from './outgoing.ts'
import type { Sink } from './sink.ts'

/** A run of events in sequence: those that are sent, and those among them that the sink does not take. */
export interface Step {
  readonly batch: readonly AuditEvent[]
  readonly passed: readonly PassedOver[]
  readonly first: number
  readonly last: number
  /** How many events it settles. */
  readonly length: number
  /** The error that the sink's own filter threw. */
  readonly error?: unknown
}

/** Returns the next step: one event that the sink takes or (`together`) as many as there are. */
export function nextStep(
  sink: Sink,
  rows: readonly [ReadEventRow, ...ReadEventRow[]],
  together: boolean
): Step {
  const [{ sequence: first }] = rows
  const batch: AuditEvent[] = []
  let passed: readonly PassedOver[] = []
  let length = 0
  for (const row of rows) {
    const event = eventView(row)
    const { sequence } = event
    if (sequence !== first + length) break
    let because: PassedOver['because'] | null
    try {
      because = passedBecause(sink, event)
    } catch (error) {
      if (length > 0) break
      return { batch: [event], passed, first, last: first, length: 1, error }
    }
    if (because === null && batch.length > 0 && !together) break
    if (because === null) batch.push(event)
    else passed = withPassed(passed, { first: sequence, last: sequence, because })
    length += 1
  }
  return { batch, passed, first, last: first + length - 1, length }
}

/** Returns the record of a step that was delivered, or of which no event was sent. */
export function taken(step: Step, attempt: number, at: Date, milliseconds: number): Attempt {
  const { batch, passed, first, last } = step
  if (batch.length === 0) return unsent('passed', { first, last }, at, passed)
  const told = { outcome: 'delivered', reason: null, attempt, milliseconds } as const
  return { ...told, first, last, passed, at: at.getTime() }
}

/** Returns the record of a batch that was not delivered. */
export function refusedBatch(
  { batch, passed, first, last }: Step,
  told: Pick<Attempt, 'outcome' | 'reason' | 'attempt' | 'milliseconds'>,
  at: Date
): Attempt {
  const from = batch[0]?.sequence ?? first
  const to = batch.at(-1)?.sequence ?? last
  const within = passed.filter((range) => range.first > from && range.last < to)
  return { ...told, first: from, last: to, passed: within, at: at.getTime() }
}

/** Returns the records of a step that is given up; passed events around it get their own rows. */
export function givenUp(
  step: Step,
  told: Pick<Attempt, 'reason' | 'attempt' | 'milliseconds'>,
  at: Date
): readonly Attempt[] {
  const dead = refusedBatch(step, { ...told, outcome: 'dead' }, at)
  const around = (first: number, last: number) =>
    first > last
      ? []
      : [
          unsent(
            'passed',
            { first, last },
            at,
            step.passed.filter((range) => range.first >= first && range.last <= last)
          ),
        ]
  return [...around(step.first, dead.first - 1), dead, ...around(dead.last + 1, step.last)]
}
