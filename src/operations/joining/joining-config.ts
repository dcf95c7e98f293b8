import type { PartContext } from '../../engine/changes/part.ts'
import { linkCreators, linksInRole, requestsInRole } from './joining-roles.ts'
import { checkOptionNames, namesOf } from '../../base/names.ts'
import { normalizeDomain } from '../../base/email.ts'
import { linkFollower, purgeLinks } from './end-links.ts'
import { sweepDomains } from './recheck-domains.ts'
import { admitWaiting, sweepWaitlists } from './waitlist.ts'
import {
  keepsWaitlist,
  type JoinRules,
  type JoiningContext,
  type VerifyDomain,
  type WhenFull,
} from './join-rules.ts'
import { joiningMembers } from '../../engine/model/joining-members.ts'
import { inBackground } from '../../base/async.ts'
import type { Listener } from '../../engine/changes/change-context.ts'
import { sql } from 'drizzle-orm'
import type { DatabaseContext, Statement } from '../../database/database.ts'
import { joinRequests } from '../../database/schema/joining-tables.ts'

/** Options of {@link joinRules}. */
export interface JoinOptions {
  /** Looks up the DNS record that proves the ownership of a domain. */
  readonly verifyDomain: VerifyDomain
  /** The role of new members. Default `"member"`. */
  readonly role?: string
  /** The behaviour without a free seat, for each way to join. Default `"refuse"`. */
  readonly whenFull?: { readonly domain?: WhenFull; readonly request?: WhenFull }
  /**
   * Lets organizations make links by which users join: `{}`, or what happens without a free seat. Without
   * it there are no links.
   */
  readonly links?: { readonly whenFull?: WhenFull }
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
  links: true,
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
    links,
    publicDomains = [],
    recordGraceDays = 7,
  } = options
  checkOptionNames('joinRules: whenFull', whenFull, ['domain', 'request'])
  if (typeof verifyDomain !== 'function') {
    throw new TypeError('joinRules: verifyDomain must be a function.')
  }
  if (links) checkOptionNames('joinRules: links', links, ['whenFull'])
  const policies = { ...whenFull, ...(links?.whenFull && { link: links.whenFull }) }
  for (const [path, policy] of Object.entries(policies)) {
    if (policy !== 'refuse' && policy !== 'wait') {
      throw new TypeError(`joinRules: whenFull.${path} must be "refuse" or "wait".`)
    }
  }
  if (!Number.isInteger(recordGraceDays) || recordGraceDays < 0) {
    throw new TypeError('joinRules: recordGraceDays must be a whole number from 0.')
  }
  const furtherDomains = publicDomains.map((domain) => {
    const read = typeof domain === 'string' ? normalizeDomain(domain) : null
    if (read === null)
      throw new TypeError(`joinRules: publicDomains has "${domain}", which is not a domain.`)
    return read
  })
  return {
    part: 'joining',
    role,
    whenFull: { domain: 'refuse', request: 'refuse', ...whenFull },
    verifyDomain,
    publicDomains: new Set([...PUBLIC_DOMAINS, ...furtherDomains]),
    recordGraceDays,
    admitWaiting,
    links: links ? { whenFull: links.whenFull ?? 'refuse' } : null,
    purge: (context, now) => [
      purgeJoinRequests(context, now),
      ...(links ? [purgeLinks(context, now)] : []),
    ],
    listeners: [admitWhenFreed],
    followers: links ? [linkFollower] : [],
    roleHolders: links ? [requestsInRole, linksInRole] : [requestsInRole],
    creators: links ? [linkCreators] : [],
    sweeps: [
      {
        name: 'domains',
        statements: 60,
        turn: () => 20,
        run: (context: JoiningContext) => sweepDomains(context),
      },
      {
        name: 'lines',
        statements: 140,
        turn: () => 60,
        run: (context: JoiningContext) => sweepWaitlists(context),
      },
    ],
    check({ users, emailVerification, roles: { all, owner } }: PartContext) {
      if (users === null || emailVerification === null) {
        throw unfit('joining needs identity.users and identity.emailVerification beside it.')
      }
      if (!all.includes(role) || role === owner) {
        throw unfit(
          `the role of joinRules() is "${role}": it must be in roles.all, and not the owner's.`
        )
      }
    },
    members: joiningMembers,
  }
}

/**
 * Mail providers where anyone can get an address, so that an address there proves no affiliation. The
 * largest ones; hosts add their own with `publicDomains`.
 */
const PUBLIC_DOMAINS = (
  '126.com 139.com 163.com aol.com bk.ru daum.net duck.com fastmail.com fastmail.fm foxmail.com ' +
  'free.fr gmail.com gmx.at gmx.ch gmx.com gmx.de gmx.net googlemail.com hey.com hotmail.co.uk ' +
  'hotmail.com hotmail.de hotmail.fr hushmail.com icloud.com inbox.ru kakao.com laposte.net ' +
  'libero.it list.ru live.com mac.com mail.com mail.ru mailbox.org me.com msn.com naver.com ' +
  'orange.fr outlook.com outlook.de pm.me posteo.de proton.me protonmail.ch protonmail.com qq.com ' +
  'rambler.ru rediffmail.com rocketmail.com seznam.cz sina.com sohu.com t-online.de tuta.com ' +
  'tutanota.com ukr.net uol.com.br web.de wp.pl yahoo.co.in yahoo.co.jp yahoo.co.uk yahoo.com ' +
  'yahoo.de yahoo.fr yandex.com yandex.ru yeah.net ymail.com zoho.com'
).split(' ')

// Limits what one invocation of a Worker asks; the sweep sees to the other waitlists.
const WAITLISTS_AT_ONCE = 10

/** Admits from the waitlists of organizations that may have free seats, if the rules let anyone wait. */
const admitWhenFreed: Listener = {
  async seatsFreed(context: JoiningContext, organizationIds) {
    const { joining } = context
    if (!keepsWaitlist(joining)) return
    await inBackground(
      context,
      organizationIds[0] ?? '',
      organizationIds
        .slice(0, WAITLISTS_AT_ONCE)
        .map((organizationId) => () => joining.admitWaiting(context, organizationId))
    )
  },
}

const REQUESTS_PER_SWEEP = 1000
const KEPT_DAYS = 90
const DAY_MS = 24 * 60 * 60 * 1000

/**
 * Builds the statement that deletes requests to join that were settled 90 days ago, the oldest first. The
 * row with the last place of its organization stays, so that places are not reused.
 */
function purgeJoinRequests({ db }: DatabaseContext, now: Date): Statement {
  const before = now.getTime() - KEPT_DAYS * DAY_MS
  return db.delete(joinRequests).where(
    sql`${joinRequests.id} in (select settled.id from seatgate_join_requests settled
      where settled.state in ('joined', 'declined', 'withdrawn', 'closed')
      and settled.updated_at <= ${before}
      and (settled.place is null or exists (select 1 from seatgate_join_requests later
        where later.organization_id = settled.organization_id and later.place > settled.place))
      order by settled.updated_at limit ${REQUESTS_PER_SWEEP})`
  )
}

function unfit(what: string): TypeError {
  return new TypeError(`createSeatgate: ${what}`)
}
