/**
 * Steps 7 and 8 of a change: its batch, and the work after it.
 *
 * @module
 */
import { inBackground } from '../../base/async.ts'
import type { Runtime } from '../../base/runtime.ts'
import { ok } from '../../base/result.ts'
import { commit, guard, type Aborted, type Commit } from '../../database/commit.ts'
import { HostConflict, StatementFailed, type Statement } from '../../database/database.ts'
import { budgeted, STATEMENTS_AFTER_A_CHANGE } from '../../database/statement-budget.ts'
import { isQuery, type Caller } from '../access/principal.ts'
import { writtenBy } from '../audit/record-events.ts'
import { refusalOf } from './operation-refusals.ts'
import type { Prepared } from './prepare-change.ts'
import { notifyCommitted, notifySeatsFreed, type ChangeContext } from './change-context.ts'
import { recordOutcome, storedForm, type Answering, type OperationKey } from './idempotency.ts'
import { runJobs, statementsToRun } from './jobs.ts'
import { recordRefusal } from './limit-events.ts'
import { giveBack, releaseSeat, renewLedgers } from './seat-claims.ts'

/**
 * Runs the batch, with the statements of the host, and does the work after it. After an unknown outcome there
 * is no such work: seats are settled at their deadline, and jobs run when they are due. A broken constraint
 * of the host is reported by its name.
 *
 * @throws {StoreUnavailable} if D1 does not answer: the batch may or may not have been committed. Also if
 *   a constraint of the library breaks that no plan should break.
 */
export async function conclude(
  context: ChangeContext,
  prepared: Prepared<unknown>,
  statements: readonly Statement[] = prepared.statements
): Promise<Commit> {
  const { takenSeats } = prepared
  // A host may send a batch again. After a lost answer the first attempt may have been committed: the
  // second does not release its seats, which are compared with D1 at their deadline. After a certain
  // rollback its seats are free and may be in use elsewhere, so the batch is not sent again.
  if (takenSeats.some((seat) => seat.batch.released)) {
    return { committed: false, code: 'stale', numbers: [], error: null, constraint: null }
  }
  const unused = takenSeats.filter((seat) => !seat.batch.sent)
  for (const seat of takenSeats) seat.batch.sent = true
  const done = await commit(context.db, statements)
  if (done.committed) {
    await afterCommit(context, prepared, statements, done.answers)
    return done
  }
  for (const seat of unused) seat.batch.released = true
  await giveBack(context, unused)
  if (done.code === 'broken') throw new StatementFailed(done.error)
  if (done.code === 'host_conflict') reportConflict(context, prepared, done)
  if (done.code === 'ledger_superseded') await renewLedgers(context, takenSeats)
  const refusal = refusalOf(context, done)
  const [seat] = takenSeats
  if (seat && refusal) {
    await recordRefusal(context, prepared.info, seat.seat.organizationId, refusal)
  }
  return done
}

/**
 * Runs the batch of an operation. Its result is stored in the same batch, if the caller is still who they
 * were.
 */
export function commitPrepared<T>(
  context: ChangeContext,
  caller: Caller,
  operation: Answering<T>,
  key: OperationKey | null,
  prepared: Prepared<T>
): Promise<Commit> {
  const { value, statements, info } = prepared
  const stored = key
    ? [recordOutcome(context.db, key, storedForm(operation, ok(value)), info.now)]
    : []
  const holds = isQuery(caller) && caller.holds ? [guard(context.db, 'stale', caller.holds)] : []
  return conclude(context, prepared, [...holds, ...stored, ...statements])
}

function reportConflict(
  { report }: Pick<Runtime, 'report'>,
  { organizationIds }: Prepared<unknown>,
  { constraint, error }: Aborted
): void {
  const [organizationId] = organizationIds
  report({
    event: 'host_conflict',
    ...(organizationId !== undefined && { organizationId }),
    error: new HostConflict(constraint ?? '', error),
  })
}

// One invocation of a Worker may make a limited number of requests; the sweep does the rest.
const SEATS_AT_ONCE = 100

/**
 * Does the work after a committed batch, given the answers to its `statements`. Waits for the release of
 * freed seats, so that a caller who sees a departure can use its seat at once. The other work may be
 * delayed; if a crash prevents it, the outbox and the alarm repeat it.
 */
async function afterCommit(
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
