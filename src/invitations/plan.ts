import { invitationEvent, type EventDraft } from '../audit/event.ts'
import type { Statement } from '../database/database.ts'
import { invitations, type InvitationRow } from '../database/schema.ts'
import type { InvitationAdmission } from '../memberships/gate.ts'
import type { Intent } from '../operations/intent.ts'
import { isUser, type Principal } from '../scope.ts'
import type { Seatgate } from '../seatgate.ts'
import type { SeatReference } from '../seats/provider.ts'
import { endInvitation } from './end.ts'
import { guardUnfinished } from './guards.ts'
import { invitationView, type InvitationWithToken } from './invitation.ts'
import { mailIntent, mailStatus } from './mail-intent.ts'
import type { TokenSeed } from './new-token.ts'

/** An invitation that is to be made, and the unfinished one of the same address that it replaces. */
export interface InvitationDraft {
  readonly id: string
  readonly organizationId: string
  readonly email: string
  readonly role: string
  readonly expiresAt: Date
  readonly seed: TokenSeed
  readonly earlier: InvitationRow | null
}

/** What makes an invitation, for the batch that makes it. */
export interface PlannedInvitation {
  readonly value: InvitationWithToken
  readonly statements: readonly Statement[]
  /** Null where invitations hold no seats: then the statements write it. */
  readonly admission: InvitationAdmission | null
  readonly freedSeats: readonly SeatReference[]
  readonly events: readonly EventDraft[]
  readonly intents: readonly Intent[]
}

/** Plans an invitation. A seat that is held already passes on to it. */
export function planInvitation(
  seatgate: Seatgate,
  { seed, earlier, ...draft }: InvitationDraft,
  caller: Principal,
  now: Date
): PlannedInvitation {
  const { db } = seatgate
  const { holdSeats } = seatgate.invitations
  const inviter = isUser(caller) ? caller.userId : null
  const kept = holdSeats && earlier && earlier.expiresAt > now ? earlier.seatId : null
  const replaced =
    earlier && endInvitation(seatgate, earlier, 'superseded', inviter, now, kept !== null)
  const token = seed.seal(draft)
  const row: Omit<InvitationRow, 'seatId'> = {
    ...draft,
    tokenHash: token.tokenHash,
    tokenVersion: 1,
    acceptedAt: null,
    acceptedById: null,
    revokedAt: null,
    revokedById: null,
    revokeReason: null,
    declinedAt: null,
    mailStatus: mailStatus(seatgate),
    invitedById: inviter,
    createdAt: now,
    updatedAt: now,
  }
  return {
    value: { ...invitationView(row, now), token: token.envelope },
    statements: [
      ...(earlier ? [guardUnfinished(seatgate, earlier)] : []),
      ...(replaced?.statements ?? []),
      ...(holdSeats ? [] : [db.insert(invitations).values({ ...row, seatId: null })]),
    ],
    admission: holdSeats ? { kind: 'invite', invitation: row, seatId: kept } : null,
    freedSeats: replaced?.freedSeats ?? [],
    events: [
      ...(replaced?.events ?? []),
      invitationEvent(row, 'organization.invitation.created', { role: draft.role }),
    ],
    intents: mailIntent(seatgate, row, seed),
  }
}
