import { checkOptionNames, namesOf } from '../../base/names.ts'
import type { MembershipContext } from '../../engine/changes/change-context.ts'
import type { Part, PartContext } from '../../engine/changes/part.ts'
import type { VerificationContext } from '../../engine/model/exclusions.ts'
import type { ScimMembers } from '../../engine/model/scim-members.ts'
import type { JoiningMembers } from '../../engine/model/joining-members.ts'
import { eq } from 'drizzle-orm'
import { scimUsers } from '../../database/schema/scim-tables.ts'

/** A person whom an identity provider pushes. */
export interface Provisioned {
  readonly organizationId: string
  /**
   * The address that stands for the person, normalized. It is in a verified domain of the organization, or
   * `allow` has accepted it. Find the user by this address, and by no other text of the request.
   */
  readonly email: string
  readonly userName: string
  /** The id of the person at the identity provider. */
  readonly externalId: string | null
  readonly name: string | null
}

/** Options of {@link scim}. */
export interface ScimOptions {
  /**
   * Finds or creates the host's user with this address, and returns the id; null refuses the person. It is
   * called before seats are counted and outside of the batch, again for each attempt: it must return the
   * same user for the same address.
   */
  readonly provision: (person: Provisioned) => Promise<string | null>
  /**
   * Accepts an address outside of the verified domains of the organization. Default: no such address, so
   * that an organization cannot take over the account of a person elsewhere.
   */
  readonly allow?: (person: Provisioned) => boolean | Promise<boolean>
  /** The role of new members. Default `"member"`. */
  readonly role?: string
  /** The effect of `active: false` and of DELETE on the membership. Default `"suspend"`. */
  readonly deprovision?: Deprovision
  /**
   * Without a free seat: `refuse` with `seat_limit_reached`, or `wait` on the waitlist, which needs
   * `joining`. Default `"refuse"`.
   */
  readonly whenFull?: 'refuse' | 'wait'
}

/** How a membership ends that the identity provider takes away. */
export type Deprovision = 'suspend' | 'remove'

/** The part that {@link scim} makes. */
export interface ScimPart extends Part<'scim'> {
  readonly provision: NonNullable<ScimOptions['provision']>
  readonly allow: NonNullable<ScimOptions['allow']>
  readonly role: string
  readonly deprovision: Deprovision
  readonly whenFull: 'refuse' | 'wait'
  readonly members: ScimMembers
}

/** The context of an operation of SCIM. */
export type ScimContext = MembershipContext &
  VerificationContext & {
    readonly scim: ScimPart
    readonly joining: Waitlist | null
  }

/** The part of joining, as far as it admits the users of the waitlist. */
export interface Waitlist {
  readonly members: JoiningMembers
  admitWaiting(context: object, organizationId: string): Promise<void>
}

const OPTIONS = namesOf<ScimOptions>({
  provision: true,
  allow: true,
  role: true,
  deprovision: true,
  whenFull: true,
})

/**
 * Lets identity providers push users by SCIM 2.0 (RFC 7643, RFC 7644). An address has to be in a domain
 * that the organization has verified, unless `allow` accepts it.
 *
 * @throws {TypeError} if an option is invalid.
 *
 * @example
 * ```ts
 * import { scim, scimRoutes, scimTokenRoutes } from 'seatgate/scim'
 *
 * const seatgate = createSeatgate({
 *   …,
 *   joining: joinRules({ verifyDomain: txtRecordIsThere }),
 *   scim: scim({ provision: ({ email, name }) => findOrCreateUser(email, name) }),
 * })
 * app.route('/scim/v2', scimRoutes(seatgate))
 * app.route('/', scimTokenRoutes(seatgate, { authenticate }))
 * ```
 */
export function scim(options: ScimOptions): ScimPart {
  checkOptionNames('scim', options, OPTIONS)
  const {
    provision,
    allow = () => false,
    role = 'member',
    deprovision = 'suspend',
    whenFull = 'refuse',
  } = options
  if (typeof provision !== 'function') throw wrong('provision must be a function.')
  if (typeof allow !== 'function') throw wrong('allow must be a function.')
  if (deprovision !== 'suspend' && deprovision !== 'remove') {
    throw wrong('deprovision must be "suspend" or "remove".')
  }
  if (whenFull !== 'refuse' && whenFull !== 'wait') {
    throw wrong('whenFull must be "refuse" or "wait".')
  }
  return {
    part: 'scim',
    provision,
    allow,
    role,
    deprovision,
    whenFull,
    members,
    check(context: PartContext & { readonly joining?: unknown }) {
      const { all, owner } = context.roles
      if (!all.includes(role) || role === owner) {
        throw wrong(`the role is "${role}": it must be in roles.all, and not the owner's.`)
      }
      if (whenFull === 'wait' && !context.joining) throw wrong('whenFull "wait" needs joining.')
    },
  }
}

const members: ScimMembers = {
  forget: ({ db }, userId) => db.delete(scimUsers).where(eq(scimUsers.userId, userId)),
}

function wrong(what: string): TypeError {
  return new TypeError(`scim: ${what}`)
}
