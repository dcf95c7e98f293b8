import { invitationEvent, type EventDraft } from '../../engine/audit/event.ts'
import type { Statement } from '../../database/database.ts'
import { insertRows } from '../../database/insert-rows.ts'
import { invitations, type InvitationRow } from '../../database/schema.ts'
import { withHook } from '../../engine/model/after-hooks.ts'
import type { Question } from '../../engine/model/hooks.ts'
import type { Job } from '../../engine/model/job.ts'
import type { SeatClaim } from '../../engine/model/seat-claim.ts'
import { isUser, type Principal } from '../../engine/access/principal.ts'
import type { SeatReference, ProviderContext } from '../../engine/seats/provider.ts'
import { endInvitations } from '../../engine/model/end-invitation.ts'
import { guardAllUnfinished, guardNoMembers } from '../../engine/model/invitation-guards.ts'
import { invitationView, type InvitationWithToken } from '../../engine/model/invitation.ts'
import { claimForInvitation } from '../../engine/model/invitation-claim.ts'
import type { MailContext } from './invitation-config.ts'
import { mailIntent, mailStatus } from './mail-job.ts'
import type { TokenSeed } from './new-token.ts'
import type { UserContext } from '../../database/user-table.ts'
import type { InvitationContext } from './invitation-config.ts'

/** An invitation to create, and the open one of the same address that it replaces. */
export interface InvitationDraft {
  readonly id: string
  readonly organizationId: string
  readonly email: string
  readonly role: string
  /** The recipient's language, if the inviter gave one. */
  readonly locale: string | null
  readonly expiresAt: Date
  readonly seed: TokenSeed
  readonly earlier: InvitationRow | null
}

/** A planned invitation, with the parts beside its row. */
export interface PlannedInvitation {
  readonly value: InvitationWithToken
  readonly row: Omit<InvitationRow, 'seatId'>
  /** The hook that may refuse it. */
  readonly before: readonly Question[]
  /** The open invitation of the same address, and whether its seat passes on to this one. */
  readonly replaced: { readonly row: InvitationRow; readonly keepsSeat: boolean } | null
  /** Null if invitations reserve no seats: then {@link writeInvitations} writes the row. */
  readonly claim: SeatClaim | null
  readonly intents: readonly Job[]
}

/** Plans an invitation. A seat that is already reserved for the address passes on to it. */
export function planInvitation(
  seatgate: MailContext & Pick<InvitationContext, 'invitations'>,
  { seed, earlier, ...draft }: InvitationDraft,
  caller: Principal,
  now: Date
): PlannedInvitation {
  const { holdSeats } = seatgate.invitations
  const kept = holdSeats && earlier && earlier.expiresAt > now ? earlier.seatId : null
  const { token, mailToken, tokenHash } = seed.seal(draft)
  const row: Omit<InvitationRow, 'seatId'> = {
    ...draft,
    tokenHash,
    tokenVersion: 1,
    acceptedAt: null,
    acceptedById: null,
    revokedAt: null,
    revokedById: null,
    revokeReason: null,
    declinedAt: null,
    mailStatus: mailStatus(seatgate),
    invitedById: isUser(caller) ? caller.userId : null,
    createdAt: now,
    updatedAt: now,
  }
  const { organizationId, email, role } = draft
  return {
    value: { ...invitationView(row, now), token, mailToken },
    row,
    before: [{ hook: 'beforeInvitationCreate', state: { organizationId, email, role, caller } }],
    replaced: earlier && { row: earlier, keepsSeat: kept !== null },
    claim: holdSeats ? claimForInvitation(seatgate.db, row, kept) : null,
    intents: mailIntent(seatgate, row, seed),
  }
}

/** The parts of a batch that creates invitations. */
export interface InvitationWrites {
  readonly statements: readonly Statement[]
  readonly freedSeats: readonly SeatReference[]
  readonly events: readonly EventDraft[]
}

/**
 * Builds the statements, events and jobs of new invitations beside their claims. The number of statements
 * does not grow with the number of invitations.
 */
export function writeInvitations(
  seatgate: UserContext & Pick<ProviderContext, 'seats'>,
  planned: readonly PlannedInvitation[],
  caller: Principal,
  now: Date
): InvitationWrites {
  const keeping = new Set(
    planned.flatMap(({ replaced }) => (replaced?.keepsSeat ? [replaced.row.id] : []))
  )
  const earlier = planned.flatMap(({ replaced }) => (replaced ? [replaced.row] : []))
  const ended = endInvitations(seatgate, earlier, {
    reason: 'superseded',
    by: isUser(caller) ? caller.userId : null,
    now,
    keepsSeat: ({ id }) => keeping.has(id),
  })
  const [first] = planned
  const emails = planned.map(({ row }) => row.email)
  const unheld = planned.flatMap(({ row, claim }) =>
    claim === null ? [{ ...row, seatId: null }] : []
  )
  return {
    statements: [
      ...(first ? guardNoMembers(seatgate, first.row.organizationId, emails) : []),
      ...guardAllUnfinished(seatgate, earlier),
      ...ended.statements,
      ...insertRows(seatgate.db, invitations, unheld),
    ],
    freedSeats: ended.freedSeats,
    events: [
      ...ended.events,
      ...planned.map(({ row }) =>
        withHook(
          invitationEvent(row, 'organization.invitation.created', { role: row.role }),
          'afterInvitationCreate',
          { invitation: invitationView(row, now) }
        )
      ),
    ],
  }
}
