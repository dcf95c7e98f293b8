/**
 * The sequence of every change: read, plan, one batch, and the work after it. {@link attemptOnce} has its
 * steps in order, and the functions of the later steps stand below it in the same order.
 *
 * @module
 */
import { checkOptionNames, namesOf } from '../../base/names.ts'
import type { Queries } from '../../database/batch.ts'
import type { UnreadableInput } from '../../base/input.ts'
import { find, type Found } from '../access/authorize.ts'
import {
  ok,
  refused,
  type HookRefusal,
  type Refusal,
  type RefusalCode,
  type Refused,
  type Result,
} from '../../base/result.ts'
import {
  isImpersonated,
  isQuery,
  requestInfoOf,
  type Principal,
  type Scope,
} from '../access/principal.ts'
import { isStored, storedForm, replayResult, finished, type Answering } from './stored-result.ts'
import { askEach, composeLifecycle } from './ask-hooks.ts'
import { buildBatch, refusalOf, type Prepared } from './change-batch.ts'
import {
  notifyCommitted,
  notifySeatsFreed,
  type ChangeContext,
  type ChangeInfo,
} from './change-context.ts'
import { claimEach, claimSeats, giveBack, releaseSeat, renewLedgers } from './seat-claims.ts'
import { recordRefusal } from './limit-events.ts'
import { runJobs, statementsToRun } from './jobs.ts'
import { inBackground } from '../../base/async.ts'
import { writtenBy } from '../audit/record-events.ts'
import { commit, guard, type Aborted, type Commit } from '../../database/commit.ts'
import { HostConflict, StatementFailed, type Statement } from '../../database/database.ts'
import { observed } from '../access/observed.ts'
import { budgeted, STATEMENTS_AFTER_A_CHANGE } from '../../database/statement-budget.ts'
import type { Runtime } from '../../base/runtime.ts'
import type { ReserveRefusal } from '../seats/reserve-rules.ts'
import type { FoundingPlan, Plan, RowsPlan, SeatlessPlan } from '../model/plan.ts'
import { prove } from '../access/step-up.ts'
import {
  operationKey,
  questionOf,
  recordedOutcomes,
  recordOutcome,
  replay,
  storeOutcome,
  type OperationKey,
  type Question,
  type Recorded,
} from './idempotency.ts'
import { answerable, checkListed, storeRefusal, type PerformRefusal } from './listed-refusals.ts'

/** Options of every operation that changes something. */
export interface OperationOptions {
  /**
   * Identifies this operation, 1 to 255 characters: a repeat by the same caller returns the stored result
   * for `operationRetentionDays`, without a second change. With another input it is refused with
   * `idempotency_mismatch`.
   */
  readonly operationId?: string
  /** An id that could not be read, refused in the usual order. */
  readonly unreadableId?: UnreadableInput
}

const OPTIONS = namesOf<OperationOptions>({ operationId: true, unreadableId: true })

/**
 * An operation: its queries, and the plan that is made from their rows. Its plan refuses with a `Code`;
 * its proof, hooks, seats and guards with a `Further` one.
 */
export interface Operation<
  Q extends Queries,
  T,
  Code extends RefusalCode = RefusalCode,
  Further extends RefusalCode = RefusalCode,
> extends Answering<T, Code> {
  readonly name: string
  /**
   * The input that distinguishes it under the same operation id. Without secrets, because its digest is
   * stored.
   */
  readonly input: unknown
  /** Whether it takes a seat: if a store does not answer, it is then refused with `seats_unavailable`. */
  readonly grows: boolean
  /**
   * The codes that the proof, the hooks, the seats and the guards of its batch may return. The compiler
   * does not see into a plan, so each code is compared with the list at run time. Default: any.
   */
  readonly refusals?: readonly Further[]
  /** The queries, in one round trip with the caller and their access. */
  readonly queries: Q
  /** The pure decision. `caller` is the established caller. */
  readonly plan: (
    found: Found<Q>,
    caller: Principal,
    now: Date
  ) => Result<Plan<T> | RowsPlan<T>, Code>
  /**
   * Returns the operation that replaces this one, once the caller is established and before other steps.
   */
  readonly revise?: (caller: Principal) => Promise<Result<Operation<Q, T, Code, Further>, Code>>
}

