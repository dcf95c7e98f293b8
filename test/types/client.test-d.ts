/**
 * The client as an application sees it. `tsc` is the test: an expected error that does not come is an
 * error.
 */
import { Hono } from 'hono'
import { createClient, type ClientFailure } from '../../src/client/index.ts'
import { seatgateRouter, type SeatgateRouter } from '../../src/hono/index.ts'
import type { GroupRoutes } from '../../src/hono/groups/index.ts'
import type { ImpersonationRoutes } from '../../src/hono/impersonation/index.ts'
import { apiKeys, createApiKey, keyRoutes, type KeyRoutes } from '../../src/hono/keys/index.ts'
import { roleRoutes, type RoleRoutes } from '../../src/hono/roles/index.ts'
import type { ScimTokenRoutes } from '../../src/hono/scim/index.ts'
import {
  createSeatgate,
  d1Seats,
  permissions,
  type RefusalCode,
  type Seatgate,
  type SeatgateOptions,
} from '../../src/index.ts'
import { useMembers, useOrganization, useSeats } from '../../src/react/index.ts'

declare const seatgate: Seatgate
declare const options: SeatgateOptions
declare const routing: { readonly authenticate: () => null }

const client = createClient()
const param = { org: 'acme' }

// Inputs.
void client.get('/organizations')
void client.get('/organizations', { query: { limit: 10 } })
void client.post('/organizations/:org/members', { param, json: { userId: 'u1', role: 'member' } })
// @ts-expect-error: the body is missing
void client.post('/organizations/:org/members', { param })
// @ts-expect-error: a user id is a string
void client.post('/organizations/:org/members', { param, json: { userId: 1, role: 'member' } })
// @ts-expect-error: the path has a parameter
void client.get('/organizations/:org')
// @ts-expect-error: there is no such route
void client.get('/organisations')
// @ts-expect-error: seats are not posted
void client.post('/organizations/:org/seats', { param })
// @ts-expect-error: no list
void client.pages('/organizations/:org/seats', { param })

void client.get('/invitations')
void client.delete('/users/me', { json: { password: 'p' } })
// @ts-expect-error: the token is missing
void client.post('/invitations/accept-with-signup', { json: { email: 'a@example.com' } })

// Answers and refusals.
const added = await client.post('/organizations/:org/members', {
  param,
  json: { userId: 'u1', role: 'member' },
})
if (added.ok) {
  const { createdAt, userId }: { createdAt: string; userId: string } = added.value
  void [createdAt, userId]
  // @ts-expect-error: a membership has no price
  void added.value.price
} else {
  const { error } = added
  switch (error.code) {
    case 'seat_limit_reached':
      void (error.limit - error.used)
      break
    case 'validation_error':
      void error.errors['userId']
      break
    case 'unauthenticated':
      void (error.status satisfies 401)
      break
    case 'network_failure':
      void error.idempotencyKey?.length
      break
    case 'unexpected_response':
      void error.response.status
      break
    // @ts-expect-error: adding a member leaves every owner
    case 'last_owner':
      break
  }
  // @ts-expect-error: not every refusal has a limit
  void error.limit
}
const removed = await client.delete('/organizations/:org/members/:userId', {
  param: { org: 'acme', userId: 'u1' },
})
if (removed.ok) void (removed.value satisfies null)
const file = await client.get('/organizations/:org/audit/export', { param })
if (file.ok) void file.value.body
for await (const page of client.pages('/organizations/:org/members', { param })) {
  if (page.ok) void page.value.data[0]?.role.length
}

// An application of one's own.
const app = new Hono()
  .route('/', seatgateRouter(seatgate, routing))
  .get('/projects/:id', (c) => c.json({ title: 'One' }))
  .post('/projects', (c) =>
    c.req.header('x')
      ? c.json({ id: 'p1' }, 201)
      : c.json({ code: 'no_name', field: 'name' } as const, 400)
  )
const own = createClient<typeof app>()
const project = await own.get('/projects/:id', { param: { id: 'p1' } })
if (project.ok) void project.value.title.length
else {
  // A guard can refuse before the handler; what the handler returns with 200 is no error.
  void (project.error.code satisfies RefusalCode | ClientFailure['code'])
  if (project.error.code === 'seat_limit_reached') void project.error.limit
}
const made = await own.post('/projects')
if (made.ok) void (made.value satisfies { id: string })
else if (made.error.code === 'no_name') void (made.error.field satisfies 'name')
else if (made.error.code === 'organization_not_found') void made.error.title
// @ts-expect-error: no route and no guard has this code
else if (made.error.code === 'of_nothing') void made
// @ts-expect-error: there is no such route in the ready router
void client.get('/projects/:id', { param: { id: 'p1' } })

