/**
 * Hosts that have every way in and every kind of right: links, API keys, SCIM, types of seats, permissions
 * and limits of users.
 *
 * @module
 */
import { eq } from 'drizzle-orm'
import { users } from '../../../host/identity/schema.ts'
import { userLimits, type Database, type WhenFull } from '../../../src/index.ts'
import { apiKeys, type KeysContextOf } from '../../../src/hono/keys/index.ts'
import { scim, type Deprovision, type ScimContext } from '../../../src/hono/scim/index.ts'
import type { FlatOptions, FullSeatgate } from '../../kit/flat-options.ts'
import { delegationOptions, drawDelegation, type DelegationHost } from '../delegation/host.ts'
import type { ProviderName } from '../host.ts'
import type { Surroundings } from '../network.ts'
import { createRandom, FIRST_PAYING, FIRST_WITH_ACCESS, FIRST_WITH_DELEGATION } from '../random.ts'
import { GRANTS, PROJECT, ROLES } from './rights.ts'

/** What differs from one such history's host to the next. */
export interface AccessHost {
  /** Whether each role has its permissions; else lists of roles say who may do what. */
  readonly bounded: boolean
  /** The limit of the seats of guests; null: they take a seat like any member. */
  readonly guests: number | null
  /** How many organizations a user may own, and be in; null: any number. */
  readonly owned: number | null
  readonly memberships: number | null
  readonly link: WhenFull
  readonly pushed: WhenFull
  readonly deprovision: Deprovision
  readonly mostKeys: number
  /** Own roles, groups and impersonations, where there are any. */
  readonly delegation?: DelegationHost
}

/** What such a host's Seatgate has. */
export type AccessLibrary = FullSeatgate & ScimContext & KeysContextOf<string, string>

/** Draws the host's own numbers; null in the other histories. */
export function drawAccess(seed: number, provider: ProviderName): AccessHost | null {
  const delegates = seed >= FIRST_WITH_DELEGATION
  if (seed < FIRST_WITH_ACCESS || (seed >= FIRST_PAYING && !delegates)) return null
  const random = createRandom(seed ^ 0x61636373)
  const whenFull = () => (random.chance(0.5) ? 'wait' : 'refuse')
  const guests = random.chance(0.6) ? 1 + random.below(3) : null
  return {
    // Own roles are sets of permissions.
    bounded: random.chance(0.5) || delegates,
    // Types are counted, as other seats are.
    guests: provider === 'unlimited' ? null : guests,
    owned: random.chance(0.6) ? 1 + random.below(3) : null,
    memberships: random.chance(0.4) ? 2 + random.below(3) : null,
    link: whenFull(),
    pushed: whenFull(),
    deprovision: random.chance(0.5) ? 'suspend' : 'remove',
    mostKeys: 2 + random.below(4),
    ...(delegates && { delegation: drawDelegation(seed) }),
  }
}

/** The further types of seats, as the host passes them. */
export function seatTypesOf(host: AccessHost | null) {
  if (host === null || host.guests === null) return {}
  return { guests: { roles: ['guest'], defaultLimit: host.guests } }
}

/** The limits of the further types of seats. */
export function typesOf(host: AccessHost | null): ReadonlyMap<string, number> {
  return new Map(
    Object.entries(seatTypesOf(host)).map(([type, { defaultLimit }]) => [type, defaultLimit])
  )
}

/** The type of the seat that a role takes. */
export const typeOfRole = (host: AccessHost | null) => (role: string) =>
  role === 'guest' && typesOf(host).size > 0 ? 'guests' : null

/** What the host passes besides the rest. */
export function accessOptions(
  host: AccessHost,
  database: Database,
  { post, random }: Pick<Surroundings, 'post' | 'random'>
): Partial<FlatOptions> {
  const { bounded, guests, owned, memberships, pushed, deprovision, mostKeys } = host
  const lists = {
    invitationAdminRoles: ['owner', 'admin', 'recruiter'],
    memberAdminRoles: ['owner', 'admin'],
    organizationAdminRoles: ['owner', 'admin'],
  }
  const { owner: _owner, ...grants } = GRANTS
  const caps = { ...(owned !== null && { owned }), ...(memberships !== null && { memberships }) }
  return {
    roles: ROLES,
    ownerRole: 'owner',
    ...(bounded ? { permissions: { project: PROJECT }, grants: grants as never } : lists),
    ...(guests !== null && { seatTypes: seatTypesOf(host) }),
    limits: userLimits(caps),
    keys: apiKeys({ mostKeys }),
    ...(host.delegation && delegationOptions(host.delegation)),
    scim: scim({
      provision: ({ email }) => provision(email),
      allow: () => true,
      deprovision,
      whenFull: pushed,
    }),
  }

  // Finds the account with an address, or makes one whose address the identity provider vouches for.
  async function provision(email: string): Promise<string> {
    const find = () => database.select({ id: users.id }).from(users).where(eq(users.email, email))
    const [known] = await find()
    if (known) return known.id
    // The id of an account that was deleted is not given again.
    const id = `${email.split('@')[0]}.p${random.below(1e9)}`
    const now = new Date()
    post.believe(email)
    await database
      .insert(users)
      .values({ id, email, passwordHash: 'none', emailVerifiedAt: now, createdAt: now })
      .onConflictDoNothing()
    const [made] = await find()
    return made?.id ?? id
  }
}