// Each operation with a secret in its result lists this code, as a refusal of access.
const WITHHELD = refused({ code: 'insufficient_role' })

const ATTEMPTS = 5
// Of several callers at once each needs a seat of its own.
const MOST_BOUGHT = 10
/**
 * Performs an operation; any of them may be refused with `host_conflict`. The plan is made from the rows
 * that were read, and its batch guards them; if they have changed, the batch is rolled back and the
 * operation is planned again.
 */
export function perform<
  Q extends Queries,
  T,
  Code extends RefusalCode = RefusalCode,
  Further extends RefusalCode = RefusalCode,
>(
  context: ChangeContext,
  scope: Scope,
  operation: Operation<Q, T, Code, Further>
): Promise<Result<T, Code | Further | PerformRefusal>>
export function perform<
  Q extends Queries,
  T,
  Code extends RefusalCode = RefusalCode,
  Further extends RefusalCode = RefusalCode,
>(
  context: ChangeContext,
  scope: Scope,
  operation: Operation<Q, T, Code, Further>,
  options: OperationOptions
): Promise<Result<T, Code | Further | PerformRefusal | 'idempotency_mismatch'>>
export async function perform<
  Q extends Queries,
  T,
  Code extends RefusalCode,
  Further extends RefusalCode,
>(
  context: ChangeContext,
  scope: Scope,
  operation: Operation<Q, T, Code, Further>,
  options: OperationOptions = {}
): Promise<Result<T, Answered<Code, Further>>> {
  checkOptionNames(operation.name, options, OPTIONS)
  const { operationId, unreadableId } = options
  const { name, input, grows } = operation
  return observed(context, name, async (context, tally) => {
    const asked = questionOf(name, scope, input, operationId)
    if (!asked.ok) return asked
    const question = asked.value
    const progress: Progress<Q, T, Code, Further> = {
      operation,
      question,
      unreadableId,
      proven: false,
      bought: 0,
    }
    try {
      for (let attempt = 1; attempt <= ATTEMPTS + progress.bought; attempt++) {
        const { operation: tried, bought } = progress
        const answer = await attemptOnce(context, scope, progress)
        if (answer !== 'again') return answer
        if (progress.operation === tried && progress.bought === bought) tally.retries++
      }
      return refused({ code: 'operation_in_progress' })
    } catch (error) {
      return answerable(context, operation, storeRefusal(context, error, { grows }))
    }
  })
}

type Answered<Code extends RefusalCode, Further extends RefusalCode> =
  | Code
  | Further
  | PerformRefusal
  | 'idempotency_mismatch'

/** State that is kept when the operation is planned again. */
interface Progress<
  Q extends Queries,
  T,
  Code extends RefusalCode = RefusalCode,
  Further extends RefusalCode = RefusalCode,
> {
  operation: Operation<Q, T, Code, Further>
  readonly question: Question | null
  readonly unreadableId: UnreadableInput | undefined
  proven: boolean
  /** How often a seat was bought for it. */
  bought: number
}

/** Makes one attempt. Returns `again` if a row that was read has changed; its batch was rolled back. */
async function attemptOnce<
  Q extends Queries,
  T,
  Code extends RefusalCode,
  Further extends RefusalCode,
