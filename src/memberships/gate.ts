/**
 * The gate: every membership comes to be here and comes back here, and nowhere else gets a seat.
 *
 * @module
 */
import { eq } from 'drizzle-orm'
import { seatEvent, type EventDraft } from '../audit/event.ts'
import type { Statement } from '../database/database.ts'
import {
  invitations,
  memberships,
  type InvitationRow,
  type MembershipRow,
} from '../database/schema.ts'
import { ok, refused, type Result } from '../result.ts'
import type { Seatgate } from '../seatgate.ts'
import { limitView } from '../seats/limit.ts'
import type { SeatGrant, SeatReference, SeatRequest } from '../seats/provider.ts'
import { invitationHolder } from '../seats/carried.ts'

/** A membership or an invitation that is to come to be. It gets its seat at the gate. */
export type Admission = MembershipAdmission | InvitationAdmission

/**
 * A membership that is to come to be, or (`restore`) to become active again. `found` is the creating
 * owner's, whose seat is counted and never refused. With `seatId` it takes the seat that an
 * invitation has held for it; with `awaited` the one that they were first in line for.
 */
export interface MembershipAdmission {
  readonly kind: 'found' | 'join' | 'restore'
  readonly membership: Omit<MembershipRow, 'seatId'>
  readonly seatId?: string | null
  readonly awaited?: boolean
}

/**
 * An invitation that is to hold a seat, or (`renew`) to hold it longer: `seatId`, if it is held
 * already, by itself or by the one that it replaces.
 */
export interface InvitationAdmission {
  readonly kind: 'invite' | 'renew'
  readonly invitation: Omit<InvitationRow, 'seatId'>
  readonly seatId?: string | null
}

/** What may be written now, with everything that must be written with it. */
export interface Admitted {
  /** Null for a founder's seat, which nobody has reserved. */
  readonly taken: TakenSeat | null
  readonly statements: readonly Statement[]
  readonly events: readonly EventDraft[]
}

/** A seat that is reserved for a batch. */
export interface TakenSeat {
  readonly seat: SeatReference
  /** Until when an invitation holds it; null for a membership's. */
  readonly until: Date | null
  /** Whether it was held before, and stays so if the batch fails. */
  readonly kept: boolean
  /** The epoch of the ledger that granted it; null without one. */
  readonly epoch: number | null
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
  const [only, ...others] = admissions
  const answers =
    only && others.length === 0
      ? [await admitOne(seatgate, only)]
      : await admitEach(seatgate, admissions)
  const admitted = answers.flatMap((answer) => (answer.ok ? [answer.value] : []))
  const refusal = answers.find((answer) => !answer.ok)
  if (refusal === undefined) return ok(admitted)
  await giveBack(
    seatgate,
    admitted.flatMap(({ taken }) => (taken === null ? [] : [taken]))
  )
  return refusal
}

/**
 * The same for those who come each on their own account, all into one organization: the first are let
 * in, for as long as there are seats, and each is answered in its place.
 */
