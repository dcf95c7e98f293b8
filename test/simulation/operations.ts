/**
 * What people do: every operation of the library, chosen so that it is mostly allowed, and often
 * enough not.
 *
 * @module
 */
import * as seatgate from '../../src/index.ts'
import type { OperationOptions, Result, Seatgate } from '../../src/index.ts'
import type { InvitationView, MemberView, OrganizationView } from './people.ts'
import type { Random } from './random.ts'
import { PASSWORD } from './world.ts'

/** What somebody knows when they decide what to do. */
export interface Occasion {
  readonly random: Random
  readonly organization: OrganizationView
  /** Everybody who has an account, and addresses of those who have none. */
  readonly userIds: readonly string[]
  readonly now: number
  /** Tokens that came with invitations, by the invitation's id. */
  readonly tokens: ReadonlyMap<string, string>
  fresh(): string
}

/** Something that somebody is about to do. */
export interface Deed {
  readonly name: string
  /** Who does it; operations under one id are told apart by them. */
  readonly actor: string
  readonly act: (library: Seatgate, options: OperationOptions) => Promise<Result<unknown>>
  /** Whether it takes an `operationId`. */
  readonly repeatable: boolean
}

export const addressOf = (userId: string) => `${userId}@people.example`

type Maker = (occasion: Occasion) => Deed | null

const operator = { userId: 'operator', operator: true }
const ROLES = ['member', 'member', 'member', 'admin', 'owner']

const deed = (name: string, actor: string, act: Deed['act'], repeatable = true): Deed => ({
  name,
  actor,
  act,
  repeatable,
})

const active = ({ members }: OrganizationView) => members.filter((row) => row.status === 'active')

function administrator({ random, organization, userIds }: Occasion): string {
  const admins = active(organization).filter(({ role }) => role !== 'member')
  const owners = admins.filter(({ role }) => role === 'owner')
  const some = random.chance(0.7) ? owners : admins
  return (random.chance(0.95) ? random.pick(some)?.user_id : null) ?? random.pick(userIds) ?? ''
}

const as = (userId: string, { organization }: Occasion) => ({
  caller: { userId },
  organization: organization.id,
})

const anyMember = ({ random, organization }: Occasion): MemberView | undefined =>
  random.pick(organization.members)

// Owners are mostly left alone: an organization with one of them would do nothing but refuse.
function removable(occasion: Occasion): string {
  const { random, organization } = occasion
  const others = organization.members.filter(({ role }) => role !== 'owner')
  const chosen = random.chance(0.85) ? random.pick(others) : anyMember(occasion)
  return chosen?.user_id ?? anyMember(occasion)?.user_id ?? ''
}

function outsider({ random, organization, userIds }: Occasion): string {
  const inside = new Set(organization.members.map((row) => row.user_id))
  const outside = userIds.filter((id) => !inside.has(id))
  return (random.chance(0.9) ? random.pick(outside) : null) ?? random.pick(userIds) ?? ''
}

function openInvitation({ random, organization, now }: Occasion): InvitationView | undefined {
  const open = organization.unfinished.filter((row) => row.expires_at > now)
  return random.pick(random.chance(0.9) && open.length > 0 ? open : organization.unfinished)
}

const invitee = (occasion: Occasion) => {
  const { random, fresh } = occasion
  const email = random.chance(0.7) ? addressOf(outsider(occasion)) : `${fresh()}@new.example`
  return { email, role: random.pick(ROLES) }
}