>(
  context: ChangeContext,
  scope: Scope,
  progress: Progress<Q, T, Code, Further>
): Promise<Result<T, Answered<Code, Further>> | 'again'> {
  const { db } = context
  const { operation, question } = progress

  // 1. One round trip reads the caller, the organization, their access, the facts and an earlier result.
  const found = await find(db, scope, {
    ...operation.queries,
    ...(question && { $earlier: recordedOutcomes(db, scope.caller, question.id) }),
  })
  const { caller } = found
  if (caller === null) return refused({ code: 'unauthenticated' })
  const key = question && (await operationKey(question.id, caller, question.asked))
  const earlier =
    key && replay<unknown, Code>((found.rows as { $earlier: Recorded[] }).$earlier, key)
  if (earlier) return replayResult(db, key, operation, earlier)

  const now = context.now()
  const answer = async (outcome: Result<T, Answered<Code, Further>>) => {
    if (!key || !(outcome.ok || isStored(outcome.error, found.membership))) return outcome
    // Another attempt may have come through since the read: its result is settled or decrypted, as above.
    const first = await storeOutcome(db, key, outcome, now)
    return first ? replayResult<T, Answered<Code, Further>>(db, key, operation, first) : outcome
  }

  if (operation.revise) {
    const revised = await operation.revise(caller)
    if (!revised.ok) return answer(revised)
    progress.operation = revised.value
    return 'again'
  }

  // 2. The plan is pure: a refusal, or what to write. An operator who acts as a user receives no secret.
  const planned = operation.plan(found, caller, now)
  if (!planned.ok) return answer(planned)
  if (operation.sealing && isImpersonated(caller)) return answer(WITHHELD as Refused<Code>)
  if (progress.unreadableId) return progress.unreadableId.refuse()
  const plan = planned.value
  const info = { caller, ...requestInfoOf(scope), now }
  if ('rows' in plan) {
    const prepared = await prepareRows(context, info, plan)
    // Every row was refused. The result is not stored, because there may be seats the next time.
    if (prepared.statements.length === 0) return ok(prepared.value)
    const done = await commitPrepared(context, scope, progress, key, prepared)
    if (done.committed) return finished(db, key, operation, ok(prepared.value))
    // The next attempt reads the current rows, a changed limit included.
    return done.code === 'host_conflict' ? refused({ code: done.code }) : 'again'
  }

  // 3. The proof of identity is checked once, however often the operation is planned.
  checkListed(operation, plan)
  if (plan.proof && !progress.proven) {
    const proven = await prove(context, caller, plan.proof)
    if (!proven.ok) return answer(answerable(context, operation, proven.error))
    progress.proven = true
  }
  if (plan.statements.length === 0) {
    return answer(operation.finish ? await operation.finish(plan.value) : ok(plan.value))
  }

  // 4. to 6. The host's hooks may refuse, seats are claimed, and the batch is built.
  const prepared = await prepare(context, info, plan)
  if (!prepared.ok) {
    if (isHolderConflict(prepared.error, key)) return 'again'
    const refusal = await unlessBought(context, progress, plan, caller, prepared.error)
    return refusal === null ? 'again' : answer(answerable(context, operation, refusal))
  }

  // 7. and 8. The batch commits as a whole or not at all; then seats are confirmed, jobs run, listeners called.
  const done = await commitPrepared(context, scope, progress, key, prepared.value)
  if (done.committed) return finished(db, key, operation, ok(plan.value))
  const aborted = refusalOf(context, done)
  const refusal = aborted && (await unlessBought(context, progress, plan, caller, aborted))
  return refusal === null ? 'again' : answer(answerable(context, operation, refusal))
}

/**
 * Buys a missing seat, if the host's subscriptions expand. Returns null if the operation is to be planned
 * again, otherwise its refusal. Only seats of the default type are bought. The library itself, such as its
 * sweeps, buys no seat, and neither does an operator who acts as a user.
 */
async function unlessBought(
  context: ChangeContext,
  progress: { bought: number },
  { claims }: Pick<Plan<unknown>, 'claims'>,
  caller: Principal,
  refusal: Refusal
): Promise<Refusal | null> {
  const [claim] = claims ?? []
  const isMissing =
    refusal.code === 'seat_limit_reached' &&
    refusal.seatType === undefined &&
    caller.type !== 'system' &&
    !isImpersonated(caller)
  if (!isMissing || claim === undefined || !context.buySeat) return refusal
  if (progress.bought === MOST_BOUGHT) return { code: 'operation_in_progress' }
  progress.bought += 1
  return context.buySeat(context, claim.organizationId, refusal, progress.bought)
}

