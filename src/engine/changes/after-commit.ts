import { writtenBy } from '../audit/record-events.ts'
import { inBackground } from '../../base/async.ts'
import { budgeted, STATEMENTS_AFTER_A_CHANGE } from '../../database/statement-budget.ts'
import type { Statement } from '../../database/database.ts'
import { releaseSeat } from './seat-claims.ts'
import type { Prepared } from './change-batch.ts'
import type { ChangeContext } from './change-context.ts'
import { fulfil, statementsToFulfil } from './jobs.ts'
import { tellCommitted, tellSeatsFreed } from './listeners.ts'

// What one invocation of a Worker may ask of others is limited; the sweep does what is left.
const SEATS_AT_ONCE = 100

/**
 * Does what follows on a batch that is in, `statements`, of which D1 has answered each. Freed seats are
 * waited for, so that whoever is told of a departure can use its seat at once. Everything else may come
 * later; what a crash prevents here, the outbox and the alarm make up for.
 */
export async function tell(
  unbudgeted: ChangeContext,
  prepared: Prepared<unknown>,
  statements: readonly Statement[],
  answers: readonly unknown[]
): Promise<void> {
  const seatgate = budgeted(unbudgeted, STATEMENTS_AFTER_A_CHANGE)
  const { seats, seatContext, measure } = seatgate
  const { takenSeats, freedSeats, organizationIds, markedIds, intents, events, turns } = prepared
  const turned = turns.flatMap((turn) => writtenBy(answers[statements.indexOf(turn)]))
  const written = [...events, ...turned]
  for (const event of written) measure({ name: 'audit.recorded', ...event })
  // A provider with an outbox hears of the others from there.
  const toldNow = seats.outbox ? freedSeats.slice(0, SEATS_AT_ONCE) : freedSeats
  await Promise.all(toldNow.map((seat) => releaseSeat(seatgate, seat)))
  const afterwards = [
    ...takenSeats.map(
      ({ seat, until }) =>
        () =>
          seats.confirm(seatContext, seat, until)
    ),
    () => seatgate.budget.spend(statementsToFulfil(intents), () => fulfil(seatgate, intents)),
  ]
  await Promise.all([
    inBackground(seatgate, organizationIds[0] ?? '', afterwards),
    tellCommitted(seatgate, { organizationIds, markedIds, events: written, freedSeats }),
  ])
  await tellSeatsFreed(seatgate, [
    ...new Set(freedSeats.map(({ organizationId }) => organizationId)),
  ])
}
