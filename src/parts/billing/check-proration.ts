import { PRICE_INTERVALS, type Plans } from '../../engine/seats/plans.ts'
import type { BillingConnection } from './connection.ts'

/**
 * Checks that every price of every plan has a proration choice with every provider, so that no change is
 * billed in a way that no one has chosen.
 *
 * @throws {TypeError} naming the price, if there is no choice for its interval, or the choices differ by
 *   interval and the plan does not say which interval the price has.
 */
export function checkProrations(
  plans: Plans | null,
  { providers }: Pick<BillingConnection, 'providers'>
): void {
  for (const { name: plan, prices, intervals } of plans?.values() ?? []) {
    for (const provider of providers.values()) {
      if (PRICE_INTERVALS.every((interval) => provider.prorationFor(interval) !== null)) continue
      for (const price of prices) {
        const interval = intervals.get(price)
        if (interval !== undefined && provider.prorationFor(interval) !== null) continue
        throw new TypeError(
          interval === undefined
            ? `billing: ${plan}.intervals must have the interval of "${price}", because ${provider.name} ` +
                `has a proration choice for some intervals only.`
            : `billing: ${provider.name} has no proration choice for ${interval}, the interval of "${price}".`
        )
      }
    }
  }
}
