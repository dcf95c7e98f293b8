/**
 * The batch of a plan: its statements, and the work after its commit as values.
 *
 * @module
 */
import { saltPersonalData, type PersonalRow } from '../audit/personal-rows.ts'
import { organizationsOf, recordEvents, type RecordedEvent } from '../audit/record-events.ts'
import { digestedText } from '../../proof/personal.ts'
import { sha256 } from '../../proof/encoding.ts'
import type { Aborted, GuardCode } from '../../database/commit.ts'
import type { Statement } from '../../database/database.ts'
import { afterCalls, type Plan } from '../model/plan.ts'
import type { ClaimedSeat, TakenSeat } from './seat-claims.ts'
import { invalid, type RefusalOf } from '../../base/result.ts'
import { turnsOf } from './limit-events.ts'
import type { ProviderContext, SeatReference } from '../seats/provider.ts'
import { typeAtPlace } from '../../base/seat-types.ts'
import { contextOf, trailOf, type ChangeContext, type ChangeInfo } from './change-context.ts'
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

/** The codes of a rolled back batch. */
export type BatchRefusal = RefusalCodeOfGuard | 'host_conflict' | 'not_found' | 'validation_error'

type RefusalCodeOfGuard = Exclude<
  GuardCode,
  'stale' | 'ledger_superseded' | 'session_gone' | 'slug_taken' | 'user_unknown'
>

/** Returns the refusal of a rolled back batch; null if the change must be planned again. */
export function refusalOf(
  { seatContext }: Pick<ProviderContext, 'seatContext'>,
  { code, numbers }: Aborted
): RefusalOf<BatchRefusal> | null {
  switch (code) {
    case 'stale':
    case 'ledger_superseded':
    case 'broken':
      return null
    case 'rate_limited_user':
    case 'rate_limited_organization':
      return { code, retryAfterSeconds: numbers[0] ?? 1 }
    case 'seat_limit_reached':
    case 'owned_limit_reached':
    case 'membership_limit_reached': {
      const seatType = typeAtPlace(seatContext, numbers[2] ?? 0)
      const counted = { limit: numbers[0] ?? 0, used: numbers[1] ?? 0 }
      return { code, ...counted, ...(seatType !== null && { seatType }) }
    }
    case 'session_gone':
      return { code: 'not_found' }
    case 'slug_taken':
      return invalid({ slug: ['This slug is already taken.'] })
    case 'user_unknown':
      return invalid({ userId: ['This user does not exist.'] })
    default:
      return { code }
  }
}
