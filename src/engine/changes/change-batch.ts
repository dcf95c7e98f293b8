/**
 * Builds the batch of a plan, and does the work after it.
 *
 * @module
 */
import { organizationsOf, recordEvents, type RecordedEvent } from '../audit/record-events.ts'
import { commit, type Aborted, type Commit, type GuardCode } from '../../database/commit.ts'
import { HostConflict, StatementFailed, type Statement } from '../../database/database.ts'
import {
  afterCalls,
  type FoundingPlan,
  type Plan,
  type RowsPlan,
  type SeatlessPlan,
} from '../model/plan.ts'
import { askEach, composeLifecycle } from './ask-hooks.ts'
import {
  claimEach,
  claimSeats,
  giveBack,
  renewLedgers,
  type ClaimedSeat,
  type TakenSeat,
} from './seat-claims.ts'
import {
  invalid,
  ok,
  type HookRefusal,
  type Refusal,
  type RefusalOf,
  type Result,
} from '../../base/result.ts'
import type { Runtime } from '../../base/runtime.ts'
import { recordRefusal, turnsOf } from './limit-events.ts'
import type { SeatReference } from '../seats/provider.ts'
import type { ReserveRefusal } from '../seats/reserve-rules.ts'
import { afterCommit } from './after-commit.ts'
import { contextOf, type ChangeContext, type ChangeInfo } from './change-context.ts'
import { recordJobs, type RecordedJob } from './jobs.ts'

/**
 * A prepared change: the statements of one batch, to be run as a whole or not at all, and the work after
 * the commit. Plain values; no row has been written.
 */
export interface Prepared<T> {
  /** The result of the change after the commit. */
  readonly value: T
  readonly statements: readonly Statement[]
  /** The seats reserved for it: confirmed with the batch, released without it. */
  readonly takenSeats: readonly TakenSeat[]
  readonly freedSeats: readonly SeatReference[]
  readonly organizationIds: readonly string[]
  /** Those of them that are marked for the consumers of the trail. */
  readonly markedIds: readonly string[]
  readonly jobs: readonly RecordedJob[]
  readonly events: readonly RecordedEvent[]
  /** The statements that write an event only if its condition holds, and return it. */
  readonly turns: readonly Statement[]
  readonly info: ChangeInfo
}

/**
 * Combines two prepared changes into one, in this order. They must not need each other's seats: an
 * organization and a further member of it are two batches.
 *
 * @example
 * ```ts
 * const both = combine(workspace.value, joining.value)
 * await commitTogether(seatgate, both, { before: [insertUser] })
 * ```
 */
export function combine<A, B>(first: Prepared<A>, second: Prepared<B>): Prepared<readonly [A, B]> {
  return {
    value: [first.value, second.value],
    statements: [...first.statements, ...second.statements],
    takenSeats: [...first.takenSeats, ...second.takenSeats],
    freedSeats: [...first.freedSeats, ...second.freedSeats],
    organizationIds: [...new Set([...first.organizationIds, ...second.organizationIds])],
    markedIds: [...new Set([...first.markedIds, ...second.markedIds])],
    jobs: [...first.jobs, ...second.jobs],
    events: [...first.events, ...second.events],
    turns: [...first.turns, ...second.turns],
    info: first.info,
  }
}

/** Calls the host's hooks, claims the seats and builds the batch. Sends no query to D1. */
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
  return ok(assemble(context, info, { ...plan, statements: composed.value }, claimed.value))
}

/** Prepares a plan of rows: each is refused by itself, and the batch has the remaining rows. */
export async function prepareRows<T>(
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
  return assemble(context, info, decide(refusals), claimed)
}

const isReserved = ({ taken }: ClaimedSeat) => taken?.reservedBefore === true

/** Builds the batch of a plan and its granted seats. */
export function assemble<T>(
  context: ChangeContext,
  info: ChangeInfo,
  plan: Plan<T>,
  claimed: readonly ClaimedSeat[]
): Prepared<T> {
  const events = [...plan.events, ...claimed.flatMap((claim) => claim.events)]
  const { now } = info
  const eventContext = contextOf(info)
  const recorded = recordEvents(context, eventContext, events)
  const turns = turnsOf(context, eventContext, events)
  const calls = afterCalls(context, info.caller, events, recorded.events)
  const jobs = recordJobs(context, [...(plan.jobs ?? []), ...calls], now)
  // A seat that passes on to another invitation has no row in between: restore it before other claims
  // count seats.
  const inOrder = claimed.toSorted((a, b) => Number(isReserved(b)) - Number(isReserved(a)))
  return {
    value: plan.value,
    statements: [
      ...plan.statements,
      ...inOrder.flatMap(({ statements }) => statements),
      ...recorded.statements,
      ...turns,
      ...jobs.statements,
    ],
    takenSeats: claimed.flatMap(({ taken }) => (taken === null ? [] : [taken])),
    freedSeats: plan.freedSeats ?? [],
    organizationIds: organizationsOf(events),
    markedIds: recorded.markedIds,
    jobs: jobs.recorded,
    events: recorded.events,
    turns,
    info,
  }
}

/**
 * Runs the batch, with the statements of the host, and does the work after it. After an unknown outcome
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
  const refusal = refusalOf(done)
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

/** The codes of a rolled back batch. */
export type BatchRefusal = RefusalCodeOfGuard | 'host_conflict' | 'not_found' | 'validation_error'

type RefusalCodeOfGuard = Exclude<
  GuardCode,
  'stale' | 'ledger_superseded' | 'session_gone' | 'slug_taken' | 'user_unknown'
>

/** Returns the refusal of a rolled back batch; null if the change must be planned again. */
export function refusalOf({ code, numbers }: Aborted): RefusalOf<BatchRefusal> | null {
  switch (code) {
    case 'last_owner':
    case 'seats_unavailable':
    case 'organization_not_found':
    case 'insufficient_role':
    case 'already_member':
    case 'idempotency_mismatch':
    case 'operation_in_progress':
    case 'host_conflict':
      return { code }
    case 'rate_limited_user':
    case 'rate_limited_organization':
      return { code, retryAfterSeconds: numbers[0] ?? 1 }
    case 'seat_limit_reached':
      return { code, limit: numbers[0] ?? 0, used: numbers[1] ?? 0 }
    case 'session_gone':
      return { code: 'not_found' }
    case 'slug_taken':
      return invalid({ slug: ['This slug is already taken.'] })
    case 'user_unknown':
      return invalid({ userId: ['This user does not exist.'] })
    default:
      return null
  }
}
