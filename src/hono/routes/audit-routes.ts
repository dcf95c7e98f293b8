import type { Hono } from 'hono'
import { exportAuditEvents } from '../../operations/audit/export.ts'
import { countAuditEvents, listAuditEvents } from '../../operations/audit/list.ts'
import { partOf } from '../../engine/changes/part.ts'
import type { ForwardingContext } from '../../parts/forwarding/forwarding.ts'
import type { LogContext } from '../../parts/log/log.ts'
import { auditCheckpoint, proveConsistency, proveInclusion } from '../../parts/log/prove.ts'
import type { Seatgate } from '../../seatgate.ts'
import { seatsAsOf } from '../../operations/seats/as-of.ts'
import { problemResponse } from '../problem.ts'
import { answer, inOrganization, readOperation, readQuery, type RouterEnv } from '../request.ts'
import {
  checkRouteOptions,
  configuredReads,
  forList,
  signedInRoutes,
  type RouteOptions,
} from './route-group.ts'
import { listAttempts } from '../../parts/forwarding/list-attempts.ts'
import { replaySink, resumeSink } from '../../parts/forwarding/replay.ts'
import { requeueDeadLetters } from '../../parts/forwarding/requeue.ts'
import { listDeadLetters, listSinks } from '../../parts/forwarding/sink-status.ts'

const LARGEST_PAGE = 200

/**
 * The routes of the audit trail: list, count, export, seats at an instant.
 *
 * @throws {TypeError} if an option is wrong.
 */
export function auditRoutes(given: Seatgate, options: RouteOptions): Hono<RouterEnv> {
  checkRouteOptions('auditRoutes', options)
  const seatgate = configuredReads(given, options)
  return signedInRoutes(seatgate, options, (routes) => {
    const trail = '/organizations/:org/audit'

    routes.get(trail, async (c) => {
      const options = { largestPage: LARGEST_PAGE }
      return answer(
        c,
        await listAuditEvents(forList(c, seatgate), inOrganization(c), readQuery(c), options)
      )
    })
    routes.get(`${trail}/count`, async (c) =>
      answer(c, await countAuditEvents(seatgate, inOrganization(c), readQuery(c)))
    )
    routes.get(`${trail}/seats`, async (c) =>
      answer(c, await seatsAsOf(seatgate, inOrganization(c), readQuery(c)))
    )
    routes.get(`${trail}/export`, async (c) => {
      // A HEAD asks what a GET would answer, and takes nothing away: it is no export.
      const record = c.req.method !== 'HEAD'
      const file = await exportAuditEvents(seatgate, inOrganization(c), readQuery(c), { record })
      if (!file.ok) return problemResponse(file.error)
      const { body, contentType, fileName } = file.value
      return c.body(body, 200, {
        'content-type': contentType,
        'content-disposition': `attachment; filename="${fileName}"`,
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
      })
    })
  })
}

/**
 * The routes of the log: its checkpoint, and proofs against it.
 *
 * @throws {TypeError} if an option is wrong, or if there is no log.
 */
export function logRoutes(
  seatgate: Seatgate & Pick<LogContext, 'log'>,
  options: RouteOptions
): Hono<RouterEnv> {
  checkRouteOptions('logRoutes', options)
  partOf(seatgate, 'log')
  return signedInRoutes(seatgate, options, (routes) => {
    const trail = '/organizations/:org/audit'

    routes.get(`${trail}/checkpoint`, async (c) =>
      answer(c, await auditCheckpoint(seatgate, inOrganization(c)))
    )
    routes.get(`${trail}/proof`, async (c) =>
      answer(c, await proveInclusion(seatgate, inOrganization(c), readQuery(c)))
    )
    routes.get(`${trail}/consistency`, async (c) =>
      answer(c, await proveConsistency(seatgate, inOrganization(c), readQuery(c)))
    )
  })
}

/**
 * The routes of sinks: how far each is, what it did not accept, deliver again.
 *
 * @throws {TypeError} if an option is wrong, or if `forwarding` is not configured.
 */
export function forwardingRoutes(
  given: Seatgate & ForwardingContext,
  options: RouteOptions
): Hono<RouterEnv> {
  checkRouteOptions('forwardingRoutes', options)
  const seatgate = configuredReads(given, options)
  partOf(seatgate, 'forwarding')
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