/** Each with how often it is chosen, compared with the others. */
const MAKERS: readonly (readonly [number, Maker])[] = [
  [
    26,
    (occasion) => {
      const by = administrator(occasion)
      const input = { userId: outsider(occasion), role: occasion.random.pick(ROLES) }
      return deed('addMember', by, (library, options) =>
        seatgate.addMember(library, as(by, occasion), input, options)
      )
    },
  ],
  [
    14,
    (occasion) => {
      const by = administrator(occasion)
      const target = removable(occasion)
      return deed('removeMember', by, (library, options) =>
        seatgate.removeMember(library, as(by, occasion), target, options)
      )
    },
  ],
  [
    4,
    (occasion) => {
      const by = removable(occasion) || undefined
      if (by === undefined) return null
      return deed('leaveOrganization', by, (library, options) =>
        seatgate.leaveOrganization(library, as(by, occasion), options)
      )
    },
  ],
  [
    6,
    (occasion) => {
      const by = administrator(occasion)
      const target = removable(occasion)
      return deed('suspendMember', by, (library, options) =>
        seatgate.suspendMember(library, as(by, occasion), target, options)
      )
    },
  ],
  [
    7,
    (occasion) => {
      const by = administrator(occasion)
      const suspended = occasion.organization.members.filter((row) => row.status === 'suspended')
      const target = occasion.random.pick(suspended)?.user_id
      if (target === undefined) return null
      return deed('restoreMember', by, (library, options) =>
        seatgate.restoreMember(library, as(by, occasion), target, options)
      )
    },
  ],
  [
    3,
    (occasion) => {
      const by = administrator(occasion)
      const suspended = occasion.organization.members.filter((row) => row.status === 'suspended')
      if (suspended.length === 0) return null
      const input = { userIds: suspended.slice(0, 3).map((row) => row.user_id) }
      return deed('restoreMembers', by, (library, options) =>
        seatgate.restoreMembers(library, as(by, occasion), input, options)
      )
    },
  ],
  [
    6,
    (occasion) => {
      const by = administrator(occasion)
      const target = removable(occasion)
      const input = { role: occasion.random.pick(ROLES) }
      return deed('changeRole', by, (library, options) =>
        seatgate.changeRole(library, as(by, occasion), target, input, options)
      )
    },
  ],
  [
    3,
    (occasion) => {
      const by = administrator(occasion)
      const input = { userId: anyMember(occasion)?.user_id ?? '' }
      return deed('transferOwnership', by, (library, options) =>
        seatgate.transferOwnership(library, as(by, occasion), input, options)
      )
    },
  ],
  [
    16,
    (occasion) => {
      const by = administrator(occasion)
      const input = invitee(occasion)
      return deed('createInvitation', by, (library, options) =>
        seatgate.createInvitation(library, as(by, occasion), input, options)
      )
    },
  ],
  [
    4,
    (occasion) => {
      const by = administrator(occasion)
      const invitations = [invitee(occasion), invitee(occasion), invitee(occasion)]
      return deed(
        'createInvitations',
        by,
        (library) => seatgate.createInvitations(library, as(by, occasion), { invitations }),
        false
      )
    },
  ],
  [
    16,
    (occasion) => {
      const invitation = openInvitation(occasion)
      const token = invitation && occasion.tokens.get(invitation.id)
      if (!invitation || !token) return null
      const invited = occasion.userIds.find((id) => addressOf(id) === invitation.email)
      if (invited !== undefined) {
        return deed('acceptInvitation', invited, (library, options) =>
          seatgate.acceptInvitation(library, { caller: { userId: invited } }, { token }, options)
        )
      }
      const input = { token, email: invitation.email }
      return deed(
        'acceptInvitationWithSignup',
        invitation.email,
        (library) => seatgate.acceptInvitationWithSignup(library, input),
        false
      )
    },
  ],
  [
    6,
    (occasion) => {
      const by = administrator(occasion)
      const id = openInvitation(occasion)?.id
      if (id === undefined) return null
      return deed('resendInvitation', by, (library, options) =>
        seatgate.resendInvitation(library, as(by, occasion), id, options)
      )
    },
  ],
  [
    4,
    (occasion) => {
      const by = administrator(occasion)
      const id = openInvitation(occasion)?.id
      if (id === undefined) return null
      return deed('revokeInvitation', by, (library, options) =>
        seatgate.revokeInvitation(library, as(by, occasion), id, options)
      )
    },
  ],
  [
    5,
    (occasion) => {
      const by = administrator(occasion)
      const id = openInvitation(occasion)?.id
      if (id === undefined) return null
      const input = { role: occasion.random.pick(ROLES) }
      return deed('changeInvitationRole', by, (library, options) =>
        seatgate.changeInvitationRole(library, as(by, occasion), id, input, options)
      )
    },
  ],
  [
    2,
    (occasion) => {
      const invitation = openInvitation(occasion)
      const token = invitation && occasion.tokens.get(invitation.id)
      if (!token) return null
      return deed(
        'declineInvitation',
        'anonymous',
        (library) =>
          seatgate.declineInvitation(library, { caller: { type: 'anonymous' } }, { token }),
        false
      )
    },
  ],
  [
    8,
    ({ random, organization }) => {
      const used = organization.members.length + organization.unfinished.length
      const around = random.chance(0.5) ? random.below(used + 2) : Math.max(1, used - 1)
      const limit = random.chance(0.05) ? 'unlimited' : around
      // Somebody who sends versions of their own may send them in any order.
      const version = random.chance(0.2) ? { version: 1 + random.below(12) } : {}
      const scope = { caller: operator, organization: organization.id }
      return deed(
        'setSeatLimit',
        'operator',
        (library) => seatgate.setSeatLimit(library, scope, { limit, ...version }),
        false
      )
    },
  ],
  [
    2,
    ({ random, userIds, fresh }) => {
      const by = random.pick(userIds) ?? ''
      const input = { name: 'Further', slug: `s${fresh()}` }
      return deed('createOrganization', by, (library, options) =>
        seatgate.createOrganization(library, { caller: { userId: by } }, input, options)
      )
    },
  ],
  [
    1,
    (occasion) => {
      const by = administrator(occasion)
      const input = { name: `Renamed ${occasion.fresh()}` }
      return deed('renameOrganization', by, (library, options) =>
        seatgate.renameOrganization(library, as(by, occasion), input, options)
      )
    },
  ],
  [
    1,
    (occasion) => {
      const by = administrator(occasion)
      const { slug: confirmSlug } = occasion.organization
      const input = { slug: `s${occasion.fresh()}`, confirmSlug, password: PASSWORD }
      return deed('updateSlug', by, (library, options) =>
        seatgate.updateSlug(library, as(by, occasion), input, options)
      )
    },
  ],
  [
    2,
    (occasion) => {
      const by = administrator(occasion)
      const input = { confirmName: occasion.organization.name, password: PASSWORD }
      return deed('softDeleteOrganization', by, (library, options) =>
        seatgate.softDeleteOrganization(library, as(by, occasion), input, options)
      )
    },
  ],
  [
    1,
    (occasion) => {
      const by = administrator(occasion)
      const input = { enabled: occasion.random.chance(0.5) }
      return deed(
        'setMfaPolicy',
        by,
        (library) =>
          seatgate.setMfaPolicy(library, as(by, occasion), input, {
            mfaCheck: (_userId) => true,
          }),
        false
      )
    },
  ],
  [
    2,
    (occasion) => {
      const by = administrator(occasion)
      const input = { userId: outsider(occasion), role: 'member' }
      return deed(
        'prepareMember',
        by,
        async (library) => {
          const prepared = await seatgate.prepareMember(library, as(by, occasion), input)
          return prepared.ok ? seatgate.commitTogether(library, prepared.value) : prepared
        },
        false
      )
    },
  ],
  [
    1,
    (occasion) => {
      const by = anyMember(occasion)?.user_id
      if (by === undefined) return null
      const input = { password: PASSWORD }
      return deed(
        'deleteUser',
        by,
        (library) => seatgate.deleteUser(library, { caller: { userId: by } }, input),
        false
      )
    },
  ],
  [3, (occasion) => reading('seatUsage', occasion, seatgate.seatUsage)],
  [1, (occasion) => reading('explainSeats', occasion, seatgate.explainSeats)],
  [1, (occasion) => reading('listMembers', occasion, seatgate.listMembers)],
  [1, (occasion) => reading('listInvitations', occasion, seatgate.listInvitations)],
  [1, (occasion) => reading('listAuditEvents', occasion, seatgate.listAuditEvents)],
  [1, (occasion) => reading('countMembers', occasion, seatgate.countMembers)],
]

function reading(
  name: string,
  occasion: Occasion,
  read: (
    library: Seatgate,
    scope: { caller: { userId: string }; organization: string }
  ) => Promise<Result<unknown>>
): Deed {
  const by = administrator(occasion)
  return deed(name, by, (library) => read(library, as(by, occasion)), false)
}

const TOTAL = MAKERS.reduce((sum, [weight]) => sum + weight, 0)

/** Decides what somebody does next in this organization. */
export function drawDeed(occasion: Occasion): Deed {
  const { random, organization } = occasion
  if (organization.deleted) {
    const scope = { caller: operator }
    return deed('restoreOrganization', 'operator', (library, options) =>
      seatgate.restoreOrganization(library, scope, organization.id, options)
    )
  }
  for (;;) {
    let left = random.below(TOTAL)
    const chosen = MAKERS.find(([weight]) => (left -= weight) < 0)
    const made = chosen?.[1](occasion)
    if (made) return made
  }
}
