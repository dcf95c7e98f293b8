/**
 * How every change is made: read, plan, one batch.
 *
 * @module
 */
import { recordEvents, type EventContext } from '../audit/statements.ts'
import { commit, type Aborted } from '../database/commit.ts'
import { StoreUnavailable } from '../database/database.ts'
import type { Queries } from '../database/batch.ts'
import { admit, type Admitted } from '../memberships/gate.ts'
import { find, type Found } from '../organizations/standing.ts'
import type { Refusal, RefusalCode } from '../refusal.ts'
import { ok, refused, type Result } from '../result.ts'
import type { Principal, Scope } from '../scope.ts'
import type { Seatgate } from '../seatgate.ts'
import type { SeatReference } from '../seats/provider.ts'
import { UnreadableInput } from '../input.ts'
import { inBackground } from './background.ts'
import type { Plan } from './plan.ts'
import {
  operationKey,
  recordedOutcome,
  recordOutcome,
  replay,
  settleOutcome,
  type OperationKey,
  type Recorded,
} from './record.ts'

/** Options of every function that changes something. */
export interface OperationOptions {
  /**
   * Names this operation, 1 to 255 characters: repeated by the same caller it is answered as the
   * first time, at any age, and done once. With another input it is `idempotency_mismatch`.
   */
  readonly operationId?: string
}

/** An operation: what it must know, and what it decides on that. */
export interface Operation<Q extends Queries, T> {
  readonly name: string
  readonly input: unknown
  /** Whether it takes a seat: if a store does not answer, it is refused for want of one. */
  readonly grows: boolean
  /** Read in one round trip with the caller and their standing. */
  readonly queries: Q
  /** The pure decision. `caller` is who was found to be asking. */
  readonly plan: (found: Found<Q>, caller: Principal, now: Date) => Result<Plan<T>>
}

// What is not an answer to the operation, and may be another one the next time.
const PASSING: ReadonlySet<RefusalCode> = new Set<RefusalCode>([
  'operation_in_progress',
  'seats_unavailable',
  'unavailable',
])

const ATTEMPTS = 5

/**
 * Performs an operation. Its plan is made on what was read and guarded by it; if that has changed
 * by the time of the batch, nothing is written and it is planned again on what is true now.
 */
export async function perform<Q extends Queries, T>(
  seatgate: Seatgate,
  scope: Scope,
  operation: Operation<Q, T>,
  { operationId }: OperationOptions = {}
): Promise<Result<T>> {
  const { name, input, grows } = operation
  const key =
    operationId === undefined || input instanceof UnreadableInput
      ? null
      : await operationKey(operationId, [name, scope.organization ?? null, input])
  try {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const answer = await attemptOnce(seatgate, scope, operation, key)
      if (answer !== 'stale') return answer
    }
    return refused({ code: 'operation_in_progress' })
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error
    seatgate.report({ event: 'store_unavailable', error: error.cause })
    return refused({ code: grows ? 'seats_unavailable' : 'unavailable' })
  }
}

async function attemptOnce<Q extends Queries, T>(
  seatgate: Seatgate,
  scope: Scope,
  operation: Operation<Q, T>,
  key: OperationKey | null
): Promise<Result<T> | 'stale'> {
  const { db } = seatgate
  const found = await find(db, scope, {
    ...operation.queries,
    ...(key && { $earlier: recordedOutcome(db, scope.caller, key) }),
  })
  const { caller } = found
  if (caller === null) return refused({ code: 'unauthenticated' })
  const earlier = key && replay<T>((found.rows as { $earlier: Recorded[] }).$earlier, key)
  if (earlier) return earlier

  const now = seatgate.now()
  const answer = (outcome: Result<T>) =>
    key && (outcome.ok || !PASSING.has(outcome.error.code))
      ? settleOutcome(db, caller.userId, key, outcome, now)
      : outcome

  const planned = operation.plan(found, caller, now)
  if (!planned.ok) return answer(planned)
  const plan = planned.value
  const outcome = ok(plan.value)
  if (plan.statements.length === 0) return answer(outcome)

  const admitted = plan.admission ? await admit(seatgate, plan.admission) : null
  if (admitted && !admitted.ok) {
    return isHolderConflict(admitted.error, key) ? 'stale' : answer(admitted)
  }
  const entrant = admitted?.value ?? null
  const done = await commit(db, [
    ...(key ? [recordOutcome(db, caller.userId, key, outcome, now)] : []),
    ...plan.statements,
    ...(entrant?.statements ?? []),
    ...recordEvents(db, eventContext(seatgate, scope, plan, caller, now), [
      ...plan.events,
      ...(entrant?.events ?? []),
    ]),
  ])
  if (done.committed) {
    await tell(seatgate, plan, entrant)
    return outcome
  }
  if (entrant?.seat) await releaseSeat(seatgate, entrant.seat)
  const refusal = refusalOf(done)
  return refusal === null ? 'stale' : answer(refused(refusal))
}

// D1 had no membership for this person a moment ago. Either somebody has just let them in, or the
// same operation is under way, or the seat of a membership that ended is not free yet: look again.
function isHolderConflict({ code }: Refusal, key: OperationKey | null): boolean {
  return code === 'already_member' || (code === 'operation_in_progress' && key !== null)
}

function eventContext(
  { newId, sinks }: Seatgate,
  { requestId }: Scope,
  { organizationId }: Plan<unknown>,
  { userId, operator }: Principal,
  now: Date
): EventContext {
  const actor = { type: operator ? 'operator' : 'user', id: userId } as const
  return {
    organizationId,
    actor,
    effectiveUserId: userId,
    requestId: requestId ?? null,
    now,
    newId,
    forwarded: sinks.length > 0,
  }
}

// Freed seats are waited for, so that whoever is told of a departure can use its seat at once.
// Everything else may come later; what a crash prevents here, the outbox and the alarm make up for.
async function tell(
  seatgate: Seatgate,
  { organizationId, freedSeats = [] }: Plan<unknown>,
  entrant: Admitted | null
): Promise<void> {
  for (const seatId of freedSeats) await releaseSeat(seatgate, { organizationId, seatId })
  const { seats, seatContext, queue } = seatgate
  const seat = entrant?.seat
  await inBackground(seatgate, organizationId, [
    ...(seat ? [() => seats.confirm(seatContext, seat)] : []),
    ...(queue ? [() => queue.send({ organizationId })] : []),
  ])
}

async function releaseSeat(seatgate: Seatgate, seat: SeatReference): Promise<void> {
  try {
    await seatgate.seats.release(seatgate.seatContext, seat)
  } catch (error) {
    const { organizationId } = seat
    seatgate.report({ event: 'seat_release_failed', organizationId, error })
  }
}

function refusalOf({ code, numbers }: Aborted): Refusal | null {
  switch (code) {
    case 'last_owner':
    case 'seats_unavailable':
      return { code }
    case 'seat_limit_reached':
      return { code, limit: numbers[0] ?? 0, used: numbers[1] ?? 0 }
    default:
      return null
  }
}
