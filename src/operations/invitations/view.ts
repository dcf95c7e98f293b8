import { observed } from '../../engine/access/observed.ts'
import { partOf } from '../../engine/changes/part.ts'
import { normalizeEmail } from '../../base/email.ts'
import { find } from '../../engine/access/authorize.ts'
import type { Result } from '../../base/result.ts'
import { userIdOf, type Caller } from '../../engine/access/principal.ts'
import { shownName, shownOrganization } from '../../base/shown-text.ts'
import {
  invitationById,
  inviterOf,
  invitingOrganization,
  knownUser,
} from '../../engine/model/invitation-lookup.ts'
import { openInvitation, readToken, type TokenInput } from './verify-token.ts'
import type { InvitationContext } from './invitation-config.ts'

/**
 * The page behind the link of an invitation. `signup`: the visitor is not signed in. `accept`: the
 * invited user is. `mismatch`: another user is, who sees the two addresses but not the organization. The
 * others are the states of the invitation, and `invalid` has no reason.
 */
export type InvitationPage =
  | ({ readonly status: 'signup' } & ShownInvitation)
  | ({ readonly status: 'accept' } & ShownInvitation)
  | {
      readonly status: 'mismatch'
      readonly invitation: { readonly email: string }
      readonly user: { readonly email: string }
    }
  | { readonly status: EndedStatus }

type EndedStatus = 'already_accepted' | 'revoked' | 'declined' | 'expired' | 'invalid'

interface ShownInvitation {
  readonly invitation: {
    readonly email: string
    readonly role: string
    readonly expiresAt: string
  }
  readonly organization: { readonly name: string; readonly slug: string }
  /** Null if the inviter is no longer a user, or has no visible name. */
  readonly inviter: { readonly name: string } | null
}

/**
 * Shows an invitation to the holder of its token. Writes no row.
 *
 * It refuses no caller: the reason against the invitation is part of the answer.
 *
 * @throws {TypeError} if the host has configured no `secret` or no `users`.
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * const page = await viewInvitation(seatgate, null, { token })
 * if (page.status === 'signup') showSignUp(page.organization.name)
 * ```
 */
export function viewInvitation(
  context: Pick<InvitationContext, 'db' | 'emailVerification' | 'invitations' | 'now' | 'users'>,
  caller: Caller | null,
  input: TokenInput
): Promise<InvitationPage> {
  return observed(context, 'organization.invitation.view', async (context) => {
    partOf(context, 'invitations')
    const { db, now } = context
    const read = readToken(context, input)
    const envelope = read.ok ? read.value : null
    if (envelope === null) return { status: 'invalid' }
    const id = envelope.invitationId
    const asking = caller ?? { type: 'anonymous' as const }
    const { rows: found } = await find(
      db,
      { caller: asking },
      {
        rows: invitationById(db, id),
        organizations: invitingOrganization(db, id),
        user: knownUser(context, userIdOf(asking)),
        inviters: inviterOf(context, id),
      }
    )
    const open = openInvitation(envelope, found, now())
    if (!open.ok) return { status: statusOf(open) }
    const { invitation, organization } = open.value
    const { email, role, expiresAt } = invitation
    const [user] = found.user
    if (user && normalizeEmail(user.email) !== email) {
      return { status: 'mismatch', invitation: { email }, user: { email: user.email } }
    }
    const name = shownName(found.inviters[0]?.name)
    return {
      status: user ? 'accept' : 'signup',
      invitation: { email, role, expiresAt: expiresAt.toISOString() },
      organization: shownOrganization({ name: organization.name, slug: organization.slug }),
      inviter: name === null ? null : { name },
    }
  })
}

const STATUS: Readonly<Record<string, EndedStatus>> = {
  invitation_already_accepted: 'already_accepted',
  invitation_revoked: 'revoked',
  invitation_declined: 'declined',
  invitation_expired: 'expired',
}

function statusOf({ error }: Extract<Result<unknown>, { ok: false }>): EndedStatus {
  return STATUS[error.code] ?? 'invalid'
}
