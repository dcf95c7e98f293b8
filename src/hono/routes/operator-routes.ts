import type { Context, Hono } from 'hono'
import { listPersonEvents } from '../../operations/audit/person-events.ts'
import { countPlatformEvents, listPlatformEvents } from '../../operations/audit/platform-events.ts'
import {
  getPlatformOrganization,
  hidden,
  listPlatformOrganizations,
} from '../../operations/organizations/platform-organizations.ts'
import { restoreOrganization } from '../../operations/organizations/restore.ts'
import type { Seatgate } from '../../seatgate.ts'
import { rebuildSeats } from '../../operations/seats/repair.ts'
import { getEntitlement } from '../../operations/billing/get-entitlement.ts'
import { setEntitlement } from '../../operations/billing/set-entitlement.ts'
import { verifySeats } from '../../operations/seats/verify.ts'
import {
  answer,
  inOrganization,
  readOperation,
  readQuery,
  scopeOf,
  type RouterEnv,
} from '../request.ts'
import { readBody } from '../request-body.ts'
import {
  checkRouteOptions,
  configuredReads,
  signedInRoutes,
  type RouteOptions,
} from './route-group.ts'

const LARGEST_PAGE = 200

// The path names the trail.
const IN_PATH = ['organization_id']

/**
 * The routes of the platform's own people. Each function checks in its own round trip that the caller is
 * an operator; about an organization others learn what they learn of one that does not exist.
 *
 * @throws {TypeError} if an option is wrong.
 */
export function operatorRoutes(given: Seatgate, options: RouteOptions): Hono<RouterEnv> {
  checkRouteOptions('operatorRoutes', options)
  const seatgate = configuredReads(given, options)
  return signedInRoutes(seatgate, options, (routes) => {
    const one = '/operator/organizations/:org'
    const page = { largestPage: LARGEST_PAGE }

    routes.get('/operator/organizations', async (c) =>
      answer(c, await listPlatformOrganizations(seatgate, scopeOf(c), readQuery(c)))
    )
    routes.get(one, async (c) =>
      answer(c, await getPlatformOrganization(seatgate, inOrganization(c)))
    )
    routes.post(`${one}/restore`, async (c) => {
      const { options } = await readOperation(c)
      return answer(c, await restoreOrganization(seatgate, scopeOf(c), idIn(c), options))
    })
    routes.get(`${one}/entitlement`, async (c) =>
      answer(c, await getEntitlement(seatgate, inOrganization(c)))
    )
    routes.put(`${one}/entitlement`, async (c) =>
      answer(c, await setEntitlement(seatgate, inOrganization(c), await readBody(c)))
    )
    routes.get(`${one}/seats/verify`, async (c) =>
      answer(c, hidden(await verifySeats(seatgate, inOrganization(c))))
    )
    routes.post(`${one}/seats/rebuild`, async (c) => {
      const { options } = await readOperation(c)
      return answer(c, hidden(await rebuildSeats(seatgate, inOrganization(c), options)))
    })
    routes.get(`${one}/audit`, async (c) => {
      const input = { ...(readQuery(c, IN_PATH) as object), organization_id: idIn(c) }
      return answer(c, hidden(await listPlatformEvents(seatgate, scopeOf(c), input, page)))
    })
    routes.get(`${one}/audit/count`, async (c) => {
      const input = { ...(readQuery(c, IN_PATH) as object), organization_id: idIn(c) }
      return answer(c, hidden(await countPlatformEvents(seatgate, scopeOf(c), input)))
    })

    routes.get('/operator/audit', async (c) => {
      const input = { ...(readQuery(c, IN_PATH) as object), organization_id: null }
      return answer(c, await listPlatformEvents(seatgate, scopeOf(c), input, page))
    })
    routes.get('/operator/users/:userId/audit', async (c) => {
      const userId = c.req.param('userId')
      return answer(c, await listPersonEvents(seatgate, scopeOf(c), userId, readQuery(c)))
    })
  })
}

function idIn(c: Context): string {
  return c.req.param('org') ?? ''
}
