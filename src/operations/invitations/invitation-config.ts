import type { InvitationLimits } from '../../engine/model/rate-limits.ts'
import type { DatabaseContext, Statement } from '../../database/database.ts'
import type { Runtime } from '../../base/runtime.ts'
import type { ChangeContext } from '../../engine/changes/change-context.ts'
import type { UserContext } from '../../database/user-table.ts'
import type { Result } from '../../base/result.ts'
import type { VerificationContext } from '../../engine/model/verified-address.ts'
import type { MailPayload } from './mail.ts'

/**
 * A mail, to one address: what it is about, and a text for it. Names are fit to be shown to the
 * recipient, without links. There is no way to ask for tracking.
 */
export interface Mail {
  readonly kind: 'invitation'
  readonly to: string
  /** The recipient's language (BCP 47) as the inviter gave it; null if it was not given. */
  readonly locale: string | null
  /** The mailed token. It belongs into this mail and nowhere else. */
  readonly token: string
  /** The link of the token, made by `url`. */
  readonly url: string
  readonly organization: { readonly id: string; readonly name: string; readonly slug: string }
  /** Null if the inviter is no user any more, or has no name that can be shown. */
  readonly inviter: { readonly name: string } | null
  readonly role: string
  /** ISO 8601, UTC. */
  readonly expiresAt: string
  /** The library's own subject, text and HTML, in English. */
  readonly subject: string
  readonly text: string
  readonly html: string
  /** The same for every attempt at this mail: a provider that knows it sends once. */
  readonly idempotencyKey: string
  readonly organizationId: string
}

/** What became of a mail. `rejected` is for good: nobody is at this address, say. */
export type MailDelivery =
  | { readonly outcome: 'sent' }
  | { readonly outcome: 'rejected'; readonly reason: string }

/**
 * Sends mail. Called after the change is committed and, if it throws, again later.
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

/** Somebody who is to become a user, by an invitation to this address. */
export interface Registration {
  readonly userId: string
  /** The address of the invitation. */
  readonly email: string
  /**
   * Whether the person has proven that they read its mail: true only for a token that went through the
   * mailer. With the token that was told to the inviter the address is to be stored as unverified.
   */
  readonly emailVerified: boolean
  readonly now: Date
  /** The rest of what was posted: a password, a name. */
  readonly input: Readonly<Record<string, unknown>>
}

/** How the host registers a user: the statements that do it, and the user as its clients see it. */
export type RegisterUser = (
  registration: Registration
) => Promise<Result<{ readonly statements: readonly Statement[]; readonly user: object }>>

/** The part that `invitations()` makes. */
export interface InvitationRules {
  readonly secret: string
  readonly ttlSeconds: number
  readonly holdSeats: boolean
  /** Whether open ones stay when the user who sent them could not send them any more. */
  readonly outliveInviter: boolean
  /** How long one is kept once its time is over; `Infinity` for ever. */
  readonly retentionDays: number
  readonly limits: InvitationLimits
  readonly mailer: Mailer | null
  readonly url: ((token: string) => string) | null
  readonly registerUser: RegisterUser | null
  // The sweep calls these through the part, so that a Worker without invitations does not load them.
  /** Sends the mail of a job; returns until when it has to wait. */
  readonly sendInvitation: (context: MailContext, payload: MailPayload) => Promise<Date | null>
  /** Builds the statements that delete invitations which are over. */
  readonly purge: (context: PurgeContext, now: Date) => readonly Statement[]
}

/** What sending the mail of an invitation needs. */
export interface MailContext extends UserContext, Pick<Runtime, 'now' | 'report'> {
  readonly invitations: InvitationRules
}

/** What deleting old invitations needs. */
export interface PurgeContext extends DatabaseContext {
  readonly invitations: Pick<InvitationRules, 'retentionDays'>
}

/** What an operation on invitations needs. */
export interface InvitationContext extends ChangeContext, UserContext, VerificationContext {
  readonly invitations: InvitationRules
}
