import { checkOptionNames, namesOf } from '../base/names.ts'
import { Hono } from 'hono'
import { addMember } from '../operations/memberships/add.ts'
import { changeRole } from '../operations/memberships/change-role.ts'
import { countMembers } from '../operations/memberships/count.ts'
import { listMembers } from '../operations/memberships/list.ts'
import { removeMember } from '../operations/memberships/remove.ts'
import { restoreMember } from '../operations/memberships/restore.ts'
import { suspendMember } from '../operations/memberships/suspend.ts'
import { transferOwnership } from '../operations/memberships/transfer-ownership.ts'
import { storeRefusal } from '../engine/changes/store-refusal.ts'
import { createOrganization } from '../operations/organizations/create.ts'
import { softDeleteOrganization } from '../operations/organizations/delete.ts'
import { setMfaPolicy, type MfaCheck } from '../operations/organizations/mfa-policy.ts'
import { listOrganizations } from '../operations/organizations/get.ts'
import { renameOrganization } from '../operations/organizations/update.ts'
import { updateSlug } from '../operations/organizations/change-slug.ts'
import { ok } from '../base/result.ts'
import type { Seatgate } from '../seatgate.ts'
import { explainSeats } from '../operations/seats/explain.ts'
import { seatUsage } from '../operations/seats/usage.ts'
import { setSeatLimit } from '../operations/seats/set-limit.ts'
import { deleteUser } from '../operations/memberships/delete-user.ts'
import { activeOrganizationRoutes } from './routes/active-organization-routes.ts'
import { auditRoutes } from './routes/audit-routes.ts'
import { checkAuthenticate, type Authenticate } from './authenticate.ts'
import { readBody } from './request-body.ts'
import { refuseCrossSite } from './cross-site.ts'
import { requireWellEncoded } from './encoding.ts'
import {
  hasInvitations,
  invitationRoutes,
  organizationInvitationRoutes,
  type SignIn,
} from './routes/invitation-routes.ts'
import { joiningRoutes } from './routes/joining-routes.ts'
import { loadOrganizationFromSlug } from './load-organization-from-slug.ts'
import { noStore } from './no-store.ts'
import { operatorRoutes } from './routes/operator-routes.ts'
import { problemResponse, RefusalException } from './problem.ts'
import {
  answer,
  done,
  inOrganization,
  readOperation,
  readQuery,
  scopeOf,
  type RouterEnv,
} from './request.ts'

/** Options of {@link seatgateRouter}. */
export interface RouterOptions {
  /** Tells who is asking. */
  readonly authenticate: Authenticate
  /** Signs in whoever accepts an invitation with sign-up. Without it that route is not there. */
  readonly signIn?: SignIn
  /**
   * Tells whether a user has a second factor: who demands one of members must have one. Without it the
   * demand can be ended, and not made.
   */
  readonly mfaCheck?: MfaCheck
  /**
   * Origins of other sites from which people may change things with their cookie: where your front end
   * is, if it is elsewhere. Put `hono/cors` in front of the router too. Default: this origin alone.
   */
  readonly allowedOrigins?: readonly string[]
}

const OPTIONS = namesOf<RouterOptions>({
  authenticate: true,
  signIn: true,
  mfaCheck: true,
  allowedOrigins: true,
})

// Where the host cannot tell, a second factor is not demanded by somebody who may have none themselves.
const hasNone: MfaCheck = (_userId) => false

// Hono takes `/organizations/*` for `/organizations` too.
const SIGNED_IN = [
  '/organizations/*',
  '/joinable-organizations',
  '/join-requests/*',
  '/users/me',
  '/operator/*',
]

// Named one by one: a middleware for every path would hold for a host's routes beside these too.
const ALL = [...SIGNED_IN, '/active-organization', '/invitations/*', '/o/:org']

// It starts a session: to sign somebody in as another is an attack without any cookie.
const STARTS_SESSION = '/invitations/accept-with-signup'

/**
 * The ready routes: organizations, members, seats, the active organization and the audit trail.
 * Refusals are `application/problem+json`. Every POST takes an `Idempotency-Key` but
 * `/organizations/switch`, and of those for who was invited `view`, `decline` and `accept-with-signup`.
 *
 * The routes of invitations are there if `invitations` is configured, those of joining if
 * `joining` is,
 * `DELETE /users/me` if `lifecycle.onDelete` is. Routes under `/operator/` are for operators alone.
 *
 * Bodies are `application/json`. A request that another site's page makes with a cookie is refused, as
 * `refuseCrossSite` says. Answers are not to be cached.
 *
 * @throws {TypeError} if `authenticate` is not a function, if `allowedOrigins` has something else than
 * origins, or if neither `verifyPassword` nor `stepUp` is configured: nobody could change a slug or
 * delete anything.
 *
 * @example
 * ```ts
 * const app = new Hono().route('/', seatgateRouter(seatgate, { authenticate }))
 * ```
 */
