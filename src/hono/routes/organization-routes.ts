import type { PageInput } from '../../base/page.ts'
import { ok, type Result } from '../../base/result.ts'
import type { Organization } from '../../engine/model/organization.ts'
import { updateSlug, type UpdateSlugInput } from '../../operations/organizations/change-slug.ts'
import {
  createOrganization,
  type CreateOrganizationInput,
} from '../../operations/organizations/create.ts'
import {
  softDeleteOrganization,
  type DeleteOrganizationInput,
} from '../../operations/organizations/delete.ts'
import {
  listOrganizations,
  type GetOrganizationRefusal,
} from '../../operations/organizations/get.ts'
import {
  setMfaPolicy,
  type MfaCheck,
  type MfaPolicyInput,
} from '../../operations/organizations/mfa-policy.ts'
import {
  renameOrganization,
  type RenameOrganizationInput,
} from '../../operations/organizations/update.ts'
import type { Seatgate } from '../../seatgate.ts'
import { loadOrganizationFromSlug } from '../load-organization-from-slug.ts'
import { answer, done, inOrganization, readOperation, readQuery, scopeOf } from '../request.ts'
import type { Taking } from '../typed-response.ts'
import { readBody } from '../request-body.ts'
import {
  checkProof,
  forList,
  signedInRoutes,
  type GroupOf,
  type RouteOptions,
  type Routes,
} from './route-group.ts'
import { explainSeats } from '../../operations/seats/explain.ts'
import { setSeatLimit, type SeatLimitInput } from '../../operations/seats/set-limit.ts'
import { seatUsage } from '../../operations/seats/usage.ts'

/** Options of {@link organizationRoutes}. */
export interface OrganizationRouteOptions extends RouteOptions {
  /**
   * Returns whether a user has a second factor: a user who requires one of members must have one. Without
   * it the policy can be switched off, but not on.
   */
  readonly mfaCheck?: MfaCheck
}

// Without the host's check, a user who may have no second factor cannot demand one from others.
const hasNone: MfaCheck = (_userId) => false

/**
 * Returns the routes of organizations: create, list, read, rename, change the slug, delete, demand a second
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
): OrganizationRoutes {
  checkProof('organizationRoutes', given)
  return signedInRoutes('organizationRoutes', given, options, addOrganizations, ['mfaCheck'])
}

/** The routes of {@link organizationRoutes}. */
export type OrganizationRoutes = GroupOf<typeof addOrganizations>

function addOrganizations(routes: Routes, seatgate: Seatgate, options: OrganizationRouteOptions) {
  const { mfaCheck = hasNone } = options
  // A slug that was given up redirects here as it does under `/o/`.
  const named = loadOrganizationFromSlug(seatgate, { authenticate: (c) => c.get('asking') })
  return routes
    .post('/organizations', async (c: Taking<{ json: CreateOrganizationInput }>) => {
      const { input, options } = await readOperation(c)
      return answer(c, await createOrganization(seatgate, scopeOf(c), input, options), 201)
    })
    .get('/organizations', async (c: Taking<{ query: PageInput }>) =>
      answer(c, await listOrganizations(forList(c, seatgate), scopeOf(c), readQuery(c)))
    )
    .get('/organizations/:org', named, (c) =>
      // The middleware before it refuses with these.
      answer(c, ok(c.var.organization) as Result<Organization, GetOrganizationRefusal>)
    )
    .patch('/organizations/:org', async (c: Taking<{ json: RenameOrganizationInput }>) =>
      answer(c, await renameOrganization(seatgate, inOrganization(c), await readBody(c)))
    )
    .post('/organizations/:org/slug', async (c: Taking<{ json: UpdateSlugInput }>) => {
      const { input, options } = await readOperation(c)
      return answer(c, await updateSlug(seatgate, inOrganization(c), input, options))
    })
    .delete('/organizations/:org', async (c: Taking<{ json: DeleteOrganizationInput }>) =>
      done(c, await softDeleteOrganization(seatgate, inOrganization(c), await readBody(c)))
    )
    .put('/organizations/:org/mfa-policy', async (c: Taking<{ json: MfaPolicyInput }>) =>
      answer(c, await setMfaPolicy(seatgate, inOrganization(c), await readBody(c), { mfaCheck }))
    )
}

/**
 * Returns the routes of seats: usage, the explanation of a refusal, the limit.
 *
 * @throws {TypeError} if an option is wrong.
 *
 * @example
 * ```ts
 * app.route('/', seatRoutes(seatgate, { authenticate }))
 * ```
 */
export function seatRoutes(given: Seatgate, options: RouteOptions): SeatRoutes {
  return signedInRoutes('seatRoutes', given, options, addSeats)
}

/** The routes of {@link seatRoutes}. */
export type SeatRoutes = GroupOf<typeof addSeats>

function addSeats(routes: Routes, seatgate: Seatgate) {
  return routes
    .get('/organizations/:org/seats', async (c) =>
      answer(c, await seatUsage(seatgate, inOrganization(c)))
    )
    .get('/organizations/:org/seats/explain', async (c) =>
      answer(c, await explainSeats(seatgate, inOrganization(c)))
    )
    .put('/organizations/:org/seats/limit', async (c: Taking<{ json: SeatLimitInput }>) =>
      answer(c, await setSeatLimit(seatgate, inOrganization(c), await readBody(c)))
    )
}
