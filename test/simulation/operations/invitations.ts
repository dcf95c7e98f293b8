import * as seatgate from '../../../src/index.ts'
import {
  addressOf,
  administrator,
  anyRole,
  as,
  once,
  openInvitation,
  outsider,
  repeatable,
  type Deeds,
  type Occasion,
} from './deed.ts'

const invitee = (occasion: Occasion) => {
  const { random, fresh } = occasion
  const email = random.chance(0.7) ? addressOf(outsider(occasion)) : `${fresh()}@new.example`
  return { email, role: anyRole(occasion) }
}

/**
 * An invitation with its token, an open one or at times an old one, and who of those with an account is invited. If a mail has come
 * they follow its link, else they have the token from the inviter.
 */
const received = (occasion: Occasion) => {
  const { random, organization } = occasion
  const isOld = random.chance(0.1) && organization.ended.length > 0
  const invitation = isOld ? random.pick(organization.ended) : openInvitation(occasion)
  const token =
    invitation && (occasion.post.read(invitation.id) ?? occasion.tokens.get(invitation.id))
  if (!invitation || !token) return null
  const { email } = invitation
  return { token, email, invited: accountOf(occasion, email) }
}

// The newest: who has an account made again has no other.
const accountOf = ({ userIds }: Occasion, email: string) =>
  userIds.findLast((id) => addressOf(id) === email)

export const invitations: Deeds = {
  createInvitation: [
    16,
    (occasion) => {
      const by = administrator(occasion)
      const input = invitee(occasion)
      return repeatable(by, (library, options) =>
        seatgate.createInvitation(library, as(by, occasion), input as never, options)
      )
    },
  ],
  createInvitations: [
    4,
    (occasion) => {
      const by = administrator(occasion)
      const list = [invitee(occasion), invitee(occasion), invitee(occasion)]
      return once(by, (library) =>
        seatgate.createInvitations(library, as(by, occasion), { invitations: list as never })
      )
    },
  ],
  acceptInvitation: [
    14,
    (occasion) => {
      const { token, invited } = received(occasion) ?? {}
      if (token === undefined || invited === undefined) return null
      return repeatable(invited, (library, options) =>
        seatgate.acceptInvitation(library, { caller: { userId: invited } }, { token }, options)
      )
    },
  ],
  acceptInvitationWithSignup: [
    6,
    (occasion) => {
      const { token, email, invited } = received(occasion) ?? {}
      if (token === undefined || email === undefined || invited !== undefined) return null
      return once(email, (library) =>
        seatgate.acceptInvitationWithSignup(library, { token, email })
      )
    },
  ],
  resendInvitation: [
    6,
    (occasion) => {
      const by = administrator(occasion)
      const id = openInvitation(occasion)?.id
      if (id === undefined) return null
      return repeatable(by, (library, options) =>
        seatgate.resendInvitation(library, as(by, occasion), id, options)
      )
    },
  ],
  revokeInvitation: [
    4,
    (occasion) => {
      const by = administrator(occasion)
      const id = openInvitation(occasion)?.id
      if (id === undefined) return null
      return repeatable(by, (library, options) =>
        seatgate.revokeInvitation(library, as(by, occasion), id, options)
      )
    },
  ],
  changeInvitationRole: [
    5,
    (occasion) => {
      const by = administrator(occasion)
      const id = openInvitation(occasion)?.id
      if (id === undefined) return null
      const input = { role: anyRole(occasion) }
      return repeatable(by, (library, options) =>
        seatgate.changeInvitationRole(library, as(by, occasion), id, input as never, options)
      )
    },
  ],
  declineInvitation: [
    2,
    (occasion) => {
      const { token } = received(occasion) ?? {}
      if (token === undefined) return null
      const scope = { caller: { type: 'anonymous' } } as const
      return once('anonymous', (library) => seatgate.declineInvitation(library, scope, { token }))
    },
  ],
}
