/**
 * What somebody who presents a token finds: the invitation, or why it is none for them.
 *
 * @module
 */
import type { InvitationRow, OrganizationRow } from '../../database/schema.ts'
import { normalizeEmail } from '../../base/email.ts'
import { UnreadableInput } from '../../base/input.ts'
import type { InputRefusal, InvitationRefusal, RefusalOf } from '../../base/refusal.ts'
import { ok, refused, type Result } from '../../base/result.ts'
import { stateOf } from '../../engine/model/invitation.ts'
import type { KnownUser } from '../../engine/model/invitation-lookup.ts'
import type { InvitationContext } from './invitation-config.ts'
import { openToken, sameHash, type Envelope } from './token.ts'

/** What D1 has for a token. */
export interface Presented {
  readonly rows: readonly InvitationRow[]
  readonly organizations: readonly OrganizationRow[]
}

/** An invitation that is open, and where it leads. */
export interface OpenInvitation {
  readonly invitation: InvitationRow
  readonly organization: OrganizationRow
  /** Whether the token that was presented went through the mailer. */
  readonly provesMailbox: boolean
}

/** An invitation that this user accepted before. */
export interface AcceptedBefore {
  readonly organization: OrganizationRow
  readonly user: KnownUser
  /** Whether the token that was presented went through the mailer to the address the user has. */
  readonly provesMailbox: boolean
}

const INVALID: RefusalOf<'invitation_invalid'> = { code: 'invitation_invalid' }

/** What is done with an invitation's token takes it. */
export interface TokenInput {
  readonly token: string
}

/**
 * Reads the token out of an input `{ token }`. Whatever is no token of this host is null; only what
 * could not be read at all is refused as such.
 *
 * @throws {TypeError} if the host has configured no `secret`.
 */
export function readToken(
  seatgate: Pick<InvitationContext, 'invitations'>,
  input: unknown
): Result<Envelope | null, InputRefusal> {
  const { secret } = seatgate.invitations
  if (input instanceof UnreadableInput) return refused(input.refusal)
  const token =
    typeof input === 'object' && input !== null ? (input as { token?: unknown }).token : null
  return ok(openToken(secret, token))
}

/**
 * Finds out what a token is worth. In this order: invalid (whatever the reason), accepted, revoked,
 * declined, expired. A token that was sealed here and is not the invitation's own any more has been
 * replaced: it is revoked.
 */
export function openInvitation(
  envelope: Envelope | null,
  { rows, organizations }: Presented,
  now: Date
): Result<OpenInvitation, InvitationRefusal> {
  if (envelope === null) return refused(INVALID)
  const [invitation] = rows
  const [organization] = organizations
  if (invitation === undefined) {
    // It was sealed here; its row is gone, as rows go some time after they have ended.
    return envelope.expiresAt <= now ? refused({ code: 'invitation_expired' }) : refused(INVALID)
  }
  if (organization === undefined || !envelope.isFor(invitation.email)) return refused(INVALID)
  const state = stateOf(invitation, now)
  if (state === 'accepted') return refused({ code: 'invitation_already_accepted' })
  if (state === 'revoked' || !sameHash(envelope.tokenHash, invitation.tokenHash)) {
    return refused({ code: 'invitation_revoked' })
  }
  if (state === 'declined') return refused({ code: 'invitation_declined' })
  if (state === 'expired') return refused({ code: 'invitation_expired' })
  return ok({ invitation, organization, provesMailbox: envelope.provesMailbox })
}

/** Finds the invitation of a token that this very user accepted before; null for any other. */
export function acceptedBefore(
  envelope: Envelope | null,
  { rows, organizations }: Presented,
  user: KnownUser | undefined,
  now: Date
): AcceptedBefore | null {
  const [invitation] = rows
  const [organization] = organizations
  if (!envelope || !invitation || !organization || !user) return null
  if (!envelope.isFor(invitation.email) || invitation.acceptedById !== user.id) return null
  const current =
    sameHash(envelope.tokenHash, invitation.tokenHash) &&
    invitation.expiresAt > now &&
    normalizeEmail(user.email) === invitation.email
  return { organization, user, provesMailbox: envelope.provesMailbox && current }
}
