/**
 * The gate: every membership comes to be here and comes back here, and nowhere else gets a seat.
 *
 * @module
 */
import { eq } from 'drizzle-orm'
import { seatEvent, type EventDraft } from '../audit/event.ts'
import type { Statement } from '../database/database.ts'
import { memberships, type MembershipRow } from '../database/schema.ts'
import { ok, refused, type Result } from '../result.ts'
import type { Seatgate } from '../seatgate.ts'
import { limitView } from '../seats/limit.ts'
import type { SeatGrant, SeatReference, SeatRequest } from '../seats/provider.ts'

/**
 * A membership that is to come to be, or (`restore`) to become active again. It gets its seat at the
 * gate. `found` is the creating owner's, whose seat is counted and never refused.
 */
export interface Admission {
  readonly kind: 'found' | 'join' | 'restore'
  readonly membership: Omit<MembershipRow, 'seatId'>
}

/** A membership that may be written now, with everything that must be written with it. */
export interface Admitted {
  /** The seat to confirm or release; null for a founder's, which nobody has reserved. */
  readonly seat: SeatReference | null
  readonly statements: readonly Statement[]
  readonly events: readonly EventDraft[]
}

/**
 * Asks for a seat for each and, if there is one for all, builds the statements that write the
 * memberships. They belong into one batch; the seats are confirmed if it is committed, released if
 * it was certainly not. After an unknown outcome nothing is done: at its deadline a seat is settled
 * against D1. If one is refused, nobody is let in.
 */
export async function admit(
  seatgate: Seatgate,
  admissions: readonly Admission[]
): Promise<Result<readonly Admitted[]>> {
  const answers = await Promise.all(admissions.map((admission) => admitOne(seatgate, admission)))
  const admitted = answers.flatMap((answer) => (answer.ok ? [answer.value] : []))
  const refusal = answers.find((answer) => !answer.ok)
  if (refusal === undefined) return ok(admitted)
  const taken = admitted.flatMap(({ seat }) => (seat === null ? [] : [seat]))
  await Promise.all(taken.map((seat) => releaseSeat(seatgate, seat)))
  return refusal
}

/**
 * Frees a seat that nobody has. Whoever is told of a departure may use its seat at once; if the
 * provider cannot be told now, it hears of it later.
 */
export async function releaseSeat(seatgate: Seatgate, seat: SeatReference): Promise<void> {
  try {
    await seatgate.seats.release(seatgate.seatContext, seat)
  } catch (error) {
    const { organizationId } = seat
    seatgate.report({ event: 'seat_release_failed', organizationId, error })
  }
}

async function admitOne(
  seatgate: Seatgate,
  { kind, membership }: Admission
): Promise<Result<Admitted>> {
  const { db, newId, seats } = seatgate
  const { id, organizationId, userId } = membership
  const seat = { organizationId, seatId: newId() }
  const founding = kind === 'found'
  const granted = await reserve(seatgate, { ...seat, holder: userId, founding })
  if (!granted.ok) return granted
  const row = { ...membership, seatId: seat.seatId }
  const write =
    kind === 'restore'
      ? db.update(memberships).set(row).where(eq(memberships.id, id))
      : db.insert(memberships).values(row)
  return ok({
    seat: founding ? null : seat,
    statements: [...granted.value.guards, write],
    events: seats.enforces ? [seatAssigned(seat, userId, granted.value)] : [],
  })
}

// A provider that breaks, whoever wrote it, admits nobody.
async function reserve(seatgate: Seatgate, request: SeatRequest): Promise<Result<SeatGrant>> {
  try {
    return await seatgate.seats.reserve(seatgate.seatContext, request)
  } catch (error) {
    const { organizationId } = request
    seatgate.report({ event: 'seat_reserve_failed', organizationId, error })
    return refused({ code: 'seats_unavailable' })
  }
}

function seatAssigned(seat: SeatReference, userId: string, { count }: SeatGrant): EventDraft {
  const counted = count && {
    held: count.held,
    reserved: count.reserved,
    limit: limitView(count.limit),
  }
  return seatEvent(seat, 'seat.assigned', { user_id: userId, ...counted })
}
