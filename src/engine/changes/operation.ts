/**
 * The life of every change: read, plan, one batch, and the work after it. {@link attemptOnce} has its steps
 * in order; `prepare-change.ts` and `conclude.ts` have the later ones in detail.
 *
 * @module
 */
import { checkOptionNames, namesOf } from '../../base/names.ts'
import type { UnreadableInput } from '../../base/input.ts'
import {
  ok,
  refused,
  type Refusal,
  type RefusalCode,
  type Refused,
  type Result,
} from '../../base/result.ts'
import type { Queries } from '../../database/batch.ts'
import { find } from '../access/authorize.ts'
import { observed } from '../access/observed.ts'
import { knownPersonal, recentPersonal } from '../audit/personal-rows.ts'
import { isImpersonated, requestInfoOf, type Scope } from '../access/principal.ts'
import type { ChangeContext } from './change-context.ts'
import { commitPrepared } from './conclude.ts'
import {
  finished,
  operationKey,
  questionOf,
  recordedOutcomes,
  replay,
  replayResult,
  storeOutcome,
  type OperationKey,
  type Question,
  type Recorded,
} from './idempotency.ts'
import type { Operation } from './operation-definition.ts'
import {
  answerable,
  checkListed,
  isStored,
  refusalOf,
  storeRefusal,
  type PerformRefusal,
} from './operation-refusals.ts'
import { prepare, prepareRows } from './prepare-change.ts'

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

// Each operation with a secret in its result lists this code, as a refusal of access.
const WITHHELD = refused({ code: 'insufficient_role' })

const ATTEMPTS = 5

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
    const asked = await questionOf(name, scope, input, operationId)
    if (!asked.ok) return asked
    const question = asked.value
    const progress: Progress<Q, T, Code, Further> = {
      operation,
      question,
      unreadableId,
      proven: false,
      bought: 0,
      besideWaitlist: false,
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
  /** Whether seats that it asked for are those of the users on the waitlist. */
  besideWaitlist: boolean
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
  const queries = {
    ...operation.queries,
    ...(question && { $earlier: recordedOutcomes(db, scope.caller, question.id) }),
  }
  const extra = recentPersonal(context, scope.origin)
  const found = await find(db, scope, queries, { target: operation.target, extra })
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
  const known = knownPersonal(found.extra, found.organization?.id, now)
  const info = { caller, ...requestInfoOf(scope), known, now }
  if ('rows' in plan) {
    const prepared = await prepareRows(context, info, plan, progress)
    // Every row was refused. The result is not stored, because there may be seats the next time.
    if (prepared.statements.length === 0) return ok(prepared.value)
    const done = await commitPrepared(context, scope.caller, operation, key, prepared)
    if (done.committed) return finished(db, key, operation, ok(prepared.value))
    // The next attempt reads the current rows, a changed limit included.
    if (done.code === 'seat_limit_reached') progress.besideWaitlist = true
    return done.code === 'host_conflict' ? refused({ code: done.code }) : 'again'
  }

  // 3. The proof of identity is checked once, however often the operation is planned.
  checkListed(operation, plan)
  if (plan.proof && !progress.proven) {
    const proven = await plan.proof(context, caller)
    if (!proven.ok) return answer(answerable(context, operation, proven.error))
    progress.proven = true
  }
  if (plan.statements.length === 0) {
    return answer(operation.finish ? await operation.finish(plan.value) : ok(plan.value))
  }

  // 4. to 6. The host's hooks may refuse, seats are claimed, and the batch is built.
  const unlessBought = async (refusal: Refusal) =>
    context.buySeat ? context.buySeat(context, { caller, plan, progress }, refusal) : refusal
  const prepared = await prepare(context, info, plan)
  if (!prepared.ok) {
    if (isHolderConflict(prepared.error, key)) return 'again'
    const refusal = await unlessBought(prepared.error)
    return refusal === null ? 'again' : answer(answerable(context, operation, refusal))
  }

  // 7. and 8. The batch commits as a whole or not at all; then seats are confirmed, jobs run, listeners called.
  const done = await commitPrepared(context, scope.caller, operation, key, prepared.value)
  if (done.committed) return finished(db, key, operation, ok(plan.value))
  const aborted = refusalOf(context, done)
  const refusal = aborted && (await unlessBought(aborted))
  return refusal === null ? 'again' : answer(answerable(context, operation, refusal))
}

// D1 had no membership for this user when it was read. Since then they were added, or the same operation is
// in progress, or the seat of an ended membership is not free yet: read again.
function isHolderConflict({ code }: Refusal, key: OperationKey | null): boolean {
  return code === 'already_member' || (code === 'operation_in_progress' && key !== null)
}
