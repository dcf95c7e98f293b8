/**
 * What everybody who decides what to do has to choose from.
 *
 * @module
 */
import type { OperationOptions, Result } from '../../../src/index.ts'
import type { FullSeatgate } from '../../kit/flat-options.ts'
import type { InvitationView, MemberView, OrganizationView } from '../people.ts'
import type { Post } from '../post.ts'
import type { Random } from '../random.ts'
import type { Ways } from './ways.ts'

export const PASSWORD = 'correct horse'

/** The domain of everybody who has an account from the beginning. */
export const DOMAIN = 'people.example'

/** What somebody knows when they decide what to do. */
export interface Occasion {
  readonly random: Random
  readonly organization: OrganizationView
  /** Whether people may join without being invited. */
  readonly joining: boolean
  /** The further ways in; null: the host has none. */
  readonly ways: Ways | null
  /** Everybody who has an account, and addresses of those who have none. */
  readonly userIds: readonly string[]
  readonly now: number
  /** Tokens that came with invitations, by the invitation's id. */
  readonly tokens: ReadonlyMap<string, string>
  readonly post: Post
  /** Whether there is an account with this address. */
  isTaken(email: string): boolean
  /** Where somebody's session points. */
  pointerOf(userId: string): string | null
  fresh(): string
}

export type Act = (library: FullSeatgate, options: OperationOptions) => Promise<Result<unknown>>

/** Something that somebody is about to do. */
export interface Deed {
  readonly name: string
  /** Who does it; operations under one id are told apart by them. */
  readonly actor: string
  readonly act: Act
  /** Whether it takes an `operationId`. */
  readonly repeatable: boolean
  /** The organization that it is done in, where a token names it. */
  readonly organizationId?: string | undefined
}

/** Makes up what to do; null: there is no occasion for it. */
export type Maker = (occasion: Occasion) => Omit<Deed, 'name'> | null

/** By name, each with how often it is chosen, compared with the others. */
export type Deeds = Readonly<Record<string, readonly [weight: number, Maker]>>

/** An account that was made again has a further part in its id, and the address of the first. */
export const addressOf = (userId: string) => `${userId.split('.')[0]}@${DOMAIN}`

/** The session that everybody has, as its row's key. */
export const sessionOf = (userId: string) => userId.padStart(64, '.')

export const operator = { userId: 'operator', operator: true }

const ROLES = ['member', 'member', 'member', 'admin', 'owner']

const FURTHER_ROLES = [...ROLES, 'guest', 'guest', 'recruiter']

export const anyRole = (occasion: Occasion) => {
  const { random, ways } = occasion
  return ownOr(occasion, random.pick(ways ? FURTHER_ROLES : ROLES))
}

/** At times a role that the organization has made, where it makes some. */
export function ownOr<Role extends string | null | undefined>(
  { random, ways }: Occasion,
  role: Role
): Role | string {
  if (ways?.host.delegation === undefined || !random.chance(0.4)) return role
  return random.pick(Object.keys(ways.facts.delegation.own)) ?? role
}

/** What may be done again under one operation id. */
export const repeatable = (actor: string, act: Act) => ({ actor, act, repeatable: true })

/** What takes no operation id. */
export const once = (actor: string, act: Act) => ({ actor, act, repeatable: false })

/** What operators do without further input. */
export const byOperator =
  (
    operate: (
      library: FullSeatgate,
      scope: { caller: typeof operator; organization: string }
    ) => Promise<Result<unknown>>
  ) =>
  ({ organization }: Occasion) =>
    once('operator', (library) =>
      operate(library, { caller: operator, organization: organization.id })
    )

export function administrator(occasion: Occasion): string {
  const { random, organization, userIds } = occasion
  const byGroup = carrier(occasion)
  if (byGroup !== undefined) return byGroup
  const active = organization.members.filter((row) => row.status === 'active')
  const admins = active.filter(({ role }) => role !== 'member' && role !== 'guest')
  const owners = admins.filter(({ role }) => role === 'owner')
  const some = random.chance(0.7) ? owners : admins
  return (random.chance(0.95) ? random.pick(some)?.user_id : null) ?? random.pick(userIds) ?? ''
}

/** At times somebody with an own role, or in a group that carries a role. */
function carrier({ random, ways, organization }: Occasion): string | undefined {
  if (ways?.host.delegation === undefined || !random.chance(0.35)) return undefined
  const { own, groups } = ways.facts.delegation
  const inRole = organization.members.filter(({ role }) => Object.hasOwn(own, role))
  return random.pick([
    ...inRole.map(({ user_id }) => user_id),
    ...[...groups.values()].flatMap(({ role, userIds }) => (role === null ? [] : userIds)),
  ])
}

export const as = (userId: string, { organization }: Occasion) => ({
  caller: { userId },
  organization: organization.id,
})

export const anyMember = ({ random, organization }: Occasion): MemberView | undefined =>
  random.pick(organization.members)

// Owners are mostly left alone: an organization with one of them would do nothing but refuse.
export function removable(occasion: Occasion): string {
  const { random, organization } = occasion
  const others = organization.members.filter(({ role }) => role !== 'owner')
  const chosen = random.chance(0.85) ? random.pick(others) : anyMember(occasion)
  return chosen?.user_id ?? anyMember(occasion)?.user_id ?? ''
}

/** Who has sent open invitations, or approved those in line: the last owner is left alone. */
function granter({ random, organization }: Occasion): string | undefined {
  const { members, unfinished, requests } = organization
  const owners = members.filter(({ role, status }) => role === 'owner' && status === 'active')
  const given = new Set([
    ...unfinished.map((row) => row.invited_by_id),
    ...requests.map((row) => row.decided_by_id),
  ])
  const granters = members.filter(
    ({ user_id, role }) => given.has(user_id) && (role !== 'owner' || owners.length > 1)
  )
  return random.pick(granters)?.user_id
}

/** Who is to lose a role or a membership. */
export const loser = (occasion: Occasion): string =>
  (occasion.random.chance(0.3) ? granter(occasion) : undefined) ?? removable(occasion)

/** A person whom another has put out, with the account that they have now. */
export function returner({ random, organization, userIds }: Occasion): string | undefined {
  const addresses = new Set(organization.putOut.map(addressOf))
  const accounts = userIds.filter((id) => addresses.has(addressOf(id)))
  return random.pick(accounts)
}

export function outsider({ random, organization, userIds }: Occasion): string {
  const inside = new Set(organization.members.map((row) => row.user_id))
  const outside = userIds.filter((id) => !inside.has(id))
  return (random.chance(0.9) ? random.pick(outside) : null) ?? random.pick(userIds) ?? ''
}

export function openInvitation(occasion: Occasion): InvitationView | undefined {
  const { random, organization, now } = occasion
  const open = organization.unfinished.filter((row) => row.expires_at > now)
  return random.pick(random.chance(0.9) && open.length > 0 ? open : organization.unfinished)
}
