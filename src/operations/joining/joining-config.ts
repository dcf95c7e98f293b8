import { checkOptionNames, namesOf } from '../../base/names.ts'
import { normalizeDomain } from '../../base/email.ts'
import { purgeJoinRequests } from './purge-join-requests.ts'
import { sweepDomains } from './recheck-domains.ts'
import { admitWaiting, sweepLines } from './waitlist.ts'
import { admitWhenFreed } from './admit-when-freed.ts'
import { PUBLIC_DOMAINS } from './public-domains.ts'
import type { JoinRules, VerifyDomain, WhenFull } from './join-rules.ts'

/** Options of {@link joinRules}. */
export interface JoinOptions {
  /** Looks up the DNS record that proves the ownership of a domain. */
  readonly verifyDomain: VerifyDomain
  /** The role of new members. Default `"member"`. */
  readonly role?: string
  /** The behaviour without a free seat, for each way to join. Default `"refuse"`. */
  readonly whenFull?: { readonly domain?: WhenFull; readonly request?: WhenFull }
  /** More public mail domains, in addition to the library's list. */
  readonly publicDomains?: readonly string[]
  /**
   * How many days a verified domain may be without its DNS record before its mode `auto` becomes
   * `request`. Default 7.
   */
  readonly recordGraceDays?: number
}

const OPTIONS = namesOf<JoinOptions>({
  verifyDomain: true,
  role: true,
  whenFull: true,
  publicDomains: true,
  recordGraceDays: true,
})

/**
 * Lets users join without an invitation: by an address in a domain that the organization has verified, at
 * once or after an approval, with or without a waitlist for when all seats are taken.
 *
 * @throws {TypeError} if an option is invalid.
 *
 * @example
 * ```ts
 * createSeatgate({
 *   …,
 *   joining: joinRules({
 *     verifyDomain: async ({ name, value }) => (await txtRecords(name)).includes(value),
 *     whenFull: { domain: 'wait', request: 'wait' },
 *   }),
 * })
 * ```
 */
export function joinRules(options: JoinOptions): JoinRules {
  checkOptionNames('joinRules', options, OPTIONS)
  const {
    verifyDomain,
    role = 'member',
    whenFull = {},
    publicDomains = [],
    recordGraceDays = 7,
  } = options
  checkOptionNames('joinRules: whenFull', whenFull, ['domain', 'request'])
  if (typeof verifyDomain !== 'function') {
    throw new TypeError('joinRules: verifyDomain must be a function.')
  }
  for (const [path, policy] of Object.entries(whenFull)) {
    if (policy !== 'refuse' && policy !== 'wait') {
      throw new TypeError(`joinRules: whenFull.${path} must be "refuse" or "wait".`)
    }
  }
  if (!Number.isInteger(recordGraceDays) || recordGraceDays < 0) {
    throw new TypeError('joinRules: recordGraceDays must be a whole number from 0.')
  }
  const furtherDomains = publicDomains.map((domain) => {
    const read = typeof domain === 'string' ? normalizeDomain(domain) : null
    if (read === null) throw new TypeError(`joinRules: publicDomains has "${domain}", no domain.`)
    return read
  })
  return {
    role,
    whenFull: { domain: 'refuse', request: 'refuse', ...whenFull },
    verifyDomain,
    publicDomains: new Set([...PUBLIC_DOMAINS, ...furtherDomains]),
    recordGraceDays,
    admitWaiting,
    sweepDomains,
    sweepLines,
    purge: purgeJoinRequests,
    listeners: [admitWhenFreed],
  }
}
