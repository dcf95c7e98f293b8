import type { Part } from '../../engine/changes/part.ts'
import type { InvitedMembers } from '../../engine/model/invited-members.ts'
import type { JoiningMembersContext } from '../../engine/model/joining-members.ts'
import type { InvitationLimits } from '../../engine/model/rate-limits.ts'
import type { DatabaseContext, Statement, UserContext } from '../../database/database.ts'
import type { Runtime } from '../../base/runtime.ts'
import type { ChangeContext } from '../../engine/changes/change-context.ts'
import { HOOK_REFUSALS, type RefusalCode, type Result } from '../../base/result.ts'
import type { VerificationContext } from '../../engine/model/exclusions.ts'
import type { MailPayload } from './mail.ts'
import { lte } from 'drizzle-orm'
import { purgeInTurn } from '../../database/purge-in-turn.ts'
import { invitations } from '../../database/schema/invitations-tables.ts'

/**
 * A mail to one address, with its content and a text for it. Names are safe to show to the recipient,
 * without links. Tracking cannot be requested.
 */
export interface Mail {
  readonly kind: 'invitation'
  readonly to: string
  /** The recipient's language (BCP 47) as the inviter gave it; null if it was not given. */
  readonly locale: string | null
  /** The mailed token. It must only be in this mail. */
  readonly token: string
  /** The link of the token, made by `url`. */
  readonly url: string
  readonly organization: { readonly id: string; readonly name: string; readonly slug: string }
  /** The inviter's name; null if the inviter is no longer a user, or has no visible name. */
  readonly inviter: { readonly name: string } | null
  readonly role: string
  /** ISO 8601, UTC. */
  readonly expiresAt: string
  /** The library's own subject, text and HTML, in English. */
  readonly subject: string
  readonly text: string
  readonly html: string
  /** The same for every attempt at this mail, so that a provider sends it once. */
  readonly idempotencyKey: string
  readonly organizationId: string
}

/** The outcome of a mail. `rejected` is final, for example because the address does not exist. */
export type MailDelivery =
  | { readonly outcome: 'sent' }
  | { readonly outcome: 'rejected'; readonly reason: string }

/**
 * Sends mail. It is called after the commit, and again later if it throws.
 *
 * @example
 * ```ts
 * const mailer: Mailer = {
 *   async send({ to, subject, text, html, idempotencyKey }) {
 *     const response = await fetch(PROVIDER, { method: 'POST', headers: { 'idempotency-key': idempotencyKey }, … })
 *     if (!response.ok) throw new Error(`The provider answered ${response.status}.`)
 *     return { outcome: 'sent' }
 *   },
 * }
 * ```
 */
export interface Mailer {
  send(mail: Mail): Promise<MailDelivery>
}

/** A user who is about to be registered, by an invitation to this address. */
export interface Registration {
  readonly userId: string
  /** The address of the invitation. */
  readonly email: string
  /**
   * Whether the token proves that the person reads the mail of the address: true only for the mailed
   * token. With the inviter's token store the address as unverified.
   */
  readonly emailVerified: boolean
  readonly now: Date
  /** The other fields of the input: a password, a name. */
  readonly input: Readonly<Record<string, unknown>>
}

/** The codes that a {@link RegisterUser} may refuse with. */
export const REGISTER_REFUSALS = [
  'validation_error',
  ...HOOK_REFUSALS,
  'host_conflict',
  'rate_limited',
  'unavailable',
] as const satisfies RefusalCode[]

/** Why a {@link RegisterUser} refuses: `hook_refused` carries a reason of the host's own. */
export type RegisterRefusal = (typeof REGISTER_REFUSALS)[number]

/**
 * Registers a user: returns the statements that write them, and the user as the host's clients see it.
 */
export type RegisterUser = (
  registration: Registration
) => Promise<
  Result<{ readonly statements: readonly Statement[]; readonly user: object }, RegisterRefusal>
>

/** The part that `invitations()` makes. */
export interface InvitationRules extends Part<'invitations'> {
  readonly secret: string
  readonly ttlSeconds: number
  readonly holdSeats: boolean
  /** Whether invitations stay open when their sender could no longer send them. */
  readonly outliveInviter: boolean
  /** For how many days an ended invitation is kept; `Infinity` for no end. */
  readonly retentionDays: number
  readonly limits: InvitationLimits
  readonly mailer: Mailer | null
  readonly url: ((token: string) => string) | null
  readonly registerUser: RegisterUser | null
  /** The work of the part when members come and go. */
  readonly members: InvitedMembers
  // The sweep calls these through the part, so that a Worker without invitations does not load them.
  /** Sends the mail of a job; returns until when it has to wait. */
  readonly sendInvitation: (context: MailContext, payload: MailPayload) => Promise<Date | null>
  /** Builds the statements that delete invitations which are over. */
  readonly purge: (context: PurgeContext, now: Date) => readonly Statement[]
}

/** The context of the mailer of invitations. */
export interface MailContext extends UserContext, Pick<Runtime, 'now' | 'report'> {
  readonly invitations: InvitationRules
}

/** The context of the purge of old invitations. */
export interface PurgeContext extends DatabaseContext {
  readonly invitations: Pick<InvitationRules, 'retentionDays'>
}

/** The context of an operation on invitations. */
export interface InvitationContext
  extends ChangeContext, UserContext, VerificationContext, JoiningMembersContext {
  readonly invitations: InvitationRules
}

const DAY_MS = 24 * 60 * 60 * 1000

/**
 * Builds the statements that delete invitations whose retention time is over, in every state: a past
 * expiry means that the invitation is not open. The audit trail keeps its events.
 */
export function purgeInvitations(
  { db, invitations: { retentionDays } }: PurgeContext,
  now: Date
): readonly Statement[] {
  if (retentionDays === Infinity) return []
  const isOver = lte(invitations.expiresAt, new Date(now.getTime() - retentionDays * DAY_MS))
  return purgeInTurn(db, { table: invitations, key: [invitations.id], isOver }, now)
}
