import type { AuditFilters } from '../../engine/audit/filters.ts'
import { exportAuditEvents, type AuditExportInput } from '../../operations/audit/export.ts'
import {
  countAuditEvents,
  listAuditEvents,
  type AuditListInput,
} from '../../operations/audit/list.ts'
import { partOf } from '../../engine/changes/part.ts'
import type { ForwardingContext } from '../../parts/forwarding/forwarding.ts'
import type { LogContext } from '../../parts/log/log.ts'
import {
  auditCheckpoint,
  proveConsistency,
  proveInclusion,
  type ConsistencyInput,
  type InclusionInput,
} from '../../parts/log/prove.ts'
import type { Seatgate } from '../../seatgate.ts'
import { seatsAsOf, type SeatsAsOfInput } from '../../operations/seats/as-of.ts'
import { answer, inOrganization, readOperation, readQuery } from '../request.ts'
import type { QueryOf, Taking } from '../typed-response.ts'
import {
  forList,
  signedInRoutes,
  type GroupOf,
  type RouteOptions,
  type Routes,
} from './route-group.ts'
import { listAttempts, type AttemptInput } from '../../parts/forwarding/list-attempts.ts'
import {
  pauseSink,
  replaySink,
  resumeSink,
  type ReplayInput,
} from '../../parts/forwarding/replay.ts'
import { requeueDeadLetters, type RequeueInput } from '../../parts/forwarding/requeue.ts'
import {
  listDeadLetters,
  listSinks,
  type DeadLetterInput,
} from '../../parts/forwarding/sink-status.ts'

const LARGEST_PAGE = 200
const TRAIL = '/organizations/:org/audit'
const SINKS = `${TRAIL}/sinks` as const

type Logging = Seatgate & Pick<LogContext, 'log'>
type Forwarding = Seatgate & ForwardingContext

/**
 * Returns the routes of the audit trail: list, count, export, seats at an instant.
 *
 * @throws {TypeError} if an option is wrong.
 *
 * @example
 * ```ts
 * app.route('/', auditRoutes(seatgate, { authenticate }))
 * ```
 */
export function auditRoutes(given: Seatgate, options: RouteOptions): AuditRoutes {
  return signedInRoutes('auditRoutes', given, options, addTrail)
}

/** The routes of {@link auditRoutes}. */
export type AuditRoutes = GroupOf<typeof addTrail>

function addTrail(routes: Routes, seatgate: Seatgate) {
  return routes
    .get(TRAIL, async (c: Taking<{ query: QueryOf<AuditListInput> }>) => {
      const options = { largestPage: LARGEST_PAGE }
      return answer(
        c,
        await listAuditEvents(forList(c, seatgate), inOrganization(c), readQuery(c), options)
      )
    })
    .get(`${TRAIL}/count`, async (c: Taking<{ query: QueryOf<AuditFilters> }>) =>
      answer(c, await countAuditEvents(seatgate, inOrganization(c), readQuery(c)))
    )
    .get(`${TRAIL}/seats`, async (c: Taking<{ query: QueryOf<SeatsAsOfInput> }>) =>
      answer(c, await seatsAsOf(seatgate, inOrganization(c), readQuery(c)))
    )
    .get(`${TRAIL}/export`, async (c: Taking<{ query: QueryOf<AuditExportInput> }>) => {
      // A HEAD transfers no events, so it is not recorded as an export.
      const record = c.req.method !== 'HEAD'
      const file = await exportAuditEvents(seatgate, inOrganization(c), readQuery(c), { record })
      if (!file.ok) return answer(c, file)
      const { body, contentType, fileName } = file.value
      return c.body(body, 200, {
        'content-type': contentType,
        'content-disposition': `attachment; filename="${fileName}"`,
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
      })
    })
}

/**
 * Returns the routes of the log: its checkpoint, and proofs against it.
 *
 * @throws {TypeError} if an option is wrong, or if there is no log.
 *
 * @example
 * ```ts
 * app.route('/', logRoutes(seatgate, { authenticate }))
 * ```
 */
export function logRoutes(seatgate: Logging, options: RouteOptions): LogRoutes {
  partOf(seatgate, 'log')
  return signedInRoutes('logRoutes', seatgate, options, addLog)
}

/** The routes of {@link logRoutes}. */
export type LogRoutes = GroupOf<typeof addLog>

function addLog(routes: Routes, seatgate: Logging) {
  return routes
    .get(`${TRAIL}/checkpoint`, async (c) =>
      answer(c, await auditCheckpoint(seatgate, inOrganization(c)))
    )
    .get(`${TRAIL}/proof`, async (c: Taking<{ query: InclusionInput }>) =>
      answer(c, await proveInclusion(seatgate, inOrganization(c), readQuery(c)))
    )
    .get(`${TRAIL}/consistency`, async (c: Taking<{ query: ConsistencyInput }>) =>
      answer(c, await proveConsistency(seatgate, inOrganization(c), readQuery(c)))
    )
}

/**
 * Returns the routes of sinks: how far each is, what it did not accept, deliver again.
 *
 * @throws {TypeError} if an option is wrong, or if `forwarding` is not configured.
 *
 * @example
 * ```ts
 * app.route('/', forwardingRoutes(seatgate, { authenticate }))
 * ```
 */
export function forwardingRoutes(given: Forwarding, options: RouteOptions): ForwardingRoutes {
  partOf(given, 'forwarding')
  return signedInRoutes('forwardingRoutes', given, options, addSinks)
}

/** The routes of {@link forwardingRoutes}. */
export type ForwardingRoutes = GroupOf<typeof addSinks>

function addSinks(routes: Routes, seatgate: Forwarding) {
  return routes
    .get(SINKS, async (c) => answer(c, await listSinks(seatgate, inOrganization(c), readQuery(c))))
    .get(`${SINKS}/:sink/dead-letters`, async (c: Taking<{ query: DeadLetterInput }, '/:sink'>) => {
      const sink = c.req.param('sink')
      return answer(c, await listDeadLetters(seatgate, inOrganization(c), sink, readQuery(c)))
    })
    .get(`${SINKS}/:sink/attempts`, async (c: Taking<{ query: AttemptInput }, '/:sink'>) => {
      const sink = c.req.param('sink')
      return answer(c, await listAttempts(seatgate, inOrganization(c), sink, readQuery(c)))
    })
    .post(`${SINKS}/:sink/replay`, async (c: Taking<{ json: ReplayInput }, '/:sink'>) => {
      const { input, options } = await readOperation(c)
      const sink = c.req.param('sink')
      return answer(c, await replaySink(seatgate, inOrganization(c), sink, input, options), 202)
    })
    .post(`${SINKS}/:sink/pause`, async (c) => {
      const { options } = await readOperation(c)
      const sink = c.req.param('sink')
      return answer(c, await pauseSink(seatgate, inOrganization(c), sink, options), 202)
    })
    .post(`${SINKS}/:sink/resume`, async (c) => {
      const { options } = await readOperation(c)
      const sink = c.req.param('sink')
      return answer(c, await resumeSink(seatgate, inOrganization(c), sink, options), 202)
    })
    .post(
      `${SINKS}/:sink/dead-letters/requeue`,
      async (c: Taking<{ json: RequeueInput }, '/:sink'>) => {
        const { input, options } = await readOperation(c)
        const sink = c.req.param('sink')
        const organization = inOrganization(c)
        return answer(
          c,
          await requeueDeadLetters(seatgate, organization, sink, input, options),
          202
        )
      }
    )
}
