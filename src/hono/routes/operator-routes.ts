import type { Context } from 'hono'
import { listPersonEvents, type PersonEventsInput } from '../../operations/audit/person-events.ts'
import {
  countPlatformEvents,
  listPlatformEvents,
  type PlatformFilters,
  type PlatformListInput,
} from '../../operations/audit/platform-events.ts'
import {
  getPlatformOrganization,
  hidden,
  listPlatformOrganizations,
  type PlatformOrganizationsInput,
} from '../../operations/organizations/platform-organizations.ts'
import { platformHealth } from '../../operations/organizations/platform-health.ts'
import { restoreOrganization } from '../../operations/organizations/restore.ts'
import type { Seatgate } from '../../seatgate.ts'
import { rebuildSeats } from '../../operations/seats/repair.ts'
import { getEntitlement } from '../../operations/billing/get-entitlement.ts'
import { setEntitlement, type EntitlementInput } from '../../operations/billing/set-entitlement.ts'
import { verifySeats } from '../../operations/seats/verify.ts'
import { answer, inOrganization, readOperation, readQuery, scopeOf } from '../request.ts'
import type { QueryOf, Taking } from '../typed-response.ts'
import { readBody } from '../request-body.ts'
import { signedInRoutes, type GroupOf, type RouteOptions, type Routes } from './route-group.ts'

const PAGE = { largestPage: 200 }
const ONE = '/operator/organizations/:org'

// The path names the trail.
const IN_PATH = ['organization_id']
type InTrail<Input> = QueryOf<Omit<Input, 'organization_id'>>

/**
 * Returns the routes of the platform's own people. Each function checks in its own round trip that the caller is
 * an operator; about an organization others learn what they learn of one that does not exist.
 *
 * @throws {TypeError} if an option is wrong.
 *
 * @example
 * ```ts
 * app.route('/', operatorRoutes(seatgate, { authenticate }))
 * ```
 */
export function operatorRoutes(given: Seatgate, options: RouteOptions): OperatorRoutes {
  return signedInRoutes('operatorRoutes', given, options, addOperator)
}

/** The routes of {@link operatorRoutes}. */
export type OperatorRoutes = GroupOf<typeof addOperator>

function addOperator(routes: Routes, seatgate: Seatgate) {
  return routes
    .get('/operator/organizations', async (c: Taking<{ query: PlatformOrganizationsInput }>) =>
      answer(c, await listPlatformOrganizations(seatgate, scopeOf(c), readQuery(c)))
    )
    .get('/operator/health', async (c) =>
      answer(c, await platformHealth(seatgate, scopeOf(c), readQuery(c)))
    )
    .get(ONE, async (c) => answer(c, await getPlatformOrganization(seatgate, inOrganization(c))))
    .post(`${ONE}/restore`, async (c) => {
      const { options } = await readOperation(c)
      return answer(c, await restoreOrganization(seatgate, scopeOf(c), idIn(c), options))
    })
    .get(`${ONE}/entitlement`, async (c) =>
      answer(c, await getEntitlement(seatgate, inOrganization(c)))
    )
    .put(`${ONE}/entitlement`, async (c: Taking<{ json: EntitlementInput }>) =>
      answer(c, await setEntitlement(seatgate, inOrganization(c), await readBody(c)))
    )
    .get(`${ONE}/seats/verify`, async (c) =>
      answer(c, hidden(await verifySeats(seatgate, inOrganization(c))))
    )
    .post(`${ONE}/seats/rebuild`, async (c) => {
      const { options } = await readOperation(c)
      return answer(c, hidden(await rebuildSeats(seatgate, inOrganization(c), options)))
    })
    .get(`${ONE}/audit`, async (c: Taking<{ query: InTrail<PlatformListInput> }>) => {
      const input = { ...(readQuery(c, IN_PATH) as object), organization_id: idIn(c) }
      return answer(c, hidden(await listPlatformEvents(seatgate, scopeOf(c), input, PAGE)))
    })
    .get(`${ONE}/audit/count`, async (c: Taking<{ query: InTrail<PlatformFilters> }>) => {
      const input = { ...(readQuery(c, IN_PATH) as object), organization_id: idIn(c) }
      return answer(c, hidden(await countPlatformEvents(seatgate, scopeOf(c), input)))
    })

    .get('/operator/audit', async (c: Taking<{ query: InTrail<PlatformListInput> }>) => {
      const input = { ...(readQuery(c, IN_PATH) as object), organization_id: null }
      return answer(c, await listPlatformEvents(seatgate, scopeOf(c), input, PAGE))
    })
    .get(
      '/operator/users/:userId/audit',
      async (c: Taking<{ query: QueryOf<PersonEventsInput> }, '/:userId'>) => {
        const userId = c.req.param('userId')
        return answer(c, await listPersonEvents(seatgate, scopeOf(c), userId, readQuery(c)))
      }
    )
}

function idIn(c: Context): string {
  return c.req.param('org') ?? ''
}
