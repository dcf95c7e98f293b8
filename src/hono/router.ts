import { Hono, type Context } from 'hono'
import { listAuditEvents } from '../audit/queries.ts'
import { StoreUnavailable } from '../database/database.ts'
import { UnreadableInput } from '../input.ts'
import { addMember } from '../memberships/add.ts'
import { changeRole } from '../memberships/change-role.ts'
import { listMembers } from '../memberships/queries.ts'
import { removeMember } from '../memberships/remove.ts'
import type { OperationOptions } from '../operations/perform.ts'
import { createOrganization } from '../organizations/create.ts'
import { getOrganization, listOrganizations } from '../organizations/queries.ts'
import { renameOrganization } from '../organizations/rename.ts'
import { invalid } from '../refusal.ts'
import type { Result } from '../result.ts'
import type { Caller } from '../scope.ts'
import type { Seatgate } from '../seatgate.ts'
import { seatUsage } from '../seats/queries.ts'
import { setSeatLimit } from '../seats/set-limit.ts'
import { callerOf, type Authenticate } from './authenticate.ts'
import { readBody } from './body.ts'
import { problemResponse, RefusalException } from './problem.ts'

/** Options of {@link seatgateRouter}. */
export interface RouterOptions {
  /** Tells who is asking. */
  readonly authenticate: Authenticate
}

interface RouterEnv {
  Variables: { readonly caller: Caller }
}

/**
 * The ready routes: organizations, members, seats and the audit trail. Refusals are
 * `application/problem+json`; every POST takes an `Idempotency-Key`.
 *
 * @throws {TypeError} if `authenticate` is not a function.
 *
 * @example
 * ```ts
 * const app = new Hono().route('/', seatgateRouter(seatgate, { authenticate }))
 * ```
 */
export function seatgateRouter(seatgate: Seatgate, { authenticate }: RouterOptions) {
  if (typeof authenticate !== 'function') {
    throw new TypeError('seatgateRouter: authenticate must be a function.')
  }
  const router = new Hono<RouterEnv>()

  router.onError((error) => {
    if (error instanceof RefusalException) return error.getResponse()
    if (!(error instanceof StoreUnavailable)) throw error
    seatgate.report({ event: 'store_unavailable', error: error.cause })
    return problemResponse({ code: 'unavailable' })
  })

  for (const path of ['/organizations', '/organizations/*']) {
    router.use(path, async (c, next) => {
      const caller = await callerOf(authenticate, c)
      if (!caller.ok) throw new RefusalException(caller.error)
      c.set('caller', caller.value)
      await next()
    })
  }

  router.post('/organizations', async (c) => {
    const { input, options } = await readOperation(c)
    return answer(c, await createOrganization(seatgate, scope(c), input, options), 201)
  })
  router.get('/organizations', async (c) =>
    answer(c, await listOrganizations(seatgate, scope(c), c.req.query()))
  )
  router.get('/organizations/:org', async (c) =>
    answer(c, await getOrganization(seatgate, inOrganization(c)))
  )
  router.patch('/organizations/:org', async (c) =>
    answer(c, await renameOrganization(seatgate, inOrganization(c), await readBody(c)))
  )

  router.get('/organizations/:org/members', async (c) =>
    answer(c, await listMembers(seatgate, inOrganization(c), c.req.query()))
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
  router.delete('/organizations/:org/members/:userId', async (c) => {
    const removed = await removeMember(seatgate, inOrganization(c), c.req.param('userId'))
    return removed.ok ? c.body(null, 204) : problemResponse(removed.error)
  })

  router.get('/organizations/:org/seats', async (c) =>
    answer(c, await seatUsage(seatgate, inOrganization(c)))
  )
  router.put('/organizations/:org/seats/limit', async (c) =>
    answer(c, await setSeatLimit(seatgate, inOrganization(c), await readBody(c)))
  )

  router.get('/organizations/:org/audit', async (c) =>
    answer(c, await listAuditEvents(seatgate, inOrganization(c), c.req.query()))
  )

  return router
}

function scope(c: Context<RouterEnv>) {
  // Cloudflare's own id of the request. Elsewhere a client may send the header: it is kept as a mark
  // of at most 64 characters, and nothing is decided on it.
  const requestId = c.req.header('cf-ray') ?? ''
  return { caller: c.var.caller, ...(/^[\w-]{1,64}$/.test(requestId) && { requestId }) }
}

function inOrganization(c: Context<RouterEnv>) {
  return { ...scope(c), organization: c.req.param('org') ?? '' }
}

// A bad key is bad input, and waits its turn like any other.
async function readOperation(
  c: Context
): Promise<{ readonly input: unknown; readonly options: OperationOptions }> {
  const operationId = c.req.header('idempotency-key')
  if (operationId === undefined) return { input: await readBody(c), options: {} }
  if (/^[\x21-\x7e]{1,255}$/.test(operationId)) {
    return { input: await readBody(c), options: { operationId } }
  }
  const errors = { 'Idempotency-Key': ['Must be 1 to 255 visible ASCII characters.'] }
  return { input: new UnreadableInput(invalid(errors)), options: {} }
}

function answer<T extends object>(c: Context, result: Result<T>, status: 200 | 201 = 200) {
  return result.ok ? c.json(result.value, status) : problemResponse(result.error)
}
