import type { Hono } from 'hono'
import * as v from 'valibot'
import { parseInput } from '../../base/input.ts'
import type { Organization } from '../../engine/model/organization.ts'
import { ok, refused } from '../../base/result.ts'
import type { Seatgate } from '../../seatgate.ts'
import { isForm, readBody, readForm } from '../request-body.ts'
import { loadActiveOrganization, putActiveOrganization } from '../load-active-organization.ts'
import { loadOrganizationFromSlug } from '../load-organization-from-slug.ts'
import { problemResponse } from '../problem.ts'
import { safeReturnPath } from '../page-refusals.ts'
import { answer, type ScopeEnv } from '../request.ts'
import { checkRouteOptions, configuredReads, openRoutes, type RouteOptions } from './route-group.ts'

const PutInput = v.object(
  { organizationId: v.nullable(v.string('Must be a string or null.')) },
  'Must be an object.'
)
const SwitchInput = v.object(
  { organization_id: v.string('Must be a string.'), return_to: v.nullish(v.unknown()) },
  'Must be an object.'
)

/**
 * The routes of the session: its active organization, and an organization by its slug.
 *
 * @throws {TypeError} if an option is wrong.
 */
export function sessionRoutes(given: Seatgate, options: RouteOptions): Hono<ScopeEnv> {
  checkRouteOptions('sessionRoutes', options)
  const seatgate = configuredReads(given, options)
  const { authenticate } = options
  return openRoutes<ScopeEnv>(seatgate, options, (routes) => {
    routes.get('/o/:org', loadOrganizationFromSlug(seatgate, { authenticate }), (c) =>
      answer(c, ok(view(c.var)))
    )

    const load = loadActiveOrganization(seatgate, { authenticate })
    routes.get('/active-organization', load, (c) =>
      answer(c, c.var.caller ? ok(view(c.var)) : refused({ code: 'unauthenticated' }))
    )
    routes.put('/active-organization', load, async (c) => {
      if (!c.var.caller) return problemResponse({ code: 'unauthenticated' })
      const input = parseInput(PutInput, await readBody(c))
      if (!input.ok) return problemResponse(input.error)
      const active = await putActiveOrganization(seatgate, c, input.value.organizationId)
      return active.ok ? c.json(view(c.var)) : problemResponse(active.error)
    })

    // For a form on a page. Whatever stands against it, there is nothing to be seen there.
    routes.post('/organizations/switch', load, async (c) => {
      if (!c.var.caller) return problemResponse({ code: 'unauthenticated' })
      const input = parseInput(SwitchInput, isForm(c) ? await readForm(c) : await readBody(c))
      if (!input.ok) return problemResponse(input.error)
      const { organization_id: organizationId, return_to: returnTo } = input.value
      const active = await putActiveOrganization(seatgate, c, organizationId)
      if (!active.ok) {
        const { code } = active.error
        const passing = code === 'unavailable' || code === 'operation_in_progress'
        return problemResponse(passing ? active.error : { code: 'organization_not_found' })
      }
      return c.redirect(safeReturnPath(returnTo, new URL(c.req.url).origin), 303)
    })
  })
}

function view(variables: {
  readonly organization: Organization | null
  readonly role: string | null
}) {
  const { organization, role } = variables
  return organization ? { organization, role } : { organization: null }
}
