/**
 * Steps 4 to 6 of a change: the host's hooks may refuse, seats are claimed, and the batch is built. They
 * send no query to D1.
 *
 * @module
 */
import { ok, type HookRefusal, type Refusal, type Result } from '../../base/result.ts'
import type { Statement } from '../../database/database.ts'
import { sha256 } from '../../proof/encoding.ts'
import { digestedText } from '../../proof/personal.ts'
import { saltPersonalData, type PersonalRow } from '../audit/personal-rows.ts'
import { organizationsOf, recordEvents, type RecordedEvent } from '../audit/record-events.ts'
import {
  afterCalls,
  type FoundingPlan,
  type Plan,
  type RowsPlan,
  type SeatlessPlan,
} from '../model/plan.ts'
import type { SeatReference } from '../seats/provider.ts'
import type { ReserveRefusal } from '../seats/reserve-rules.ts'
import { askEach } from './ask-hooks.ts'
import { contextOf, trailOf, type ChangeContext, type ChangeInfo } from './change-context.ts'
import { recordJobs, type RecordedJob } from './jobs.ts'
import { recordRefusal, turnsOf } from './limit-events.ts'
import {
  claimEach,
  claimSeats,
  type ClaimedSeat,
  type Claiming,
  type TakenSeat,
} from './seat-claims.ts'

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

/** Prepares the batch of a plan. A refusal of a hook or of a seat refuses the plan. */
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
    ? await plan.lifecycle(context, plan.statements)
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

/** Prepares the batch of a plan of rows: each is refused by itself, and the batch has the remaining rows. */
export async function prepareRows<T>(
  context: ChangeContext,
  info: ChangeInfo,
  { rows, decide }: RowsPlan<T>,
  claiming: Claiming
): Promise<Prepared<T>> {
  const allowed = await Promise.all(rows.map(({ before }) => askEach(context, before)))
  const refusals = allowed.map((answer): Refusal | null => (answer.ok ? null : answer.error))
  const claims = rows.flatMap(({ claim }, index) =>
    claim === null || refusals[index] !== null ? [] : [{ claim, index }]
  )
  const answers = await claimEach(
    context,
    claims.map(({ claim }) => claim),
    claiming
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

const isReserved = ({ taken }: ClaimedSeat) => taken?.reservedBefore === true

/** Builds the batch of a plan and its granted seats. */
export async function buildBatch<T>(
  context: ChangeContext,
  info: ChangeInfo,
  plan: Plan<T>,
  claimed: readonly ClaimedSeat[] = []
): Promise<Prepared<T>> {
  const events = [...plan.events, ...claimed.flatMap((claim) => claim.events)]
  const salted = saltPersonalData(context, contextOf(info), events)
  const digested = salted.map(async (row) => ({ ...row, digest: await sha256(digestedText(row)) }))
  return assemble(context, info, { ...plan, events }, claimed, await Promise.all(digested))
}

/** Builds the batch of a plan whose events include those of its seats, and whose personal data are digested. */
export function assemble<T>(
  context: ChangeContext,
  info: ChangeInfo,
  plan: Plan<T>,
  claimed: readonly ClaimedSeat[],
  personal: readonly PersonalRow[]
): Prepared<T> {
  const { events } = plan
  const { now } = info
  const eventContext = contextOf(info)
  const recorded = recordEvents(trailOf(context), eventContext, events, personal)
  const { noticesDue: due = [], losses = [] } = plan
  const turns = [
    ...turnsOf(context, eventContext, events),
    ...context.followers.flatMap((follow) => follow(context, eventContext, events, due, losses)),
  ]
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
    freedSeats: [
      ...(plan.freedSeats ?? []),
      ...claimed.flatMap(({ freed }) => (freed === null ? [] : [freed])),
    ],
    organizationIds: organizationsOf(events),
    markedIds: recorded.markedIds,
    jobs: jobs.recorded,
    events: recorded.events,
    turns,
    info,
  }
}
