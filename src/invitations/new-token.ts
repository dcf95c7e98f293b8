import type { Secrecy } from '../operations/answer.ts'
import type { Seatgate } from '../seatgate.ts'
import type { InvitationWithToken } from './invitation.ts'
import { decrypt, encrypt } from './secrets.ts'
import { sealToken, type NewToken } from './token.ts'

/** 32 bytes for a token, and the same encrypted for what has to wait. */
export interface TokenSeed {
  readonly encrypted: string
  /** Seals them for an invitation: the same bytes for the same invitation give the same token. */
  seal(invitation: SealedFor): NewToken
}

/** What a token is bound to. */
export interface SealedFor {
  readonly id: string
  readonly email: string
  readonly expiresAt: Date
}

/** @throws {TypeError} if the host has configured none. */
export function secretOf({ invitations: { secret } }: Seatgate): string {
  if (secret === null) throw new TypeError('Invitations need secret in createSeatgate.')
  return secret
}

/**
 * Draws the bytes of a new token.
 *
 * @throws {TypeError} if the host has configured no `secret`.
 */
export async function drawToken(seatgate: Seatgate): Promise<TokenSeed> {
  const secret = secretOf(seatgate)
  const bytes = seatgate.newSecret()
  return {
    encrypted: await encrypt(secret, bytes),
    seal: (invitation) => sealToken(secret, bytes, invitation),
  }
}

/** The token that was drawn before, of what was kept of it. */
export async function recallToken(
  seatgate: Seatgate,
  encrypted: string,
  invitation: SealedFor
): Promise<string> {
  const secret = secretOf(seatgate)
  return sealToken(secret, await decrypt(secret, encrypted), invitation).envelope
}

/** How an answer with a token is kept for a repeated operation: never in clear. */
export function tokenSecrecy(
  seatgate: Seatgate,
  { encrypted }: TokenSeed
): Secrecy<InvitationWithToken> {
  return {
    seal: (value) => ({ ...value, token: encrypted }),
    async open(kept) {
      const value = kept as InvitationWithToken
      const expiresAt = new Date(value.expiresAt)
      return { ...value, token: await recallToken(seatgate, value.token, { ...value, expiresAt }) }
    },
  }
}
