import { limitOf, poolTypes, typeOfRole, typeOfSeat } from './pools.ts'
import { carriedSeats, ledgerOf, promisedSeats } from './seats.ts'
import type { Circumstances, EventState, State } from './state.ts'

/**
 * Once quiet, no user waits for a seat that is free. Each type of seats has a waitlist of its own. The
 * sweep ensures it within a minute: pass a state that was read with a `now` two minutes ago, so that a
 * later expiry does not count.
 *
 * @example
 * ```ts
 * const stored = await readStored(env.DB, organizationId, twoMinutesAgo)
 * expect(forgotten({ ...stored, ledger }, { quiet: true })).toEqual([])
 * ```
 */
export function forgotten(state: State, circumstances: Circumstances): readonly string[] {
  const { line, requests = [], entitlement } = state
  const { seatsCounted = true, seatTypes, defaultLimit } = circumstances
  if (line.length === 0) return []
  if (!seatsCounted) return [`${line.length} wait where seats are not counted`]
  const roles = new Map(requests.map(({ id, role }) => [id, role]))
  return poolTypes(seatTypes).flatMap((type) => {
    const waiting = line.filter((id) => typeOfRole(seatTypes, roles.get(id) ?? '') === type)
    const limit = limitOf(entitlement, type, seatTypes, defaultLimit)
    // Without an entitlement only the host knows the limit.
    if (waiting.length === 0 || limit === undefined) return []
    const seats = [...carriedSeats(state), ...promisedSeats(state)]
    const used = Math.max(
      ledgerOf(state, type)?.seats.length ?? 0,
      seats.filter((seat) => typeOfSeat(seat) === type).length
    )
    const what = type === null ? 'seats' : `${type} seats`
    return used < limit ? [`${waiting.length} wait with ${used} of ${limit} ${what} in use`] : []
  })
}

/**
 * The first who waits for a type of seats joins first; replayed, the trail ends with the current waitlist.
 * The trail has no role of a request that was not approved: it is known from the row, while
 * no later event can have changed it.
 */
export function overtaken(
  { events, line, requests = [] }: Pick<State, 'events' | 'line' | 'requests'>,
  { seatTypes = {} }: Pick<Circumstances, 'seatTypes'> = {}
): readonly string[] {
  const wrong: string[] = []
  const stored = new Map(requests.map(({ id, role }) => [id, role]))
  const changed = lastChanges(events)
  let told: readonly Waiting[] = []
  let before: EventState | undefined
  for (const event of events) {
    const next = follow(told, event, before)
    if (event.action === 'organization.member_add' && next.length < told.length) {
      const type = typeOfRole(seatTypes, String(event.metadata['role']))
      const first = told.find((waiting) => waitsFor(waiting, event) === type)
      if (first !== undefined && first.userId !== event.target_id) {
        wrong.push(`event ${event.sequence}: was not the first`)
      }
    }
    told = next
    before = event
  }
  const ids = told.map(({ id }) => id)
  if (ids.join() !== line.join()) {
    wrong.push(`in line are ${line.join() || 'none'}, on record ${ids.join() || 'none'}`)
  }
  return wrong

  // Undefined: it is not known.
  function waitsFor({ id, role }: Waiting, { sequence }: EventState) {
    if (Object.keys(seatTypes).length === 0) return null
    const isAsStored = sequence > Math.max(changed.get(id) ?? 0, changed.get(ROLES) ?? 0)
    const known = role ?? (isAsStored ? stored.get(id) : undefined)
    return known === undefined ? undefined : typeOfRole(seatTypes, known)
  }
}

interface Waiting {
  readonly id: string
  readonly userId: string
  /** The role that was approved, if it was. */
  readonly role: string | undefined
}

const ROLES = 'roles'

/** When the role of each request was last written, and those of all of them. */
function lastChanges(events: readonly EventState[]): ReadonlyMap<string, number> {
  const changed = new Map<string, number>()
  for (const { action, target_id: id, sequence } of events) {
    if (action === 'organization.join_request.queued') changed.set(id, sequence)
    if (action === 'organization.role.deleted') changed.set(ROLES, sequence)
  }
  return changed
}

function follow(
  line: readonly Waiting[],
  { action, target_id: id, metadata }: EventState,
  before: EventState | undefined
): readonly Waiting[] {
  switch (action) {
    case 'organization.join_request.queued': {
      const isApproved =
        before?.action === 'organization.join_request.approved' && before.target_id === id
      const role = isApproved ? String(before.metadata['role']) : undefined
      return [...line, { id, userId: String(metadata['user_id']), role }]
    }
    // The replacement of a role is that of its requests too.
    case 'organization.role.deleted':
      return line.map((waiting) => ({ ...waiting, role: undefined }))
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
