import { invitationsInRole } from './invitation-roles.ts'
import { invitedMembers } from '../../engine/model/invited-members.ts'
import { checkOptionNames, namesOf } from '../../base/names.ts'
import type { PartContext } from '../../engine/changes/part.ts'
import type { InvitationLimits } from '../../engine/model/rate-limits.ts'
import {
  purgeInvitations,
  type InvitationRules,
  type Mailer,
  type RegisterUser,
} from './invitation-config.ts'
import { sendInvitation } from './mail.ts'

/** Options of {@link invitations}. */
export interface InvitationOptions {
  /**
   * Seals invitation tokens: at least 32 characters that cannot be guessed. A new secret makes every open
   * link invalid.
   */
  readonly secret: string
  /** Sends invitations. Without it no mail is sent, and `mailStatus` is `skipped`. */
  readonly mailer?: Mailer
  /** Returns the link of an invitation. Required with a mailer. */
  readonly url?: (token: string) => string
  /** For how many seconds an invitation is open. Default 7 days. */
  readonly ttlSeconds?: number
  /**
   * Whether a pending invitation holds the seat that its membership will have. Default true. If not,
   * the seat is claimed when it is accepted.
   */
  readonly holdSeats?: boolean
  /**
   * Keeps open invitations when the user who sent them is demoted, suspended or removed, although they
   * could no longer send them. Default false: these invitations end with the change.
   */
  readonly outliveInviter?: boolean
  /** For how many days an ended invitation is kept; `Infinity` for no end. Default 30. */
  readonly retentionDays?: number
  /**
   * The limits of invitations and of failed attempts to accept one, in 24 hours. Default 20 per user, 50
   * per organization, 500 per organization by lists, 20 mails per recipient, 20 attempts.
   */
  readonly limits?: Partial<InvitationLimits>
  /** Registers a user who accepts an invitation. Required for accepting with sign-up. */
  readonly registerUser?: RegisterUser
}

const OPTIONS = namesOf<InvitationOptions>({
  secret: true,
  mailer: true,
  url: true,
  ttlSeconds: true,
  holdSeats: true,
  outliveInviter: true,
  retentionDays: true,
  limits: true,
  registerUser: true,
})
const LIMITS: InvitationLimits = {
  perUser: 20,
  perOrganization: 50,
  inBulk: 500,
  perRecipient: 20,
  failedAccepts: 20,
}
const SHORTEST_SECRET = 32
const DAY_SECONDS = 24 * 60 * 60

/**
 * Makes the part that invites people by e-mail address. Without it the functions of invitations do not
 * compile, and their routes are not mounted.
 *
 * @throws {TypeError} if an option is wrong.
 *
 * @example
 * ```ts
 * createSeatgate({
 *   …,
 *   invitations: invitations({
 *     secret: env.INVITATION_SECRET,
 *     mailer,
 *     url: (token) => `https://example.com/invitation#${token}`,
 *   }),
 * })
 * ```
 */
export function invitations(options: InvitationOptions): InvitationRules {
  checkOptionNames('invitations', options, OPTIONS)
  const { secret, mailer = null, url = null, ttlSeconds = 7 * DAY_SECONDS } = options
  const { holdSeats = true, outliveInviter = false, retentionDays = 30 } = options
  if (typeof secret !== 'string' || secret.length < SHORTEST_SECRET) {
    throw wrong(`secret must be a text of at least ${SHORTEST_SECRET} characters.`)
  }
  if (mailer !== null && typeof mailer.send !== 'function') {
    throw wrong('mailer must have a function send.')
  }
  if (mailer !== null && typeof url !== 'function') throw wrong('mailer needs url beside it.')
  if (!(Number.isFinite(ttlSeconds) && ttlSeconds > 0)) {
    throw wrong('ttlSeconds must be a positive number of seconds.')
  }
  if (!isCount(retentionDays, 1)) {
    throw wrong('retentionDays must be a whole number from 1, or Infinity.')
  }
  checkOptionNames('invitations: limits', options.limits ?? {}, Object.keys(LIMITS))
  const limits = { ...LIMITS, ...options.limits }
  for (const [name, limit] of Object.entries(limits)) {
    if (!isCount(limit, 0))
      throw wrong(`limits.${name} must be a whole number from 0, or Infinity.`)
  }
  const { registerUser = null } = options
  return {
    part: 'invitations',
    roleHolders: [invitationsInRole],
    secret,
    mailer,
    url,
    ttlSeconds,
    holdSeats,
    outliveInviter,
    retentionDays,
    limits,
    registerUser,
    sendInvitation,
    purge: purgeInvitations,
    check({ emailVerification }: PartContext) {
      // A user who signs up with the inviter's token has not verified the address.
      if (registerUser === null || emailVerification !== 'always') return
      const needed = 'identity.emailVerification with a column, not "always"'
      throw new TypeError(`createSeatgate: registerUser of invitations needs ${needed}.`)
    },
    members: invitedMembers,
  }
}

function isCount(value: number, least: number): boolean {
  return value === Infinity || (Number.isInteger(value) && value >= least)
}

function wrong(what: string): TypeError {
  return new TypeError(`invitations: ${what}`)
}
