import type { Hono } from 'hono'
import { listAttempts } from '../../parts/forwarding/list-attempts.ts'
import { replaySink, resumeSink } from '../../parts/forwarding/replay.ts'
import { requeueDeadLetters } from '../../parts/forwarding/requeue.ts'
import { listDeadLetters, listSinks } from '../../parts/forwarding/sink-status.ts'
import type { Seatgate } from '../../seatgate.ts'
import { answer, inOrganization, readOperation, readQuery, type RouterEnv } from '../request.ts'
import { checkRouteOptions, signedInRoutes, type RouteOptions } from './route-group.ts'

/**
 * The routes of sinks: how far each is, what it did not accept, deliver again.
 *
 * @throws {TypeError} if an option is wrong.
 */
export function forwardingRoutes(seatgate: Seatgate, options: RouteOptions): Hono<RouterEnv> {
  checkRouteOptions('forwardingRoutes', options)
  return signedInRoutes(seatgate, options, (routes) => {
    const sinks = '/organizations/:org/audit/sinks'

    routes.get(sinks, async (c) =>
      answer(c, await listSinks(seatgate, inOrganization(c), readQuery(c)))
    )
    routes.get(`${sinks}/:sink/dead-letters`, async (c) => {
      const sink = c.req.param('sink')
      return answer(c, await listDeadLetters(seatgate, inOrganization(c), sink, readQuery(c)))
    })
    routes.get(`${sinks}/:sink/attempts`, async (c) => {
      const sink = c.req.param('sink')
      return answer(c, await listAttempts(seatgate, inOrganization(c), sink, readQuery(c)))
    })
    routes.post(`${sinks}/:sink/replay`, async (c) => {
      const { input, options } = await readOperation(c)
      const sink = c.req.param('sink')
      return answer(c, await replaySink(seatgate, inOrganization(c), sink, input, options), 202)
    })
    routes.post(`${sinks}/:sink/resume`, async (c) => {
      const { options } = await readOperation(c)
      const sink = c.req.param('sink')
      return answer(c, await resumeSink(seatgate, inOrganization(c), sink, options), 202)
    })
    routes.post(`${sinks}/:sink/dead-letters/requeue`, async (c) => {
      const { input, options } = await readOperation(c)
      const sink = c.req.param('sink')
      const requeued = await requeueDeadLetters(seatgate, inOrganization(c), sink, input, options)
      return answer(c, requeued, 202)
    })
  })
}
