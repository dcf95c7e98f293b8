import type { Secrecy } from '../../engine/changes/stored-answer.ts'
import type { InvitationWithToken } from '../../engine/model/invitation.ts'
import type { InvitationContext } from './invitation-config.ts'
import { decrypt, encrypt } from './secrets.ts'
import { sealToken, toldBytes } from './token.ts'

/** 32 bytes that both tokens of an invitation are made of, and the same encrypted for storing. */
export interface TokenSeed {
  readonly encrypted: string
  /** Seals them for an invitation: the same bytes for the same invitation give the same tokens. */
  seal(invitation: SealedFor): NewTokens
}

/** The tokens of an invitation, and what its row keeps of them. */
export interface NewTokens {
  readonly token: string
  readonly mailToken: string
  readonly tokenHash: string
}

/** What a token is bound to. */
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

/** Makes the tokens again that were drawn before, from what was stored of them. */
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

/** How an answer with tokens is stored for a repeated operation: never in clear. */
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
        // Encrypted under a secret that the host has not any more.
        if (error instanceof DOMException && error.name === 'OperationError') return null
        throw error
      }
    },
  }
}
