import { carriedSeats, promisedSeats } from './seats.ts'
import type { Circumstances, EventState, State } from './state.ts'

/**
 * Once quiet, no user waits for a seat that is free. The sweep ensures it within a minute: pass a state
 * that was read with a `now` two minutes ago, so that a later expiry does not count.
 *
 * @example
 * ```ts
 * const stored = await readStored(env.DB, organizationId, twoMinutesAgo)
 * expect(forgotten({ ...stored, ledger }, { quiet: true })).toEqual([])
 * ```
 */
export function forgotten(state: State, { seatsCounted = true }: Circumstances): readonly string[] {
  const { line, ledger, entitlement } = state
  if (line.length === 0) return []
  if (!seatsCounted) return [`${line.length} wait where seats are not counted`]
  // Without an entitlement only the host knows the limit.
  if (entitlement === null) return []
  const limit = entitlement.limit_seats ?? Infinity
  const used = Math.max(
    ledger?.seats.length ?? 0,
    carriedSeats(state).length + promisedSeats(state).length
  )
  return used < limit ? [`${line.length} wait with ${used} of ${limit} seats in use`] : []
}

/** The first of the waitlist joins first; replayed, the trail ends with the current waitlist. */
export function overtaken({ events, line }: Pick<State, 'events' | 'line'>): readonly string[] {
  const wrong: string[] = []
  let told: readonly Waiting[] = []
  for (const event of events) {
    const first = told[0]
    const next = follow(told, event)
    if (event.action === 'organization.member_add' && next.length < told.length) {
      if (first?.userId !== event.target_id)
        wrong.push(`event ${event.sequence}: was not the first`)
    }
    told = next
  }
  const ids = told.map(({ id }) => id)
  if (ids.join() !== line.join()) {
    wrong.push(`in line are ${line.join() || 'none'}, on record ${ids.join() || 'none'}`)
  }
  return wrong
}

interface Waiting {
  readonly id: string
  readonly userId: string
}

function follow(
  line: readonly Waiting[],
  { action, target_id: id, metadata }: EventState
): readonly Waiting[] {
  switch (action) {
    case 'organization.join_request.queued':
      return [...line, { id, userId: String(metadata['user_id']) }]
    // A user who was removed while waiting has to request again.
    case 'organization.join_request.created':
    case 'organization.join_request.declined':
    case 'organization.join_request.withdrawn':
    case 'organization.join_request.closed':
      return line.filter((waiting) => waiting.id !== id)
    // A user who joins by another way stays on the waitlist until their turn.
    case 'organization.member_add':
      return metadata['path'] === undefined ? line : line.filter(({ userId }) => userId !== id)
    case 'organization.delete':
      return []
    default:
      return line
  }
}
