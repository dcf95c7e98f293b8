import { partOf } from '../../engine/changes/part.ts'
import { endImpersonation } from '../../parts/impersonation/end.ts'
import type { ImpersonationContext } from '../../parts/impersonation/impersonation.ts'
import { listImpersonations, listOwnImpersonations } from '../../parts/impersonation/list.ts'
import {
  startImpersonation,
  type StartImpersonationInput,
} from '../../parts/impersonation/start.ts'
import type { Seatgate } from '../../seatgate.ts'
import { answer, done, inOrganization, readOperation, scopeOf } from '../request.ts'
import type { Taking } from '../typed-response.ts'
import {
  signedInRoutes,
  type GroupOf,
  type RouteOptions,
  type Routes,
} from '../routes/route-group.ts'

/** A configuration that has impersonations. */
type Acting = Seatgate & Pick<ImpersonationContext, 'impersonation'>

/**
 * The routes of impersonations: operators start, list and end theirs, and those who read the audit trail of
 * an organization see what runs in it. A token is in the response to its start alone.
 *
 * @throws {TypeError} if an option is wrong, or if `impersonation` is not configured.
 *
 * @example
 * ```ts
 * app.route('/', impersonationRoutes(seatgate, { authenticate: acting }))
 * ```
 */
export function impersonationRoutes(seatgate: Acting, options: RouteOptions): ImpersonationRoutes {
  partOf(seatgate, 'impersonation')
  return signedInRoutes('impersonationRoutes', seatgate, options, addImpersonations)
}

/** The routes of {@link impersonationRoutes}. */
export type ImpersonationRoutes = GroupOf<typeof addImpersonations>

function addImpersonations(routes: Routes, seatgate: Acting) {
  return routes
    .get('/organizations/:org/impersonations', async (c) =>
      answer(c, await listImpersonations(seatgate, inOrganization(c)))
    )
    .get('/operator/impersonations', async (c) =>
      answer(c, await listOwnImpersonations(seatgate, scopeOf(c)))
    )
    .post(
      '/operator/organizations/:org/impersonations',
      async (c: Taking<{ json: StartImpersonationInput }>) => {
        const { input, options } = await readOperation(c)
        return answer(c, await startImpersonation(seatgate, inOrganization(c), input, options), 201)
      }
    )
    .delete('/operator/organizations/:org/impersonations/:id', async (c) =>
      done(c, await endImpersonation(seatgate, inOrganization(c), c.req.param('id')))
    )
}
