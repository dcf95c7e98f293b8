import type { Hono } from 'hono'
import { exportAuditEvents } from '../../operations/audit/export.ts'
import { auditCheckpoint, proveConsistency, proveInclusion } from '../../parts/log/prove.ts'
import { countAuditEvents, listAuditEvents } from '../../operations/audit/list.ts'
import type { Seatgate } from '../../seatgate.ts'
import { seatsAsOf } from '../../operations/seats/as-of.ts'
import { problemResponse } from '../problem.ts'
import { answer, inOrganization, readQuery, type RouterEnv } from '../request.ts'
import { checkRouteOptions, signedInRoutes, type RouteOptions } from './route-group.ts'

const LARGEST_PAGE = 200

/**
 * The routes of the audit trail: list, count, export, proofs of the log, seats at an instant.
 *
 * @throws {TypeError} if an option is wrong.
 */
export function auditRoutes(seatgate: Seatgate, options: RouteOptions): Hono<RouterEnv> {
  checkRouteOptions('auditRoutes', options)
  return signedInRoutes(seatgate, options, (routes) => {
    const trail = '/organizations/:org/audit'

    routes.get(trail, async (c) => {
      const options = { largestPage: LARGEST_PAGE }
      return answer(c, await listAuditEvents(seatgate, inOrganization(c), readQuery(c), options))
    })
    routes.get(`${trail}/count`, async (c) =>
      answer(c, await countAuditEvents(seatgate, inOrganization(c), readQuery(c)))
    )
    routes.get(`${trail}/seats`, async (c) =>
      answer(c, await seatsAsOf(seatgate, inOrganization(c), readQuery(c)))
    )
    routes.get(`${trail}/checkpoint`, async (c) =>
      answer(c, await auditCheckpoint(seatgate, inOrganization(c)))
    )
    routes.get(`${trail}/proof`, async (c) =>
      answer(c, await proveInclusion(seatgate, inOrganization(c), readQuery(c)))
    )
    routes.get(`${trail}/consistency`, async (c) =>
      answer(c, await proveConsistency(seatgate, inOrganization(c), readQuery(c)))
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
