import { checkOptionNames, namesOf } from '../../base/names.ts'
import type { BillingPart } from '../../engine/changes/apply-limit.ts'
import { endWithOrganization } from './end-with-organization.ts'
import { noticeFollower } from './limit-notices.ts'
import type { LimitNotice } from '../../engine/seats/notice-level.ts'
import { sendNotice, type NoticeMailer } from './notice-mail.ts'
import { restoreWhenFreed } from './restore-excess.ts'
import { seatLimit } from '../../engine/seats/limit.ts'
import type { SeatAmount } from '../../engine/seats/entitlement.ts'
import {
  checkedPlans,
  OVER_LIMIT_POLICIES,
  type OverLimitPolicy,
  type PlanOptions,
} from '../../engine/seats/plans.ts'

/** Options of {@link billing}. */
export interface BillingOptions {
  /** The plans, by name. The first of several that a subscription has counts. */
  readonly plans: Readonly<Record<string, PlanOptions>>
  /** The seats of an organization that never had a subscription. Default 0. */
  readonly baseSeats?: SeatAmount
  /**
   * The seats of an organization whose subscriptions have ended or grant no seats any more. Default:
   * `baseSeats`, and 0 if these are unlimited.
   */
  readonly lapsedSeats?: SeatAmount
  /** For how many hours the last known limit holds while the present one is unknown. Default 72. */
  readonly unknownHours?: number
  /** The treatment of organizations above their limit that have no plan. Default `"block_change"`. */
  readonly whenOver?: OverLimitPolicy
  /** The days of their grace, with `allow_with_grace`. Default 14. */
  readonly overGraceDays?: number
  /**
   * Mails notices of the limit to those who administer an organization. Needs `identity.users`. Default
   * null: notices are events, and calls of the hook `afterLimitNotice`.
   */
  readonly mailer?: NoticeMailer | null
}

const OPTIONS = namesOf<BillingOptions>({
  plans: true,
  baseSeats: true,
  lapsedSeats: true,
  unknownHours: true,
  whenOver: true,
  overGraceDays: true,
  mailer: true,
})

/**
 * Computes seat limits from plans and subscriptions. Without it operators set the limits; it can be added
 * and removed while organizations are in use.
 *
 * @throws {TypeError} if an option is invalid, or a price is in two plans.
 *
 * @example
 * ```ts
 * createSeatgate({
 *   …,
 *   billing: billing({
 *     plans: {
 *       free: { included: 3 },
 *       team: { perSeat: true, prices: ['price_month', 'price_year'], graceDays: 7 },
 *     },
 *     baseSeats: 3,
 *   }),
 * })
 * ```
 */
export function billing(options: BillingOptions): BillingPart {
  checkOptionNames('billing', options, OPTIONS)
  const { baseSeats = 0, unknownHours = 72, overGraceDays = 14 } = options
  const { whenOver = 'block_change', mailer = null } = options
  const { lapsedSeats = baseSeats === 'unlimited' ? 0 : baseSeats } = options
  if (seatLimit(baseSeats).kind === 'unknown') {
    throw new TypeError('billing: baseSeats must be "unlimited" or a whole number from 0.')
  }
  if (seatLimit(lapsedSeats).kind === 'unknown') {
    throw new TypeError('billing: lapsedSeats must be "unlimited" or a whole number from 0.')
  }
  for (const [name, value] of Object.entries({ unknownHours, overGraceDays })) {
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new TypeError(`billing: ${name} must be a whole number from 0.`)
    }
  }
  if (!OVER_LIMIT_POLICIES.includes(whenOver)) {
    throw new TypeError(`billing: whenOver must be one of ${OVER_LIMIT_POLICIES.join(', ')}.`)
  }
  if (mailer !== null && typeof mailer?.send !== 'function') {
    throw new TypeError('billing: mailer must have the function send.')
  }
  if (typeof options.plans !== 'object' || options.plans === null) {
    throw new TypeError('billing: plans must be an object.')
  }
  const plans = checkedPlans('billing', options.plans)
  return {
    part: 'billing',
    plans,
    baseSeats,
    lapsedSeats,
    unknownHours,
    whenOver,
    overGraceDays,
    listeners: [restoreWhenFreed],
    followers: [noticeFollower(mailer !== null), endWithOrganization],
    sendNotice: async (context, payload) =>
      mailer && sendNotice(context, mailer, payload as LimitNotice),
    check({ users, roles: { seatTypes } }) {
      if (mailer !== null && users === null) {
        throw new TypeError('billing: mailer needs identity.users in createSeatgate.')
      }
      for (const { name, typeLimits } of plans.values()) {
        const unknown = [...typeLimits.keys()].find((type) => !seatTypes.has(type))
        if (unknown === undefined) continue
        const what = `the plan "${name}" limits seats of "${unknown}"`
        throw new TypeError(`billing: ${what}, which is not in roles.seatTypes.`)
      }
    },
  }
}
