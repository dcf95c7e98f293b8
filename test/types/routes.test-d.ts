/**
 * The routes as a client sees them. `tsc` is the test: an expected error that does not come is an error.
 */
import { Hono } from 'hono'
import { hc } from 'hono/client'
import {
  memberRoutes,
  organizationRoutes,
  problemResponse,
  seatgateRouter,
  type SeatgateRouter,
} from '../../src/hono/index.ts'
import {
  addMember,
  createSeatgate,
  d1Seats,
  invitations,
  joinRules,
  type OrganizationScope,
  type Seatgate,
  type SeatgateOptions,
} from '../../src/index.ts'

declare const seatgate: Seatgate
declare const options: SeatgateOptions
declare const scope: OrganizationScope
declare const routing: { readonly authenticate: () => null }

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false

const app = new Hono().route('/', seatgateRouter(seatgate, routing))
const client = hc<typeof app>('https://seats.example.com')
const org = 'acme'

// Inputs.
const add = client.organizations[':org'].members.$post
void add({ param: { org }, json: { userId: 'u1', role: 'member' } })
// @ts-expect-error: a user id is a string
void add({ param: { org }, json: { userId: 1, role: 'member' } })
// @ts-expect-error: the role is missing
void add({ param: { org }, json: { userId: 'u1' } })
// @ts-expect-error: the organization is missing
void add({ json: { userId: 'u1', role: 'member' } })
void client.organizations.$get({ query: { limit: '20' } })
// @ts-expect-error: there is no such parameter
void client.organizations.$get({ query: { size: '20' } })
// @ts-expect-error: there is no such route
void client.organizations[':org'].colours.$get({ param: { org } })
// @ts-expect-error: members are not replaced
void client.organizations[':org'].members.$put({ param: { org } })

// Answers.
const added = await add({ param: { org }, json: { userId: 'u1', role: 'member' } })
if (added.ok) {
  const membership = await added.json()
  void membership.userId.toUpperCase()
  const instant: string = membership.createdAt
  void instant
  // @ts-expect-error: a membership has no price
  void membership.price
  const created: Same<typeof added.status, 200 | 201> = true
  void created
}
// @ts-expect-error: adding a member never answers 202
void (added.status === 202)

// Refusals by status and code.
if (added.status === 409) {
  const problem = await added.json()
  if (problem.code === 'seat_limit_reached') void (problem.limit - problem.used)
  // @ts-expect-error: not every conflict has a limit
  void problem.limit
  // @ts-expect-error: adding a member leaves every owner
  void (problem.code === 'last_owner')
  const conflict: 409 = problem.status
  void conflict
}
if (added.status === 422) {
  const problem = await added.json()
  if (problem.code === 'validation_error') void problem.errors['userId']?.[0]
}
if (added.status === 401) {
  const problem = await added.json()
  const code: 'unauthenticated' = problem.code
  void code
}
if (added.status === 403) {
  const problem = await added.json()
  void (problem.code === 'cross_site_request')
  if (problem.code === 'hook_refused') void problem.reason.length
}
// A read is not refused as a change is.
const listed = await client.organizations.$get({ query: {} })
if (listed.ok) {
  const page = await listed.json()
  const next: string | null = page.nextCursor
  void [next, page.data[0]?.organization.slug]
}
// @ts-expect-error: a page is refused neither for its origin nor for a role
void (listed.status === 403)

// A part that is not passed is not in the type.
const bare = createSeatgate({ database: options.database, seats: d1Seats(), sessions: 'none' })
const own = hc<SeatgateRouter<typeof bare>>('/')
void own.organizations[':org'].seats.$get({ param: { org } })
// @ts-expect-error: invitations are not configured
void own.organizations[':org'].invitations
// @ts-expect-error: joining is not configured
void own['joinable-organizations']
// @ts-expect-error: there is no log
void own.organizations[':org'].audit.checkpoint
// @ts-expect-error: forwarding is not configured
void own.organizations[':org'].audit.sinks
const inviting = createSeatgate({
  ...options,
  invitations: invitations({ secret: 'a secret' }),
  joining: joinRules({ verifyDomain: () => true }),
})
const router = seatgateRouter(inviting, routing)
const invite = hc<typeof router>('/').organizations[':org'].invitations.$post
const invited = await invite({ param: { org }, json: { email: 'a@example.com', role: 'member' } })
if (invited.status === 201) void (await invited.json()).token.length
void hc<typeof router>('/').invitations.accept.$post({ json: { token: 't' } })
// @ts-expect-error: a token is a text
void hc<typeof router>('/').invitations.accept.$post({ json: { token: 7 } })

// Groups that are mounted by themselves, under a path of the host, beside its own routes.
const some = new Hono()
  .basePath('/api')
  .route('/', organizationRoutes(seatgate, routing))
  .route('/', memberRoutes(seatgate, routing))
  .post('/organizations/:org/guests', async (c) => {
    const guest = await addMember(seatgate, scope, { userId: 'u1', role: 'member' })
    return guest.ok ? c.json({ guest: true }, 201) : problemResponse(guest.error)
  })
const api = hc<typeof some>('/').api
void api.organizations[':org'].members.$get({ param: { org }, query: { limit: 20 } })
// @ts-expect-error: seats are not mounted
void api.organizations[':org'].seats
const guest = await api.organizations[':org'].guests.$post({ param: { org } })
if (guest.status === 503) {
  const problem = await guest.json()
  void (problem.code === 'seats_unavailable')
  // @ts-expect-error: not a refusal of this status
  void (problem.code === 'already_member')
}
