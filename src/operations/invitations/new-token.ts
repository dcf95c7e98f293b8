import type { Secrecy } from '../../engine/changes/stored-answer.ts'
import type { InvitationWithToken } from '../../engine/model/invitation.ts'
import type { InvitationContext } from './invitation-config.ts'
import { decrypt, encrypt } from './secrets.ts'
import { sealToken, toldBytes } from './token.ts'

/** 32 bytes that both tokens of an invitation are made from, and their encrypted form. */
export interface TokenSeed {
  readonly encrypted: string
  /** Seals the tokens of an invitation; deterministic for the same bytes and invitation. */
  seal(invitation: SealedFor): NewTokens
}

/** The tokens of an invitation, and the parts that its row stores. */
export interface NewTokens {
  readonly token: string
  readonly mailToken: string
  readonly tokenHash: string
}

/** The facts that a token is bound to. */
export interface SealedFor {
  readonly id: string
  readonly email: string
  readonly expiresAt: Date
}

/** Draws the bytes of a new token. */
export async function drawToken(
  seatgate: Pick<InvitationContext, 'invitations' | 'newSecret'>
): Promise<TokenSeed> {
  const { secret } = seatgate.invitations
  const bytes = seatgate.newSecret()
  return {
    encrypted: await encrypt(secret, bytes),
    seal: (invitation) => sealTokens(secret, bytes, invitation),
  }
}

/** Restores the tokens of an earlier attempt from the stored form. */
export async function recallTokens(
  seatgate: Pick<InvitationContext, 'invitations'>,
  encrypted: string,
  invitation: SealedFor
): Promise<NewTokens> {
  const { secret } = seatgate.invitations
  return sealTokens(secret, await decrypt(secret, encrypted), invitation)
}

function sealTokens(secret: string, bytes: Uint8Array, invitation: SealedFor): NewTokens {
  const told = sealToken(secret, toldBytes(bytes), invitation, 'told')
  const mailed = sealToken(secret, bytes, invitation, 'mailed')
  return { token: told.envelope, mailToken: mailed.envelope, tokenHash: told.tokenHash }
}

/** Returns how a result with tokens is stored for a repeated operation: encrypted. */
export function tokenSecrecy(
  seatgate: Pick<InvitationContext, 'invitations'>,
  { encrypted }: TokenSeed
): Secrecy<InvitationWithToken> {
  return {
    seal: ({ mailToken: _mailToken, ...value }) => ({ ...value, token: encrypted }),
    async open(kept) {
      const value = kept as Omit<InvitationWithToken, 'mailToken'>
      const draft = { ...value, expiresAt: new Date(value.expiresAt) }
      try {
        const { token, mailToken } = await recallTokens(seatgate, value.token, draft)
        return { ...value, token, mailToken }
      } catch (error) {
        // Encrypted with a secret that the host no longer has.
        if (error instanceof DOMException && error.name === 'OperationError') return null
        throw error
      }
    },
  }
}
