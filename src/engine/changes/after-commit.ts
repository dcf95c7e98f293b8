import { dispatch, type ForwardingContext } from '../../parts/forwarding/forwarding.ts'
import { writtenBy } from '../audit/record-events.ts'
import { inBackground } from '../../base/background.ts'
import { budgeted, STATEMENTS_AFTER_A_CHANGE } from '../../database/statement-budget.ts'
import type { Statement } from '../../database/database.ts'
import type { VerificationContext } from '../model/verified-address.ts'
import type { LossContext } from '../model/lost-invitations.ts'
import { keepsLine, type JoinRules } from '../../operations/joining/join-rules.ts'
import { releaseSeat } from './seat-claims.ts'
import { warnUnscheduled, type ScheduleContext } from '../../parts/retention/cron-warning.ts'
import type { ProviderContext, SeatReference } from '../seats/provider.ts'
import type { Prepared } from './change-batch.ts'
import type { ChangeContext } from './change-context.ts'
import { fulfil, statementsToFulfil, type JobContext } from './jobs.ts'

// What one invocation of a Worker may ask of others is limited; the sweep does what is left.
const SEATS_AT_ONCE = 100
const LINES_AT_ONCE = 10

/** What follows on a commit needs, by name. */
export interface AftermathContext
  extends ProviderContext, ForwardingContext, LossContext, VerificationContext, JobContext {
  readonly invitations: LossContext['invitations'] & VerificationContext['invitations']
  readonly joining: JoinRules | null
  readonly retention: ScheduleContext['retention']
}

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
  const { takenSeats, freedSeats, organizationIds, intents, events, turns } = prepared
  const turned = turns.flatMap((turn) => writtenBy(answers[statements.indexOf(turn)]))
  for (const event of [...events, ...turned]) measure({ name: 'audit.recorded', ...event })
  warnUnscheduled(seatgate)
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
    dispatch(seatgate, organizationIds),
  ])
  await offerSeats(seatgate, freedSeats)
}

/** Lets in those who wait for the seats of an organization, if anybody may. */
async function offerSeats(seatgate: ChangeContext, seats: readonly SeatReference[]): Promise<void> {
  const { joining } = seatgate
  const organizationIds = [...new Set(seats.map(({ organizationId }) => organizationId))]
  if (joining === null || !keepsLine(joining) || organizationIds.length === 0) return
  await inBackground(
    seatgate,
    organizationIds[0] ?? '',
    organizationIds
      .slice(0, LINES_AT_ONCE)
      .map((organizationId) => () => joining.admitWaiting(seatgate, organizationId))
  )
}
