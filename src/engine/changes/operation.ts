/**
 * The sequence of every change: read, plan, one batch.
 *
 * @module
 */
import { checkOptionNames, namesOf } from '../../base/names.ts'
import type { Queries } from '../../database/batch.ts'
import { UnreadableInput } from '../../base/input.ts'
import { find, type Found } from '../access/authorize.ts'
import {
  hasCode,
  HOOK_REFUSALS,
  invalid,
  PROOF_REFUSALS,
  SEAT_REFUSALS,
  type InputRefusal,
  type Refusal,
  type RefusalCode,
  type RefusalOf,
  type StoreRefusal,
} from '../../base/refusal.ts'
import { ok, refused, type Refused, type Result } from '../../base/result.ts'
import { marksOf, type Principal, type Scope } from '../access/principal.ts'
import { kept, recall, settled, type Answering } from './stored-answer.ts'
import { conclude, prepare, prepareRows, refusalOf, type Prepared } from './change-batch.ts'
import type { ChangeContext } from './change-context.ts'
import type { Plan, RowsPlan } from '../model/plan.ts'
import { prove } from '../access/step-up.ts'
import {
  operationKey,
  recordedOutcomes,
  recordOutcome,
  replay,
  settleOutcome,
  type OperationKey,
  type Recorded,
} from './idempotency.ts'
import { storeRefusal } from './store-refusal.ts'

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

/** The codes that every operation may return, in addition to those of its plan. */
export type PerformRefusal = 'unauthenticated' | InputRefusal | StoreRefusal

const PERFORM_REFUSALS = [
  'unauthenticated',
  'validation_error',
  'invalid_json',
  'invalid_encoding',
  'unsupported_media_type',
  'payload_too_large',
  'host_conflict',
  'operation_in_progress',
  'idempotency_mismatch',
  'stored_result_unreadable',
  'unavailable',
  'schema_mismatch',
] as const satisfies PerformRefusal[]

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

// Transient refusals, which may differ the next time. They are not stored.
const PASSING: ReadonlySet<RefusalCode> = new Set<RefusalCode>([
  'operation_in_progress',
  'invalid_password',
  'step_up_required',
  'step_up_failed',
  'hook_failed',
  'rate_limited',
  'rate_limited_user',
  'rate_limited_organization',
  'seats_unavailable',
  'unavailable',
  'schema_mismatch',
])

// A missing proof is transient like a wrong one: proofs are not part of the digest.
function isPassing(refusal: Refusal): boolean {
  if (refusal.code !== 'validation_error') return PASSING.has(refusal.code)
  return 'password' in refusal.errors || 'stepUpProof' in refusal.errors
}

// Refusals of callers without access. Any caller can cause them.
const ABSENT: ReadonlySet<RefusalCode> = new Set<RefusalCode>([
  'unauthenticated',
  'organization_not_found',
  'not_found',
  'not_a_member',
  'invitation_invalid',
])

/** Whether a refusal is stored under its key. Strangers could otherwise fill the table. */
function isKept(refusal: Refusal, membership: unknown): boolean {
  return !isPassing(refusal) && (membership !== null || !ABSENT.has(refusal.code))
}

const ATTEMPTS = 5
// Far more than any input of the library has. Deeper input would overflow the stack when it is digested.
const MOST_LEVELS = 100

/**
 * Performs an operation; any of them may be refused with `host_conflict`. The plan is made from the rows
 * that were read, and its batch guards them; if they have changed, the batch is rolled back and the
 * operation is planned again.
 */
export async function perform<
  Q extends Queries,
  T,
  Code extends RefusalCode = RefusalCode,
  Further extends RefusalCode = RefusalCode,
>(
  seatgate: ChangeContext,
  scope: Scope,
  operation: Operation<Q, T, Code, Further>,
  options: OperationOptions = {}
): Promise<Result<T, Code | Further | PerformRefusal>> {
  checkOptionNames(operation.name, options, OPTIONS)
  const { operationId, unreadableId } = options
  const { name, input, grows } = operation
  const asked = questionOf(name, scope, input, operationId)
  if (!asked.ok) return asked
  const question = asked.value
  const progress: Progress<Q, T, Code, Further> = {
    operation,
    question,
    unreadableId,
    proven: false,
  }
  try {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const answer = await attemptOnce(seatgate, scope, progress)
      if (answer !== 'again') return answer
    }
    return refused({ code: 'operation_in_progress' })
  } catch (error) {
    return answerable(seatgate, operation, storeRefusal(seatgate, error, { grows }))
  }
}

/**
 * Types a refusal by the codes that the operation lists. Another code is returned as well, since the
 * caller needs the truth more than its type, and reported: then the list is wrong.
 */
function answerable<Further extends RefusalCode>(
  { report }: Pick<ChangeContext, 'report'>,
  { name, refusals }: Pick<Operation<Queries, unknown, RefusalCode, Further>, 'name' | 'refusals'>,
  refusal: Refusal
): Refused<Further | PerformRefusal> {
  if (hasCode(refusal, PERFORM_REFUSALS)) return refused(refusal)
  if (isListed(refusal, refusals)) return refused<Further>(refusal)
  const error = new TypeError(`${name} does not list ${refusal.code} among its refusals.`)
  report({ event: 'refusal_not_listed', error })
  return refused(refusal as RefusalOf<Further>)
}

function isListed<Further extends RefusalCode>(
  refusal: Refusal,
  refusals: readonly Further[] | undefined
): refusal is RefusalOf<Further> {
  return refusals === undefined || hasCode(refusal, refusals)
}

