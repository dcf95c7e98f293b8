import type { Hono } from 'hono'
import * as v from 'valibot'
import { parseInput } from '../../base/input.ts'
import type { Organization } from '../../engine/model/organization.ts'
import { ok, refused, type Result } from '../../base/result.ts'
import type { GetOrganizationRefusal } from '../../operations/organizations/get.ts'
import type { Seatgate } from '../../seatgate.ts'
import { isForm, readBody, readForm } from '../request-body.ts'
import { loadActiveOrganization, putActiveOrganization } from '../load-active-organization.ts'
import { loadOrganizationFromSlug } from '../load-organization-from-slug.ts'
import { safeReturnPath } from '../page-refusals.ts'
import { answer, type ScopeEnv } from '../request.ts'
import type { Taking } from '../typed-response.ts'
import { openRoutes, type OpenGroupOf, type RouteOptions } from './route-group.ts'

const PutInput = v.object(
  { organizationId: v.nullable(v.string('Must be a string or null.')) },
  'Must be an object.'
)
const SwitchInput = v.object(
  { organization_id: v.string('Must be a string.'), return_to: v.nullish(v.unknown()) },
  'Must be an object.'
)

/**
 * Returns the routes of the session: its active organization, and an organization by its slug.
 *
 * @throws {TypeError} if an option is wrong.
 *
 * @example
 * ```ts
 * app.route('/', sessionRoutes(seatgate, { authenticate }))
 * ```
 */
export function sessionRoutes(given: Seatgate, options: RouteOptions): SessionRoutes {
  return openRoutes('sessionRoutes', given, options, addSession)
}

/** The routes of {@link sessionRoutes}. */
export type SessionRoutes = OpenGroupOf<typeof addSession>

function addSession(routes: Hono<ScopeEnv>, seatgate: Seatgate, options: RouteOptions) {
  const { authenticate } = options
  const load = loadActiveOrganization(seatgate, { authenticate })
  return (
    routes
      .get('/o/:org', loadOrganizationFromSlug(seatgate, { authenticate }), (c) =>
        // The middleware before it refuses with these.
        answer(c, ok(view(c.var)) as Result<View, GetOrganizationRefusal>)
      )

      .get('/active-organization', load, (c) =>
        answer(c, c.var.caller ? ok(view(c.var)) : refused({ code: 'unauthenticated' }))
      )
      .put('/active-organization', load, async (c: InSession<typeof PutInput>) => {
        if (!c.var.caller) return answer(c, refused({ code: 'unauthenticated' }))
        const input = parseInput(PutInput, await readBody(c))
        if (!input.ok) return answer(c, input)
        const active = await putActiveOrganization(seatgate, c, input.value.organizationId)
        return active.ok ? c.json(view(c.var), 200) : answer(c, active)
      })

      // For a form on a page. Every refusal answers as if the organization did not exist.
      .post('/organizations/switch', load, async (c: InSession<typeof SwitchInput>) => {
        if (!c.var.caller) return answer(c, refused({ code: 'unauthenticated' }))
        const input = parseInput(SwitchInput, isForm(c) ? await readForm(c) : await readBody(c))
        if (!input.ok) return answer(c, input)
        const { organization_id: organizationId, return_to: returnTo } = input.value
        const active = await putActiveOrganization(seatgate, c, organizationId)
        if (!active.ok) {
          const { code } = active.error
          if (code === 'unavailable' || code === 'operation_in_progress') {
            return answer(c, refused({ code }))
          }
          return answer(c, refused({ code: 'organization_not_found' }))
        }
        return c.redirect(safeReturnPath(returnTo, new URL(c.req.url).origin), 303)
      })
  )
}

type InSession<Input extends v.GenericSchema> = Taking<
  { json: v.InferInput<Input> & object },
  '/',
  ScopeEnv
>

type View = ReturnType<typeof view>

interface Scoped {
  readonly organization: Organization | null
  readonly role: string | null
}

function view({ organization, role }: Scoped) {
  return organization ? { organization, role } : { organization: null }
}
