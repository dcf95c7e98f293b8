import { getBilling } from '../../operations/billing/get-billing.ts'
import type { Seatgate } from '../../seatgate.ts'
import { answer, inOrganization } from '../request.ts'
import { signedInRoutes, type GroupOf, type RouteOptions, type Routes } from './route-group.ts'

/**
 * Returns the routes of billing: the plan, the subscription and the seats of an organization.
 *
 * @throws {TypeError} if an option is wrong.
 *
 * @example
 * ```ts
 * app.route('/', billingRoutes(seatgate, { authenticate }))
 * ```
 */
export function billingRoutes(seatgate: Seatgate, options: RouteOptions): BillingRoutes {
  return signedInRoutes('billingRoutes', seatgate, options, addBilling)
}

/** The routes of {@link billingRoutes}. */
export type BillingRoutes = GroupOf<typeof addBilling>

function addBilling(routes: Routes, seatgate: Seatgate) {
  return routes.get('/organizations/:org/billing', async (c) =>
    answer(c, await getBilling(seatgate, inOrganization(c)))
  )
}
