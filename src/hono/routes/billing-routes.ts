import type { Hono } from 'hono'
import { getBilling } from '../../operations/billing/get-billing.ts'
import type { Seatgate } from '../../seatgate.ts'
import { answer, inOrganization, type RouterEnv } from '../request.ts'
import { checkRouteOptions, signedInRoutes, type RouteOptions } from './route-group.ts'

/**
 * The routes of billing: the plan, the subscription and the seats of an organization.
 *
 * @throws {TypeError} if an option is wrong.
 */
export function billingRoutes(seatgate: Seatgate, options: RouteOptions): Hono<RouterEnv> {
  checkRouteOptions('billingRoutes', options)
  return signedInRoutes(seatgate, options, (routes) => {
    routes.get('/organizations/:org/billing', async (c) =>
      answer(c, await getBilling(seatgate, inOrganization(c)))
    )
  })
}
