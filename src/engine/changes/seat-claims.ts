/**
 * Claims of seats: every seat is requested and gets its id here.
 *
 * @module
 */
import { takesSeat, type AccessContext } from '../access/roles.ts'
import { seatEvent, type EventDraft } from '../audit/event.ts'
import type { Statement } from '../../database/database.ts'
import type { SeatClaim } from '../model/plan.ts'
import { ok, refused, type Result } from '../../base/result.ts'
import type { Runtime } from '../../base/runtime.ts'
import { limitView } from '../seats/limit.ts'
import type { ProviderContext, SeatGrant, SeatReference, SeatRequest } from '../seats/provider.ts'
import type { ReserveRefusal } from '../seats/reserve-rules.ts'
import { roomBesideWaitlist } from '../seats/waitlist-seats.ts'
import { poolOf, seatIdOf, typeOfRole, typeOfSeat, type SeatType } from '../../base/seat-types.ts'

/** The context of a function that claims seats. */
export interface SeatClaimContext
  extends ProviderContext, Pick<AccessContext, 'roles'>, Pick<Runtime, 'newId' | 'report'> {}

/** A granted claim: its statements, which belong into one batch. */
export interface ClaimedSeat {
  /** The reserved seat; null for a founder's, which is not reserved, and for a role without a seat. */
  readonly taken: TakenSeat | null
  /** The seat that the row had and loses: its role takes no seat, or one of another type. */
  readonly freed: SeatReference | null
  readonly statements: readonly Statement[]
  readonly events: readonly EventDraft[]
}

/** A seat that is reserved for a batch. */
export interface TakenSeat {
  readonly seat: SeatReference
  /** Until when an invitation reserves it; null for a membership's. */
  readonly until: Date | null
  /** Whether it was reserved before, and stays so if the batch fails. */
  readonly reservedBefore: boolean
  /** The epoch of the ledger that granted it; null without a ledger. */
  readonly epoch: number | null
  /** The state of the batch that uses the seat. The only mutable part of a prepared change. */
  readonly batch: { sent: boolean; released: boolean }
}

/**
 * Requests a seat for each claim and, if all are granted, builds the statements that write their rows.
 * They belong into one batch; the seats are confirmed after its commit, and released after a certain
 * rollback. After an unknown outcome a reservation is compared with D1 at its deadline. If one claim is
 * refused, all seats are released.
 */
export async function claimSeats(
  context: SeatClaimContext,
  claims: readonly SeatClaim[]
): Promise<Result<readonly ClaimedSeat[], ReserveRefusal>> {
  const answers = await claimEach(context, claims, { isAlone: claims.length === 1 })
  const claimed = answers.flatMap((answer) => (answer.ok ? [answer.value] : []))
  const refusal = answers.find((answer) => !answer.ok)
  if (refusal === undefined) return ok(claimed)
  await giveBack(
    context,
    claimed.flatMap(({ taken }) => (taken === null ? [] : [taken]))
  )
  return refusal
}

/** How seats are requested. */
export interface Claiming {
  /** Whether the claim is alone in its batch: its seat need not be counted before. */
  readonly isAlone?: boolean
  /** Whether the seats of the users on the waitlist are counted before: a batch has failed for them. */
  readonly besideWaitlist?: boolean
}

/**
 * Requests seats that are used independently of each other, all of one organization: the first claims are
 * granted while there are seats. The results are in the order of the claims.
 */
export async function claimEach(
  context: SeatClaimContext,
  claims: readonly SeatClaim[],
  claiming: Claiming
): Promise<readonly Result<ClaimedSeat, ReserveRefusal>[]> {
  const requests = claims.map((claim) =>
    takesSeat(context.roles, claim.role) ? seatRequest(context, claim) : null
  )
  const asked = requests.filter((request) => request !== null)
  const granted = await reserveByType(context, asked, claiming)
  return claims.map((claim, index) => {
    const request = requests[index]
    if (!request) return ok(withoutSeat(context, claim))
    const grant = granted.get(request)
    if (grant?.ok) return ok(claimedSeat(context, claim, request, grant.value))
    // No limit refuses the seat of a founder.
    return grant && claim.kind !== 'founding' ? grant : refused({ code: 'seats_unavailable' })
  })
}

/**
 * Frees a seat that is not in use. A later change may use the seat at once; if the provider does not
 * answer now, it receives the release later.
 */
export async function releaseSeat(
  context: ProviderContext & Pick<Runtime, 'report'>,
  seat: SeatReference
): Promise<void> {
  try {
    await context.seats.release(context.seatContext, seat)
  } catch (error) {
    const { organizationId } = seat
    context.report({ event: 'seat_release_failed', organizationId, error })
  }
}

/**
 * Releases the seats of a batch that was certainly not committed, without those that were reserved
 * before.
 */
export async function giveBack(
  context: ProviderContext & Pick<Runtime, 'report'>,
  taken: readonly TakenSeat[]
): Promise<void> {
  await Promise.all(
    taken.flatMap(({ seat, reservedBefore }) =>
      reservedBefore ? [] : [releaseSeat(context, seat)]
    )
  )
}

