import type { Hono } from 'hono'
import { addDomain } from '../../operations/joining/add-domain.ts'
import { approveJoinRequest } from '../../operations/joining/approve.ts'
import { removeDomain, setDomainMode } from '../../operations/joining/change-domain.ts'
import { declineJoinRequest, withdrawJoinRequest } from '../../operations/joining/decline.ts'
import { joinOrganization } from '../../operations/joining/join.ts'
import {
  listDomains,
  listJoinableOrganizations,
  listJoinRequests,
} from '../../operations/joining/list.ts'
import { verifyDomain } from '../../operations/joining/verify-domain.ts'
import type { JoiningContext } from '../../operations/joining/join-rules.ts'
import { partOf } from '../../engine/changes/part.ts'
import type { Seatgate } from '../../seatgate.ts'
import { readBody } from '../request-body.ts'
import { problemResponse } from '../problem.ts'
import {
  answer,
  done,
  inOrganization,
  readOperation,
  readQuery,
  scopeOf,
  type RouterEnv,
} from '../request.ts'
import {
  checkRouteOptions,
  configuredReads,
  forList,
  signedInRoutes,
  type RouteOptions,
} from './route-group.ts'

/** A configuration that has joining. */
type Joining = Seatgate & Pick<JoiningContext, 'joining'>

/**
 * The routes of joining by domain and on request.
 *
 * @throws {TypeError} if an option is wrong, or if `joining` is not configured.
 */
export function joiningRoutes(given: Joining, options: RouteOptions): Hono<RouterEnv> {
  checkRouteOptions('joiningRoutes', options)
  const seatgate = configuredReads(given, options)
  partOf(seatgate, 'joining')
  return signedInRoutes(seatgate, options, (routes) => {
    routes.get('/organizations/:org/domains', async (c) =>
      answer(c, await listDomains(seatgate, inOrganization(c), readQuery(c)))
    )
    routes.post('/organizations/:org/domains', async (c) => {
      const { input, options } = await readOperation(c)
      return answer(c, await addDomain(seatgate, inOrganization(c), input, options), 201)
    })
    routes.patch('/organizations/:org/domains/:id', async (c) => {
      const input = await readBody(c)
      return answer(c, await setDomainMode(seatgate, inOrganization(c), c.req.param('id'), input))
    })
    routes.post('/organizations/:org/domains/:id/verify', async (c) => {
      const { options } = await readOperation(c)
      const id = c.req.param('id')
      return answer(c, await verifyDomain(seatgate, inOrganization(c), id, options))
    })
    routes.delete('/organizations/:org/domains/:id', async (c) =>
      done(c, await removeDomain(seatgate, inOrganization(c), c.req.param('id')))
    )

    routes.get('/organizations/:org/join-requests', async (c) =>
      answer(c, await listJoinRequests(forList(c, seatgate), inOrganization(c), readQuery(c)))
    )
    routes.post('/organizations/:org/join-requests/:id/approve', async (c) => {
      const { input, options } = await readOperation(c)
      const id = c.req.param('id')
      return answer(c, await approveJoinRequest(seatgate, inOrganization(c), id, input, options))
    })
    routes.post('/organizations/:org/join-requests/:id/decline', async (c) => {
      const { options } = await readOperation(c)
      const id = c.req.param('id')
      return answer(c, await declineJoinRequest(seatgate, inOrganization(c), id, options))
    })

    routes.get('/joinable-organizations', async (c) =>
      answer(c, await listJoinableOrganizations(seatgate, scopeOf(c), readQuery(c)))
    )
    routes.post('/join-requests', async (c) => {
      const { input, options } = await readOperation(c)
      const joined = await joinOrganization(seatgate, scopeOf(c), input, options)
      if (!joined.ok) return problemResponse(joined.error)
      return c.json(joined.value, joined.value.status === 'joined' ? 201 : 202)
    })
    routes.delete('/join-requests/:id', async (c) =>
      done(c, await withdrawJoinRequest(seatgate, scopeOf(c), c.req.param('id')))
    )
  })
}
