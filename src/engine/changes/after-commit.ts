import { writtenBy } from '../audit/record-events.ts'
import { inBackground } from '../../base/async.ts'
import { budgeted, STATEMENTS_AFTER_A_CHANGE } from '../../database/statement-budget.ts'
import type { Statement } from '../../database/database.ts'
import { releaseSeat } from './seat-claims.ts'
import type { Prepared } from './change-batch.ts'
import { notifyCommitted, notifySeatsFreed, type ChangeContext } from './change-context.ts'
import { runJobs, statementsToRun } from './jobs.ts'

// One invocation of a Worker may make a limited number of requests; the sweep does the rest.
const SEATS_AT_ONCE = 100

/**
 * Does the work after a committed batch, given the answers to its `statements`. Waits for the release of
 * freed seats, so that a caller who sees a departure can use its seat at once. The other work may be
 * delayed; if a crash prevents it, the outbox and the alarm repeat it.
 */
export async function afterCommit(
  unbudgeted: ChangeContext,
  prepared: Prepared<unknown>,
  statements: readonly Statement[],
  answers: readonly unknown[]
): Promise<void> {
  const context = budgeted(unbudgeted, STATEMENTS_AFTER_A_CHANGE)
  const { seats, seatContext, measure } = context
  const { takenSeats, freedSeats, organizationIds, markedIds, jobs, events, turns } = prepared
  const turned = turns.flatMap((turn) => writtenBy(answers[statements.indexOf(turn)]))
  const written = [...events, ...turned]
  for (const event of written) measure({ name: 'audit.recorded', ...event })
  // A provider that reads the trail receives the other releases from there.
  const releasedNow = seats.readsTrail ? freedSeats.slice(0, SEATS_AT_ONCE) : freedSeats
  await Promise.all(releasedNow.map((seat) => releaseSeat(context, seat)))
  const afterwards = [
    ...takenSeats.map(
      ({ seat, until }) =>
        () =>
          seats.confirm(seatContext, seat, until)
    ),
    () => context.budget.spend(statementsToRun(jobs), () => runJobs(context, jobs)),
  ]
  await Promise.all([
    inBackground(context, organizationIds[0] ?? '', afterwards),
    notifyCommitted(context, { organizationIds, markedIds, events: written, freedSeats }),
  ])
  await notifySeatsFreed(context, [
    ...new Set(freedSeats.map(({ organizationId }) => organizationId)),
  ])
}
