import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  billingWebhooks,
  paymentRoutes,
  problemResponse,
  seatgateRouter,
  stepUpRoutes,
} from '../../../src/hono/index.ts'
import { billing } from '../../../src/index.ts'
import {
  adapterOf,
  anOperator,
  asUser,
  byName,
  clientOf,
  devBilling,
  fullTeam,
  Hono,
  host,
  hostOf,
  ownRoleRoutes,
  postInvitation,
  type Client,
  wildRequests,
  type Known,
  type KnownRoute,
  type WildRequest,
  FUZZ,
  PLANS,
  createKit,
  stepUp,
  testEnv,
} from '../../kit/index.ts'

// Each part has a team of its own: what a request does to it leaves the next ones with less to find.
const PARTS = 5
const SQL_TEXT =
  /\b(?:select\s.+\sfrom|insert\s+into|delete\s+from|update\s+\w+\s+set|sqlite|d1_error|no such (?:table|column)|constraint failed|syntax error|guard:)/i

const { seatgate } = createKit({
  lifecycle: { onDelete: (statements) => ({ ok: true, statements: [...statements] }) },
  billing: billing({ plans: PLANS, baseSeats: 'unlimited' }),
})
const router = seatgateRouter(seatgate, { authenticate: byName, signIn: async () => 'session' })
const dev = devBilling(testEnv.DB, 'http://seatgate.test')
const adapter = adapterOf(stepUp)
// A host says itself what it answers for paths that are not the router's.
const app = new Hono()
  .route('/', router)
  .route('/', ownRoleRoutes())
  .route('/', paymentRoutes(seatgate, dev.connection, { authenticate: byName }))
  .route('/', billingWebhooks(seatgate, dev.connection))
  .route(
    '/',
    stepUpRoutes(
      seatgate,
      hostOf(() => adapter),
      { authenticate: byName }
    )
  )
  .route('/', dev.routes(seatgate))
  .notFound(() => problemResponse({ code: 'not_found' }))
const bare = clientOf((url, init) => app.request(url, init))

const OWN: readonly KnownRoute[] = [
  { method: 'POST', path: '/identity/sign-up' },
  { method: 'POST', path: '/identity/sign-in' },
  { method: 'POST', path: '/identity/sign-out' },
]

/** Every route there is, as the router itself has them. */
function routesOf({ routes }: Pick<Hono, 'routes'>): readonly KnownRoute[] {
  const own = routes.filter(({ method }) => method !== 'ALL')
  const once = new Map(own.map(({ method, path }) => [`${method} ${path}`, { method, path }]))
  return [...once.values()]
}

/** What is wrong with an answer; null if nothing is. */
async function mistakeOf(
  response: Response,
  { method, path }: WildRequest
): Promise<string | null> {
  const { status } = response
  const text = await response.text()
  if (status >= 500) return `answers ${status}: ${text}`
  if (status < 400) return null
  if (SQL_TEXT.test(text)) return `has SQL in it: ${text}`
  const type = response.headers.get('content-type')
  // A provider gets no explanation.
  if (path.startsWith('/billing/webhooks/') && text === '{"received":false}') return null
  if (type !== 'application/problem+json') return `answers ${status} as ${type}: ${text}`
  if (method === 'HEAD') return null
  const problem = JSON.parse(text) as { code?: unknown; status?: unknown; errors?: unknown }
  if (typeof problem.code !== 'string' || problem.status !== status) return `is no problem: ${text}`
  const messages = Object.values(problem.errors ?? {}) as string[][]
  if (messages.some((each) => new Set(each).size !== each.length)) return `repeats itself: ${text}`
  return null
}

async function send(client: Client, request: WildRequest) {
  const { method, path, headers, body } = request
  const response = await client.fetch(path, {
    method,
    headers,
    redirect: 'manual',
    ...(body !== null && { body: new Uint8Array(body) }),
  })
  return mistakeOf(response, request)
}

async function check(client: Client, routes: readonly KnownRoute[], known: Known, part: number) {
  await fc.assert(
    fc.asyncProperty(wildRequests(routes, known), async (request) => {
      expect(await send(client, request)).toBeNull()
    }),
    {
      seed: FUZZ.seed + part,
      numRuns: Math.ceil(FUZZ.requests / 2 / PARTS),
      endOnFailure: true,
    }
  )
}

async function knownNames() {
  const { owner, admin, member, stranger, organization } = await fullTeam()
  const invitation = await postInvitation(organization, owner, 'invited@example.com')
  const paid = { event: 'checkout_completed', plan: 'team', seats: 20 }
  expect((await bare.post(`/dev/billing/${organization.id}`, paid)).status).toBe(202)
  const role = { name: 'auditor', permissions: ['audit:read'] }
  const roles = `/organizations/${organization.id}/roles`
  expect((await bare.post(roles, role, asUser(owner))).status).toBe(201)
  const people = [owner, admin, member, stranger]
  const names = [
    organization.id,
    organization.id,
    organization.slug,
    invitation.id,
    'webhook',
    'stripe',
    'auditor',
    ...people.map(({ userId }) => userId),
  ]
  return { people, names }
}

describe('requests of every kind', () => {
  it('are made for every route', () => {
    expect(routesOf(app).length).toBeGreaterThan(75)
  })

  it.each(Array.from({ length: PARTS }, (_, part) => part))(
    'are answered by the reference host without a 5xx, as problems and without SQL (%i)',
    async (part) => {
      const { people, names } = await knownNames()
      const callers = [...people.map(({ token }) => `Bearer ${token}`), 'Bearer x']
      await check(host, [...routesOf(router), ...OWN], { names, callers }, part)
    }
  )

  it.each(Array.from({ length: PARTS }, (_, part) => part))(
    'are answered by the router alone in the same way to operators and people (%i)',
    async (part) => {
      const { people, names } = await knownNames()
      const own = people.map((each) => `Bearer ${asUser(each)}`)
      const callers = [...own, `Bearer ${anOperator}`]
      await check(bare, routesOf(app), { names, callers }, PARTS + part)
    }
  )
})