// API keys, which are mounted beside the router.
const keyed = createClient<KeyRoutes>()
const created = await keyed.post('/organizations/:org/api-keys', {
  param,
  json: { name: 'CI', permissions: ['members:invite'] },
})
if (created.ok) void (created.value.key satisfies string | null)
// @ts-expect-error: the name is missing
void keyed.post('/organizations/:org/api-keys', { param, json: { role: 'member' } })
// @ts-expect-error: an overlap is a number of hours
void keyed.post('/organizations/:org/api-keys/:id/rotate', { param, json: { overlapHours: '1' } })
const withKeys = createSeatgate({
  database: options.database,
  seats: d1Seats(),
  sessions: 'none',
  roles: {
    all: ['owner', 'admin'],
    owner: 'owner',
    permissions: permissions({ resources: { project: ['read'] }, grants: { admin: ['*'] } }),
  },
  keys: apiKeys(),
})
const scope = { caller: { userId: 'u1' }, organization: 'acme' }
void createApiKey(withKeys, scope, { name: 'CI', permissions: ['project:read'] })
// @ts-expect-error: there is no such permission
void createApiKey(withKeys, scope, { name: 'CI', permissions: ['project:delete'] })
// @ts-expect-error: there is no such role
void createApiKey(withKeys, scope, { name: 'CI', role: 'king' })

// Own roles, which are mounted beside the router.
const roled = createClient<RoleRoutes>()
const role = await roled.post('/organizations/:org/roles', {
  param,
  json: { name: 'auditor', permissions: ['audit:read'] },
})
if (role.ok) void (role.value.own satisfies boolean)
else if (role.error.code === 'role_in_use') void role.error.uses
// @ts-expect-error: the permissions are missing
void roled.post('/organizations/:org/roles', { param, json: { name: 'auditor' } })
const named = { org: 'acme', name: 'auditor' }
void roled.delete('/organizations/:org/roles/:name', {
  param: named,
  query: { replacement: 'member' },
})
// @ts-expect-error: there is no such field
void roled.patch('/organizations/:org/roles/:name', { param: named, json: { title: 'x' } })

// Groups, impersonations and SCIM tokens, which are mounted beside the router.
const grouped = createClient<GroupRoutes>()
const group = await grouped.post('/organizations/:org/groups', { param, json: { name: 'Sales' } })
if (group.ok) void (group.value.role satisfies string | null)
else if (group.error.code === 'validation_error') void group.error.errors
const inGroup = { org: 'acme', id: 'g1', userId: 'u1' }
void grouped.delete('/organizations/:org/groups/:id/members/:userId', { param: inGroup })
void grouped.pages('/organizations/:org/groups/:id/members', { param: { org: 'acme', id: 'g1' } })
const oneId = { param: inGroup, json: { userIds: 'u1' } }
// @ts-expect-error: user ids are a list
void grouped.post('/organizations/:org/groups/:id/members', oneId)

const acting = createClient<ImpersonationRoutes>()
const startPath = '/operator/organizations/:org/impersonations'
const reason = 'Ticket 4711: the import fails'
const started = await acting.post(startPath, {
  param,
  json: { userId: 'u1', reason, minutes: 15, password: 'p' },
})
if (started.ok) void (started.value.token satisfies string | null)
// @ts-expect-error: the reason is missing
void acting.post(startPath, { param, json: { userId: 'u1', minutes: 15, password: 'p' } })

const provisioned = createClient<ScimTokenRoutes>()
const tokens = await provisioned.get('/organizations/:org/scim-tokens', { param })
// @ts-expect-error: a list has no secret
if (tokens.ok) void tokens.value.data[0]?.token

// A part that is not passed is not in the type.
const bare = createSeatgate({ database: options.database, seats: d1Seats(), sessions: 'none' })
const small = createClient<SeatgateRouter<typeof bare>>()
void small.get('/organizations/:org/seats', { param })
// @ts-expect-error: invitations are not configured
void small.get('/organizations/:org/invitations', { param })
// @ts-expect-error: API keys are not configured
void keyRoutes(bare, routing)
// @ts-expect-error: own roles are not configured
void roleRoutes(bare, routing)
// @ts-expect-error: API keys are not configured
void createApiKey(bare, scope, { name: 'CI', role: 'admin' })

// Hooks take any of them.
const members = useMembers(own, 'acme', { limit: 10 })
void useOrganization(small, 'acme')
if (members.status === 'ready') void members.data[0]?.role.length
if (members.status === 'refused') void (members.error.code === 'organization_not_found')
const seats = useSeats(client, 'acme')
// @ts-expect-error: nothing is there while it loads
if (seats.status === 'loading') void seats.data.held
