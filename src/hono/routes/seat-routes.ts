import type { Hono } from 'hono'
import { explainSeats } from '../../operations/seats/explain.ts'
import { setSeatLimit } from '../../operations/seats/set-limit.ts'
import { seatUsage } from '../../operations/seats/usage.ts'
import type { Seatgate } from '../../seatgate.ts'
import { answer, inOrganization, type RouterEnv } from '../request.ts'
import { readBody } from '../request-body.ts'
import { checkRouteOptions, signedInRoutes, type RouteOptions } from './route-group.ts'

/**
 * The routes of seats: usage, the explanation of a refusal, the limit.
 *
 * @throws {TypeError} if an option is wrong.
 */
export function seatRoutes(seatgate: Seatgate, options: RouteOptions): Hono<RouterEnv> {
  checkRouteOptions('seatRoutes', options)
  return signedInRoutes(seatgate, options, (routes) => {
    routes.get('/organizations/:org/seats', async (c) =>
      answer(c, await seatUsage(seatgate, inOrganization(c)))
    )
    routes.get('/organizations/:org/seats/explain', async (c) =>
      answer(c, await explainSeats(seatgate, inOrganization(c)))
    )
    routes.put('/organizations/:org/seats/limit', async (c) =>
      answer(c, await setSeatLimit(seatgate, inOrganization(c), await readBody(c)))
    )
  })
}