export async function admitEach(
  seatgate: Seatgate,
  admissions: readonly Admission[]
): Promise<readonly Result<Admitted>[]> {
  const requests = admissions.map((admission) => seatRequest(seatgate, admission))
  const granted = await reserveEach(seatgate, requests)
  return admissions.map((admission, index) => {
    const [request, grant] = [requests[index], granted[index]]
    if (!request || !grant) return refused({ code: 'seats_unavailable' })
    return grant.ok ? ok(admittedBy(seatgate, admission, request, grant.value)) : grant
  })
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

/** Frees the seats of a batch that was certainly not committed, but for those that were held before. */
export async function giveBack(seatgate: Seatgate, taken: readonly TakenSeat[]): Promise<void> {
  await Promise.all(taken.flatMap(({ seat, kept }) => (kept ? [] : [releaseSeat(seatgate, seat)])))
}

/** The organization that somebody is to come into; null of nobody. */
export function organizationOf(admission: Admission): string
export function organizationOf(admission: Admission | undefined): string | null
export function organizationOf(admission: Admission | undefined): string | null {
  if (admission === undefined) return null
  const { organizationId } = isInvitation(admission) ? admission.invitation : admission.membership
  return organizationId
}

async function admitOne(seatgate: Seatgate, admission: Admission): Promise<Result<Admitted>> {
  const { seats, seatContext, report } = seatgate
  const request = seatRequest(seatgate, admission)
  try {
    const granted = await seats.reserve(seatContext, request)
    return granted.ok ? ok(admittedBy(seatgate, admission, request, granted.value)) : granted
  } catch (error) {
    report({ event: 'seat_reserve_failed', organizationId: request.organizationId, error })
    return refused({ code: 'seats_unavailable' })
  }
}

function seatRequest({ newId }: Seatgate, admission: Admission): SeatRequest {
  const organizationId = organizationOf(admission)
  const promised = admission.seatId != null
  const seatId = admission.seatId ?? newId()
  const holder =
    promised || isInvitation(admission) ? invitationHolder(seatId) : admission.membership.userId
  return { organizationId, seatId, holder, kind: seatKind(admission) }
}

function seatKind(admission: Admission): SeatRequest['kind'] {
  if (admission.kind === 'found') return 'founding'
  if (admission.seatId != null) return 'promised'
  return admission.kind === 'join' && admission.awaited ? 'awaited' : 'new'
}

function admittedBy(
  seatgate: Seatgate,
  admission: Admission,
  { organizationId, seatId, kind }: SeatRequest,
  grant: SeatGrant
): Admitted {
  const seat = { organizationId, seatId }
  const kept = kind === 'promised'
  const until = isInvitation(admission) ? admission.invitation.expiresAt : null
  return {
    taken: kind === 'founding' ? null : { seat, until, kept, epoch: grant.epoch ?? null },
    statements: [...grant.guards, write(seatgate, admission, seatId)],
    events: seatgate.seats.enforces ? seatTaken(admission, seat, kept, grant) : [],
  }
}

function write({ db }: Seatgate, admission: Admission, seatId: string): Statement {
  if (isInvitation(admission)) {
    const row = { ...admission.invitation, seatId }
    return admission.kind === 'renew'
      ? db.update(invitations).set(row).where(eq(invitations.id, row.id))
      : db.insert(invitations).values(row)
  }
  const row = { ...admission.membership, seatId }
  return admission.kind === 'restore'
    ? db.update(memberships).set(row).where(eq(memberships.id, row.id))
    : db.insert(memberships).values(row)
}

// A provider that breaks, whoever wrote it, admits nobody.
async function reserveEach(
  { seats, seatContext, report }: Seatgate,
  requests: readonly SeatRequest[]
): Promise<readonly Result<SeatGrant>[]> {
  const [first] = requests
  if (first === undefined) return []
  try {
    return await seats.reserveEach(seatContext, requests)
  } catch (error) {
    report({ event: 'seat_reserve_failed', organizationId: first.organizationId, error })
    return requests.map(() => refused({ code: 'seats_unavailable' }))
  }
}

function seatTaken(
  admission: Admission,
  seat: SeatReference,
  kept: boolean,
  { count }: SeatGrant
): readonly EventDraft[] {
  const counted = count && {
    held: count.held,
    reserved: count.reserved,
    limit: limitView(count.limit),
  }
  if (!isInvitation(admission)) {
    const { userId } = admission.membership
    return [seatEvent(seat, 'seat.assigned', { user_id: userId, ...counted })]
  }
  if (kept) return []
  const { id, expiresAt } = admission.invitation
  const promise = { invitation_id: id, expires_at: expiresAt.toISOString() }
  return [seatEvent(seat, 'seat.reserved', { ...promise, ...counted })]
}

function isInvitation(admission: Admission): admission is InvitationAdmission {
  return 'invitation' in admission
}