/** Steps 4 to 6: calls the host's hooks, claims the seats and builds the batch. Sends no query to D1. */
export function prepare<T>(
  context: ChangeContext,
  info: ChangeInfo,
  plan: SeatlessPlan<T>
): Promise<Result<Prepared<T>, HookRefusal>>
export function prepare<T>(
  context: ChangeContext,
  info: ChangeInfo,
  plan: FoundingPlan<T>
): Promise<Result<Prepared<T>, HookRefusal | 'seats_unavailable'>>
export function prepare<T>(
  context: ChangeContext,
  info: ChangeInfo,
  plan: Plan<T>
): Promise<Result<Prepared<T>, HookRefusal | ReserveRefusal>>
export async function prepare<T>(
  context: ChangeContext,
  info: ChangeInfo,
  plan: Plan<T>
): Promise<Result<Prepared<T>, HookRefusal | ReserveRefusal>> {
  const allowed = await askEach(context, plan.before ?? [])
  if (!allowed.ok) return allowed
  const composed = plan.lifecycle
    ? await composeLifecycle(context, plan.lifecycle.hook, plan.statements, {
        userId: plan.lifecycle.userId,
      })
    : ok(plan.statements)
  if (!composed.ok) return composed
  const claims = plan.claims ?? []
  const claimed = await claimSeats(context, claims)
  if (!claimed.ok) {
    await recordRefusal(context, info, claims[0]?.organizationId ?? null, claimed.error)
    return claimed
  }
  const { value: statements } = composed
  return ok(await buildBatch(context, info, { ...plan, statements }, claimed.value))
}

/** Steps 4 to 6 of a plan of rows: each is refused by itself, and the batch has the remaining rows. */
async function prepareRows<T>(
  context: ChangeContext,
  info: ChangeInfo,
  { rows, decide }: RowsPlan<T>
): Promise<Prepared<T>> {
  const allowed = await Promise.all(rows.map(({ before }) => askEach(context, before)))
  const refusals = allowed.map((answer): Refusal | null => (answer.ok ? null : answer.error))
  const claims = rows.flatMap(({ claim }, index) =>
    claim === null || refusals[index] !== null ? [] : [{ claim, index }]
  )
  const answers = await claimEach(
    context,
    claims.map(({ claim }) => claim)
  )
  for (const [position, { claim, index }] of claims.entries()) {
    const answer = answers[position]
    if (!answer || answer.ok) continue
    refusals[index] = answer.error
    await recordRefusal(context, info, claim.organizationId, answer.error)
  }
  const claimed = answers.flatMap((answer) => (answer.ok ? [answer.value] : []))
  return buildBatch(context, info, decide(refusals), claimed)
}

// D1 had no membership for this user a moment ago. Either they have just been added, or the same
// operation is in progress, or the seat of an ended membership is not free yet: read again.
function isHolderConflict({ code }: Refusal, key: OperationKey | null): boolean {
  return code === 'already_member' || (code === 'operation_in_progress' && key !== null)
}

// The result is stored in the same batch as its change, if the caller is still who they were.
function commitPrepared<Q extends Queries, T>(
  context: ChangeContext,
  { caller }: Scope,
  { operation }: Progress<Q, T>,
  key: OperationKey | null,
  prepared: Prepared<T>
) {
  const { value, statements, info } = prepared
  const stored = key
    ? [recordOutcome(context.db, key, storedForm(operation, ok(value)), info.now)]
    : []
  const holds = isQuery(caller) && caller.holds ? [guard(context.db, 'stale', caller.holds)] : []
  return conclude(context, prepared, [...holds, ...stored, ...statements])
}

/**
 * Steps 7 and 8: runs the batch, with the statements of the host, and does the work after it. After an unknown outcome
 * there is no such work: seats are settled at their deadline, and jobs run when they are due. A broken
 * constraint of the host is reported by its name.
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
 * Step 8: does the work after a committed batch, given the answers to its `statements`. Waits for the release of
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