/**
 * Compares the steps of a plan with the refusals that the operation lists, before any of them occurs.
 *
 * @throws {TypeError} if one is missing.
 */
function checkListed(
  { name, refusals }: Pick<Operation<Queries, unknown>, 'name' | 'refusals'>,
  { proof, before = [], lifecycle, claims = [] }: Plan<unknown>
): void {
  if (refusals === undefined) return
  const needed: readonly RefusalCode[] = [
    ...(proof ? PROOF_REFUSALS : []),
    ...(before.length > 0 || lifecycle ? HOOK_REFUSALS : []),
    ...(claims.length > 0 ? SEAT_REFUSALS : []),
  ]
  const missing = needed.find((code) => !refusals.includes(code))
  if (missing) throw new TypeError(`${name} does not list ${missing} among its refusals.`)
}

/**
 * Returns the input with its operation id; null without an id, and for an input that could not be read.
 *
 * @throws {TypeError} if the id is not valid.
 */
function questionOf(
  name: string,
  { organization }: Scope,
  input: unknown,
  operationId: string | undefined
): Result<Question | null, 'validation_error'> {
  if (operationId !== undefined && !(operationId.length >= 1 && operationId.length <= 255)) {
    throw new TypeError('operationId must be 1 to 255 characters long.')
  }
  if (operationId === undefined || input instanceof UnreadableInput) return ok(null)
  const asked = [name, organization ?? null, input]
  if (!isDeeperThan(MOST_LEVELS, asked)) return ok({ id: operationId, asked })
  return refused(invalid({ body: [`Must not be nested more than ${MOST_LEVELS} levels deep.`] }))
}

interface Question {
  readonly id: string
  readonly asked: unknown
}

function isDeeperThan(levels: number, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels < 0 || Object.values(value).some((member) => isDeeperThan(levels - 1, member))
}

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
}

async function attemptOnce<
  Q extends Queries,
  T,
  Code extends RefusalCode,
  Further extends RefusalCode,
>(
  seatgate: ChangeContext,
  scope: Scope,
  progress: Progress<Q, T, Code, Further>
): Promise<Result<T, Code | Further | PerformRefusal> | 'again'> {
  const { db } = seatgate
  const { operation, question } = progress
  const found = await find(db, scope, {
    ...operation.queries,
    ...(question && { $earlier: recordedOutcomes(db, scope.caller, question.id) }),
  })
  const { caller } = found
  if (caller === null) return refused({ code: 'unauthenticated' })
  const key = question && (await operationKey(question.id, caller, question.asked))
  const earlier =
    key && replay<unknown, Code>((found.rows as { $earlier: Recorded[] }).$earlier, key)
  if (earlier) return recall(db, key, operation, earlier)

  const now = seatgate.now()
  const answer = (outcome: Result<T, Code | Further | PerformRefusal>) =>
    key && (outcome.ok || isKept(outcome.error, found.membership))
      ? settleOutcome(db, key, outcome, now)
      : outcome

  if (operation.revise) {
    const revised = await operation.revise(caller)
    if (!revised.ok) return answer(revised)
    progress.operation = revised.value
    return 'again'
  }
  const planned = operation.plan(found, caller, now)
  if (!planned.ok) return answer(planned)
  if (progress.unreadableId) return refused(progress.unreadableId.refusal)
  const plan = planned.value
  const occasion = { caller, ...marksOf(scope), now }
  if ('rows' in plan) {
    const prepared = await prepareRows(seatgate, occasion, plan)
    // Every row was refused. The result is not stored, because there may be seats the next time.
    if (prepared.statements.length === 0) return ok(prepared.value)
    const done = await commitPrepared(seatgate, progress, key, prepared)
    if (done.committed) return settled(db, key, operation, ok(prepared.value))
    // The next attempt reads the current rows, a changed limit included.
    return done.code === 'host_conflict' ? refused({ code: done.code }) : 'again'
  }
  checkListed(operation, plan)
  if (plan.proof && !progress.proven) {
    const proven = await prove(seatgate, caller, plan.proof)
    if (!proven.ok) return answer(answerable(seatgate, operation, proven.error))
    progress.proven = true
  }
  if (plan.statements.length === 0) {
    return answer(operation.settle ? await operation.settle(plan.value) : ok(plan.value))
  }
  const prepared = await prepare(seatgate, occasion, plan)
  if (!prepared.ok) {
    return isHolderConflict(prepared.error, key)
      ? 'again'
      : answer(answerable(seatgate, operation, prepared.error))
  }
  const done = await commitPrepared(seatgate, progress, key, prepared.value)
  if (done.committed) return settled(db, key, operation, ok(plan.value))
  const refusal = refusalOf(done)
  return refusal === null ? 'again' : answer(answerable(seatgate, operation, refusal))
}

// The result is stored in the same batch as its change.
function commitPrepared<Q extends Queries, T>(
  seatgate: ChangeContext,
  { operation }: Progress<Q, T>,
  key: OperationKey | null,
  prepared: Prepared<T>
) {
  const { value, statements, occasion } = prepared
  const stored = key
    ? [recordOutcome(seatgate.db, key, kept(operation, ok(value)), occasion.now)]
    : []
  return conclude(seatgate, prepared, [...stored, ...statements])
}

// D1 had no membership for this user a moment ago. Either they have just been added, or the same
// operation is in progress, or the seat of an ended membership is not free yet: read again.
function isHolderConflict({ code }: Refusal, key: OperationKey | null): boolean {
  return code === 'already_member' || (code === 'operation_in_progress' && key !== null)
}