export function seatgateRouter(seatgate: Seatgate, options: RouterOptions) {
  checkOptionNames('seatgateRouter', options, OPTIONS)
  const { authenticate, signIn, mfaCheck = hasNone, allowedOrigins = [] } = options
  checkAuthenticate('seatgateRouter', authenticate)
  if (seatgate.verifyPassword === null && seatgate.stepUp === null) {
    throw new TypeError('seatgateRouter: createSeatgate needs verifyPassword or stepUp for it.')
  }
  const router = new Hono<RouterEnv>()

  router.onError((error) => {
    if (error instanceof RefusalException) return error.getResponse()
    return problemResponse(storeRefusal(seatgate, error))
  })

  for (const path of ALL) {
    router.use(path, noStore, requireWellEncoded, refuseCrossSite({ allowedOrigins }))
  }
  router.use(STARTS_SESSION, refuseCrossSite({ allowedOrigins, requests: 'all' }))

  router.route('/', activeOrganizationRoutes(seatgate, authenticate))
  if (hasInvitations(seatgate)) {
    router.route('/', invitationRoutes(seatgate, authenticate, signIn))
  }

  for (const path of SIGNED_IN) {
    router.use(path, async (c, next) => {
      const caller = await authenticate(c)
      if (caller === null) throw new RefusalException({ code: 'unauthenticated' })
      c.set('asking', caller)
      await next()
    })
  }

  router.post('/organizations', async (c) => {
    const { input, options } = await readOperation(c)
    return answer(c, await createOrganization(seatgate, scopeOf(c), input, options), 201)
  })
  router.get('/organizations', async (c) =>
    answer(c, await listOrganizations(seatgate, scopeOf(c), readQuery(c)))
  )
  // A slug that was given up redirects here as it does under `/o/`.
  const named = loadOrganizationFromSlug(seatgate, { authenticate: (c) => c.get('asking') })
  router.get('/organizations/:org', named, (c) => answer(c, ok(c.var.organization)))
  router.patch('/organizations/:org', async (c) =>
    answer(c, await renameOrganization(seatgate, inOrganization(c), await readBody(c)))
  )
  router.post('/organizations/:org/slug', async (c) => {
    const { input, options } = await readOperation(c)
    return answer(c, await updateSlug(seatgate, inOrganization(c), input, options))
  })
  router.delete('/organizations/:org', async (c) =>
    done(c, await softDeleteOrganization(seatgate, inOrganization(c), await readBody(c)))
  )
  router.post('/organizations/:org/transfer', async (c) => {
    const { input, options } = await readOperation(c)
    return answer(c, await transferOwnership(seatgate, inOrganization(c), input, options))
  })

  router.put('/organizations/:org/mfa-policy', async (c) =>
    answer(c, await setMfaPolicy(seatgate, inOrganization(c), await readBody(c), { mfaCheck }))
  )

  router.get('/organizations/:org/members/count', async (c) =>
    answer(c, await countMembers(seatgate, inOrganization(c)))
  )
  router.get('/organizations/:org/members', async (c) =>
    answer(c, await listMembers(seatgate, inOrganization(c), readQuery(c)))
  )
  router.post('/organizations/:org/members', async (c) => {
    const { input, options } = await readOperation(c)
    const added = await addMember(seatgate, inOrganization(c), input, options)
    if (!added.ok) return problemResponse(added.error)
    return c.json(added.value.membership, added.value.created ? 201 : 200)
  })
  router.patch('/organizations/:org/members/:userId', async (c) => {
    const input = await readBody(c)
    return answer(c, await changeRole(seatgate, inOrganization(c), c.req.param('userId'), input))
  })
  router.delete('/organizations/:org/members/:userId', async (c) =>
    done(c, await removeMember(seatgate, inOrganization(c), c.req.param('userId')))
  )
  router.post('/organizations/:org/members/:userId/suspend', async (c) => {
    const { options } = await readOperation(c)
    const userId = c.req.param('userId')
    return answer(c, await suspendMember(seatgate, inOrganization(c), userId, options))
  })
  router.post('/organizations/:org/members/:userId/restore', async (c) => {
    const { options } = await readOperation(c)
    const userId = c.req.param('userId')
    return answer(c, await restoreMember(seatgate, inOrganization(c), userId, options))
  })

  if (hasInvitations(seatgate)) {
    router.route('/', organizationInvitationRoutes(seatgate))
  }
  if (seatgate.joining !== null) router.route('/', joiningRoutes(seatgate))

  router.get('/organizations/:org/seats', async (c) =>
    answer(c, await seatUsage(seatgate, inOrganization(c)))
  )
  router.get('/organizations/:org/seats/explain', async (c) =>
    answer(c, await explainSeats(seatgate, inOrganization(c)))
  )
  router.put('/organizations/:org/seats/limit', async (c) =>
    answer(c, await setSeatLimit(seatgate, inOrganization(c), await readBody(c)))
  )

  router.route('/', auditRoutes(seatgate))
  router.route('/', operatorRoutes(seatgate))

  if (seatgate.lifecycle.onDelete) {
    router.delete('/users/me', async (c) =>
      done(c, await deleteUser(seatgate, scopeOf(c), await readBody(c)))
    )
  }

  return router
}
