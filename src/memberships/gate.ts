/**
 * The gate: every membership comes to be here, and here alone.
 *
 * @module
 */
import type { EventDraft } from '../audit/event.ts'
import type { Statement } from '../database/database.ts'
import { memberships, type MembershipRow } from '../database/schema.ts'
import { ok, refused, type Result } from '../result.ts'
import type { Seatgate } from '../seatgate.ts'
import { limitView } from '../seats/limit.ts'
import type { SeatGrant, SeatReference, SeatRequest } from '../seats/provider.ts'

/** A membership that is to come to be. It gets its seat at the gate. */
export interface Admission {
  readonly membership: Omit<MembershipRow, 'seatId'>
  /** Whether this is the creating owner, whose seat is counted and never refused. */
  readonly founding: boolean
}

/** A membership that may be written now, with everything that must be written with it. */
export interface Admitted {
  /** The seat to confirm or release; null for a founder's, which nobody has reserved. */
  readonly seat: SeatReference | null
  readonly statements: readonly Statement[]
  readonly events: readonly EventDraft[]
}

/**
 * Asks for a seat and, if there is one, builds the statements that write the membership. They belong
 * into one batch; the seat is confirmed if it is committed, released if it was certainly not. After
 * an unknown outcome nothing is done: at its deadline the seat is settled against D1.
 */
export async function admit(
  seatgate: Seatgate,
  { membership, founding }: Admission
): Promise<Result<Admitted>> {
  const { organizationId, userId } = membership
  const seat = { organizationId, seatId: seatgate.newId() }
  const granted = await reserve(seatgate, { ...seat, holder: userId, founding })
  if (!granted.ok) return granted
  const insert = seatgate.db.insert(memberships).values({ ...membership, seatId: seat.seatId })
  return ok({
    seat: founding ? null : seat,
    statements: [...granted.value.guards, insert],
    events: seatgate.seats.enforces ? [seatAssigned(seat, userId, granted.value)] : [],
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

function seatAssigned({ seatId }: SeatReference, userId: string, { count }: SeatGrant): EventDraft {
  const counted = count && {
    held: count.held,
    reserved: count.reserved,
    limit: limitView(count.limit),
  }
  return {
    action: 'seat.assigned',
    target: { type: 'seat', id: seatId },
    metadata: { user_id: userId, ...counted },
  }
}