function seatRequest(
  { newId, roles }: Pick<SeatClaimContext, 'newId' | 'roles'>,
  claim: SeatClaim
): SeatRequest {
  const { organizationId, promotes, seatId } = claim
  const type = typeOfRole(roles, claim.role)
  const kept = seatId !== null && !promotes && typeOfSeat(seatId) === type
  const given = kept ? seatId : seatIdOf(type, newId())
  const kind = kept ? 'reserved' : claim.kind
  const holder = claim.holder(given, kept)
  const request: SeatRequest = { organizationId, seatId: given, holder, kind, until: claim.until }
  return promotes ? { ...request, promotes } : request
}

/** Grants a row whose role takes no seat. A seat that it had, or was to have, is freed. */
function withoutSeat(context: Pick<ProviderContext, 'seats'>, claim: SeatClaim): ClaimedSeat {
  const { freed, events } = freedBy(context, claim, null)
  return { taken: null, freed, statements: [claim.write(null)], events }
}

/** Frees the seat that a row had, unless it is the given one. */
function freedBy(
  { seats }: Pick<ProviderContext, 'seats'>,
  { organizationId, seatId, heldBy }: SeatClaim,
  given: string | null
): Pick<ClaimedSeat, 'freed' | 'events'> {
  if (seatId === null || seatId === given || !seats.enforces) return { freed: null, events: [] }
  const { user_id: userId } = heldBy
  const freed = { organizationId, seatId, ...(userId !== undefined && { userId }) }
  return { freed, events: [seatEvent(freed, 'seat.released', heldBy)] }
}

function claimedSeat(
  context: Pick<ProviderContext, 'seats'>,
  claim: SeatClaim,
  { organizationId, seatId, holder, kind }: SeatRequest,
  { guards, count, epoch }: SeatGrant
): ClaimedSeat {
  const seat = { organizationId, seatId, userId: holder }
  const reservedBefore = kind === 'reserved'
  const batch = { sent: false, released: false }
  // The numbers of events are those of the default type; the batch counts them otherwise.
  const counts =
    count && typeOfSeat(seatId) === null
      ? {
          held: count.held,
          reserved: count.reserved,
          limit: limitView(count.limit),
          limit_version: count.version,
        }
      : {}
  const { freed, events } = freedBy(context, claim, seatId)
  return {
    taken:
      kind === 'founding'
        ? null
        : { seat, until: claim.until, reservedBefore, epoch: epoch ?? null, batch },
    freed,
    statements: [...guards, claim.write(seatId)],
    events: context.seats.enforces
      ? [...events, ...claim.events(seat, counts, reservedBefore)]
      : [],
  }
}

// One call for each type: its ledger decides on its own.
async function reserveByType(
  context: ProviderContext & Pick<Runtime, 'report'>,
  requests: readonly SeatRequest[],
  claiming: Claiming
): Promise<ReadonlyMap<SeatRequest, Result<SeatGrant, ReserveRefusal>>> {
  const types = [...new Set(requests.map(({ seatId }) => typeOfSeat(seatId)))]
  const answers = await Promise.all(
    types.map(async (type) => {
      const asked = requests.filter(({ seatId }) => typeOfSeat(seatId) === type)
      const granted = await reserveEach(context, type, asked, claiming)
      return asked.flatMap((request, index) => {
        const grant = granted[index]
        return grant ? [[request, grant] as const] : []
      })
    })
  )
  return new Map(answers.flat())
}

// A provider that throws, even a host's own, grants no seat.
async function reserveEach(
  context: ProviderContext & Pick<Runtime, 'report'>,
  type: SeatType,
  requests: readonly SeatRequest[],
  { isAlone = false, besideWaitlist = false }: Claiming
): Promise<readonly Result<SeatGrant, ReserveRefusal>[]> {
  const { seats, seatContext } = context
  const [first] = requests
  if (first === undefined) return []
  try {
    if (isAlone) return [await seats.reserve(seatContext, first)]
    const room = besideWaitlist
      ? await roomBesideWaitlist(context, first.organizationId, type)
      : null
    if (room === null) return await seats.reserveEach(seatContext, requests)
    let { seats: left } = room
    const fitting = requests.filter(({ kind }) => kind !== 'new' || left-- > 0)
    const granted = await seats.reserveEach(seatContext, fitting)
    return requests.map((request) => granted[fitting.indexOf(request)] ?? refused(room.refusal))
  } catch (error) {
    context.report({ event: 'seat_reserve_failed', organizationId: first.organizationId, error })
    return requests.map(() => refused({ code: 'seats_unavailable' }))
  }
}

/** A seat that a ledger granted under an epoch; null without a ledger. */
export interface GrantedSeat {
  readonly seat: SeatReference
  readonly epoch: number | null
}

/**
 * Restarts the ledgers that granted these seats under an epoch that D1 no longer accepts. Most have
 * restarted already. A ledger that has not was overtaken by a restore, of D1 or of itself, and could
 * never grant a seat again.
 */
export async function renewLedgers(
  { seats, seatContext, report }: ProviderContext & Pick<Runtime, 'report'>,
  granted: readonly GrantedSeat[]
): Promise<void> {
  const pools = new Map(
    granted.map(({ seat: { organizationId, seatId }, epoch }) => {
      const type = typeOfSeat(seatId)
      return [poolOf(organizationId, type), { organizationId, type, epoch }]
    })
  )
  for (const { organizationId, type, epoch } of pools.values()) {
    try {
      if (epoch !== null) await seats.renew?.(seatContext, organizationId, epoch, type)
    } catch (error) {
      report({ event: 'seat_renewal_failed', organizationId, error })
    }
  }
}
