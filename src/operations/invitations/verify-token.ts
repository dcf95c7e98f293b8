/**
 * Resolves a presented token: to an open invitation, or to the reason for a refusal.
 *
 * @module
 */
import type { InvitationRow } from '../../database/schema/invitations-tables.ts'
import type { OrganizationRow } from '../../database/schema/organizations-tables.ts'
import { normalizeEmail } from '../../base/email.ts'
import { UnreadableInput } from '../../base/input.ts'
import {
  ok,
  refused,
  type InvitationRefusal,
  type RefusalOf,
  type Result,
} from '../../base/result.ts'
import { stateOf } from '../../engine/model/invitation.ts'
import type { KnownUser } from '../../engine/model/invitation-lookup.ts'
import type { InvitationContext } from './invitation-config.ts'
import { openToken, sameHash, type Envelope } from './token.ts'

/** The rows of a token. */
export interface Presented {
  readonly rows: readonly InvitationRow[]
  readonly organizations: readonly OrganizationRow[]
}

/** An open invitation and its organization. */
export interface OpenInvitation {
  readonly invitation: InvitationRow
  readonly organization: OrganizationRow
  /** Whether the presented token was mailed. */
  readonly provesMailbox: boolean
}

/** An invitation that this user accepted before. */
export interface AcceptedBefore {
  readonly organization: OrganizationRow
  readonly user: KnownUser
  /** Whether the presented token was mailed to the user's current address. */
  readonly provesMailbox: boolean
}

const INVALID: RefusalOf<'invitation_invalid'> = { code: 'invitation_invalid' }

/** The input of operations that need an invitation's token. */
export interface TokenInput {
  readonly token: string
}

/**
 * Reads the token of an input `{ token }`. Returns null for any text that is not a token of this host;
 * refuses only an input that could not be read.
 *
 * @throws {TypeError} if the host has configured no `secret`.
 */
export function readToken(
  context: Pick<InvitationContext, 'invitations'>,
  input: unknown
): Result<Envelope | null, never> {
  const { secret } = context.invitations
  if (input instanceof UnreadableInput) return input.refuse()
  const token =
    typeof input === 'object' && input !== null ? (input as { token?: unknown }).token : null
  return ok(openToken(secret, token))
}

/**
 * Decides on a token, in this order: invalid (for any reason), accepted, revoked, declined, expired. An
 * authentic token that is no longer the invitation's own was replaced: it is revoked.
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
    // It was sealed here, but its row was deleted some time after its end.
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

/** Returns the invitation of a token if this user accepted it before; null otherwise. */
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
