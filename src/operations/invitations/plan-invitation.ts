import type { EventDraft } from '../../engine/audit/event.ts'
import { invitationEvent } from '../../engine/audit/part-actions.ts'
import type { Statement, UserContext } from '../../database/database.ts'
import { insertRows } from '../../database/batch.ts'
import { invitations, type InvitationRow } from '../../database/schema/invitations-tables.ts'
import { withHook, type Job, type SeatClaim } from '../../engine/model/plan.ts'
import type { Question } from '../../engine/model/hooks.ts'
import { isUser, type Principal } from '../../engine/access/principal.ts'
import type { ProviderContext, SeatReference } from '../../engine/seats/provider.ts'
import { endInvitations } from '../../engine/model/end-invitation.ts'
import {
  claimForInvitation,
  guardAllUnfinished,
  guardNoMembers,
  invitationView,
  type InvitationWithToken,
} from '../../engine/model/invitation.ts'
import type { InvitationContext, InvitationRules, MailContext } from './invitation-config.ts'
import { mailJob, mailStatus } from './mail.ts'
import type { TokenSeed } from './token.ts'
import * as v from 'valibot'
import { Email } from '../../base/email.ts'
import { roleInput, type AccessContext, type Roles } from '../../engine/access/roles.ts'

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
  readonly jobs: readonly Job[]
}

/** Plans an invitation. A seat that is already reserved for the address passes on to it. */
export function planInvitation(
  context: MailContext & Pick<InvitationContext, 'invitations'>,
  { seed, earlier, ...draft }: InvitationDraft,
  caller: Principal,
  now: Date
): PlannedInvitation {
  const { holdSeats } = context.invitations
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
    mailStatus: mailStatus(context),
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
    claim: holdSeats ? claimForInvitation(context.db, row, kept) : null,
    jobs: mailJob(context, row, seed),
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
  context: UserContext & AccessContext & Pick<ProviderContext, 'seats'>,
  planned: readonly PlannedInvitation[],
  caller: Principal,
  now: Date
): InvitationWrites {
  const keeping = new Set(
    planned.flatMap(({ replaced }) => (replaced?.keepsSeat ? [replaced.row.id] : []))
  )
  const earlier = planned.flatMap(({ replaced }) => (replaced ? [replaced.row] : []))
  const ended = endInvitations(context, earlier, {
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
      ...(first ? guardNoMembers(context, first.row.organizationId, emails) : []),
      ...guardAllUnfinished(context, earlier),
      ...ended.statements,
      ...insertRows(context.db, invitations, unheld),
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

const LONGEST_TTL_DAYS = 30
const DAY_SECONDS = 24 * 60 * 60

/** The input of `createInvitation`. */
export interface CreateInvitationInput<Role extends string = string> {
  readonly email: string
  readonly role: Role
  /** The recipient's language, as a BCP 47 tag. Default: unknown. */
  readonly locale?: string | null | undefined
}

/** Creates the schema of an invitation: its address, role and language. */
export function invitationInput(roles: Roles) {
  return v.object(
    { email: Email, role: roleInput(roles), locale: v.nullish(Locale) },
    'Must be an object.'
  )
}

const LOCALE_MESSAGE = 'Must be a language tag such as "en" or "de-CH".'

/** A language tag of BCP 47, in its canonical spelling. */
const Locale = v.pipe(
  v.string('Must be a string.'),
  v.maxLength(35, LOCALE_MESSAGE),
  v.transform(canonicalLocale),
  v.string(LOCALE_MESSAGE),
  v.metadata({ format: 'language-tag' })
)

function canonicalLocale(tag: string): string | null {
  try {
    return Intl.getCanonicalLocales(tag)[0] ?? null
  } catch {
    return null
  }
}

/** Returns a warning if a lifetime is longer than advisable. */
export function warnOfLongTtl({
  invitations,
  report,
}: Pick<InvitationContext, 'invitations' | 'report'>): void {
  const warning = longTtlWarning(invitations)
  if (warning !== null) report({ event: 'invitation_ttl_long', error: warning })
}

function longTtlWarning({ ttlSeconds }: InvitationRules): string | null {
  const days = ttlSeconds / DAY_SECONDS
  if (days <= LONGEST_TTL_DAYS) return null
  return `Invitations live ${days} days; more than ${LONGEST_TTL_DAYS} days is not advisable.`
}
