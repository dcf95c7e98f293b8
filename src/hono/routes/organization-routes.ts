import type { Hono } from 'hono'
import { ok } from '../../base/result.ts'
import { updateSlug } from '../../operations/organizations/change-slug.ts'
import { createOrganization } from '../../operations/organizations/create.ts'
import { softDeleteOrganization } from '../../operations/organizations/delete.ts'
import { listOrganizations } from '../../operations/organizations/get.ts'
import { setMfaPolicy, type MfaCheck } from '../../operations/organizations/mfa-policy.ts'
import { renameOrganization } from '../../operations/organizations/update.ts'
import type { Seatgate } from '../../seatgate.ts'
import { loadOrganizationFromSlug } from '../load-organization-from-slug.ts'
import {
  answer,
  done,
  inOrganization,
  readOperation,
  readQuery,
  scopeOf,
  type RouterEnv,
} from '../request.ts'
import { readBody } from '../request-body.ts'
import {
  checkProof,
  checkRouteOptions,
  configuredReads,
  forList,
  signedInRoutes,
  type RouteOptions,
} from './route-group.ts'
import { explainSeats } from '../../operations/seats/explain.ts'
import { setSeatLimit } from '../../operations/seats/set-limit.ts'
import { seatUsage } from '../../operations/seats/usage.ts'

/** Options of {@link organizationRoutes}. */
export interface OrganizationRouteOptions extends RouteOptions {
  /**
   * Returns whether a user has a second factor: a user who requires one of members must have one. Without
   * it the policy can be switched off, but not on.
   */
  readonly mfaCheck?: MfaCheck
}

// Where the host cannot tell, a second factor is not demanded by a user who may have none.
const hasNone: MfaCheck = (_userId) => false

/**
 * The routes of organizations: create, list, read, rename, change the slug, delete, demand a second
 * factor.
 *
 * @throws {TypeError} if an option is wrong, or if neither `verifyPassword` nor `stepUp` is configured.
 *
 * @example
 * ```ts
 * const app = new Hono()
 *   .route('/', organizationRoutes(seatgate, { authenticate }))
 *   .route('/', memberRoutes(seatgate, { authenticate }))
 * ```
 */
export function organizationRoutes(
  given: Seatgate,
  options: OrganizationRouteOptions
): Hono<RouterEnv> {
  checkRouteOptions('organizationRoutes', options, ['mfaCheck'])
  const seatgate = configuredReads(given, options)
  checkProof('organizationRoutes', seatgate)
  const { mfaCheck = hasNone } = options
  return signedInRoutes(seatgate, options, (routes) => {
    routes.post('/organizations', async (c) => {
      const { input, options } = await readOperation(c)
      return answer(c, await createOrganization(seatgate, scopeOf(c), input, options), 201)
    })
    routes.get('/organizations', async (c) =>
      answer(c, await listOrganizations(forList(c, seatgate), scopeOf(c), readQuery(c)))
    )
    // A slug that was given up redirects here as it does under `/o/`.
    const named = loadOrganizationFromSlug(seatgate, { authenticate: (c) => c.get('asking') })
    routes.get('/organizations/:org', named, (c) => answer(c, ok(c.var.organization)))
    routes.patch('/organizations/:org', async (c) =>
      answer(c, await renameOrganization(seatgate, inOrganization(c), await readBody(c)))
    )
    routes.post('/organizations/:org/slug', async (c) => {
      const { input, options } = await readOperation(c)
      return answer(c, await updateSlug(seatgate, inOrganization(c), input, options))
    })
    routes.delete('/organizations/:org', async (c) =>
      done(c, await softDeleteOrganization(seatgate, inOrganization(c), await readBody(c)))
    )
    routes.put('/organizations/:org/mfa-policy', async (c) =>
      answer(c, await setMfaPolicy(seatgate, inOrganization(c), await readBody(c), { mfaCheck }))
    )
  })
}

/**
 * The routes of seats: usage, the explanation of a refusal, the limit.
 *
 * @throws {TypeError} if an option is wrong.
 */
export function seatRoutes(given: Seatgate, options: RouteOptions): Hono<RouterEnv> {
  checkRouteOptions('seatRoutes', options)
  const seatgate = configuredReads(given, options)
  return signedInRoutes(seatgate, options, (routes) => {
    routes.get('/organizations/:org/seats', async (c) =>
      answer(c, await seatUsage(seatgate, inOrganization(c)))
    )
    routes.get('/organizations/:org/seats/explain', async (c) =>
      answer(c, await explainSeats(seatgate, inOrganization(c)))
    )
    routes.put('/organizations/:org/seats/limit', async (c) =>
      answer(c, await setSeatLimit(seatgate, inOrganization(c), await readBody(c)))
    )
  })
}
