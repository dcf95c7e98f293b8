/**
 * Every operation of the ready router is called, and its exchanges are kept as the examples of
 * `openapi.json`; `--update` records them. `test/package/openapi.test.ts` checks them against the document.
 */
import { expect, it } from 'vitest'
import { registration } from '../../../host/identity/routes.ts'
import { seatgateRouter } from '../../../src/hono/index.ts'
import { generateLogKey, joinRules } from '../../../src/index.ts'
import {
  byName,
  db,
  PASSWORD,
  people,
  seatgateWith,
  settled,
  sinkOf,
  testEnv,
  type Person,
} from '../../kit/index.ts'

interface Asked {
  readonly as?: string | null
  readonly param?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, string>>
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

interface Exchange {
  readonly method: string
  readonly path: string
  readonly body?: unknown
  readonly status: number
  readonly answer?: unknown
}

async function application() {
  const { privateKey } = await generateLogKey('audit.example.com')
  const seatgate = seatgateWith({
    auditLogKey: privateKey,
    sinks: [sinkOf('siem')],
    registerUser: registration(db),
    joining: joinRules({ verifyDomain: () => true }),
    lifecycle: { onDelete: () => ({ ok: true, statements: [] }) },
    defaultSeatLimit: 50,
  })
  return seatgateRouter(seatgate, {
    authenticate: byName,
    signIn: async () => 'session-token',
    mfaCheck: () => true,
  })
}

it('records the exchanges of every operation', async () => {
  const router = await application()
  const exchanges: Exchange[] = []
  const settle = settled()

  // oxlint-disable-next-line typescript/no-explicit-any -- Each answer has its own members.
  async function send(route: string, asked: Asked = {}): Promise<any> {
    const [method = '', path = ''] = route.split(' ')
    const { as = null, param = {}, query = {}, body, headers = {} } = asked
    const filled = path.replaceAll(/:(\w+)/g, (_, name: string) => param[name] ?? 'missing')
    const isText = typeof body === 'string'
    const response = await router.request(`${filled}?${new URLSearchParams(query).toString()}`, {
      method,
      headers: {
        ...(as !== null && { authorization: `Bearer ${as}` }),
        ...(body !== undefined && { 'content-type': isText ? 'text/csv' : 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: isText ? body : JSON.stringify(body) }),
    })
    const isJson = response.headers.get('content-type')?.includes('json') ?? false
    const answer: unknown =
      isJson && !(response.ok && path.endsWith('/export')) ? await response.json() : null
    exchanges.push({
      method,
      path,
      ...(body !== undefined && { body: settle(body) }),
      status: response.status,
      ...(answer !== null && { answer: settle(answer) }),
    })
    if (answer === null) await response.body?.cancel()
    return answer
  }

  const [owner, other, third, fourth, invitee, joiner, second, last] = (await people(8)) as [
    Person,
    Person,
    Person,
    Person,
    Person,
    Person,
    Person,
    Person,
  ]
  await testEnv.DB.prepare('update users set email_verified_at = 1').run()
  const by = ({ userId }: Person) => `user:${userId}`
  const as = by(owner)
  const operator = `operator:${owner.userId}`
  const { id: org } = await send('POST /organizations', {
    as,
    body: { name: 'Acme', slug: 'acme' },
  })
  const param = { org }
  const spare = await send('POST /organizations', { as, body: { name: 'Spare', slug: 'spare' } })

  await send('GET /organizations', { as })
  await send('GET /organizations/:org', { as, param })
  await send('PATCH /organizations/:org', { as, param, body: { name: 'Acme Ltd' } })
  await send('PUT /organizations/:org/mfa-policy', { as, param, body: { enabled: false } })
  const slug = { slug: 'acme-ltd', confirmSlug: 'acme', password: PASSWORD }
  await send('POST /organizations/:org/slug', { as, param, body: slug })
  await send('GET /o/:org', { as, param: { org: 'spare' } })
  await send('PUT /active-organization', { as, body: { organizationId: null } })
  await send('GET /active-organization', { as })
  await send('POST /organizations/switch', { as, body: { organization_id: org } })

  for (const { userId } of [other, third, fourth]) {
    await send('POST /organizations/:org/members', { as, param, body: { userId, role: 'member' } })
  }
  await send('POST /organizations/:org/members', {
    as,
    param,
    body: { userId: other.userId, role: 'member' },
  })
  await send('POST /organizations/:org/members', {
    as,
    param,
    body: { userId: other.userId, role: 'admin' },
  })
  await send('GET /organizations/:org/members', { as, param })
  await send('GET /organizations/:org/members/count', { as, param })
  const member = { org, userId: third.userId }
  await send('PATCH /organizations/:org/members/:userId', {
    as,
    param: member,
    body: { role: 'admin' },
  })
  await send('PATCH /organizations/:org/members/:userId', {
    as,
    param: { org, userId: owner.userId },
    body: { role: 'member' },
  })
  await send('POST /organizations/:org/members/:userId/suspend', { as, param: member })
  await send('POST /organizations/:org/members/:userId/restore', { as, param: member })
  await send('DELETE /organizations/:org/members/:userId', {
    as,
    param: { org, userId: fourth.userId },
  })

  const invite = (email: string) => ({ email, role: 'member' })
  const invited = await send('POST /organizations/:org/invitations', {
    as,
    param,
    body: invite(invitee.email),
  })
  await send('POST /organizations/:org/invitations', {
    as,
    param,
    body: { email: 'no address', role: 'member' },
  })
  await send('GET /organizations/:org/invitations', { as, param })
  await send('GET /invitations', { as: by(invitee) })
  const one = { org, id: invited?.id ?? '' }
  await send('PATCH /organizations/:org/invitations/:id', {
    as,
    param: one,
    body: { role: 'admin' },
  })
  const again = await send('POST /organizations/:org/invitations/:id/resend', { as, param: one })
  await send('POST /invitations/view', { as: by(invitee), body: { token: again?.token } })
  await send('POST /invitations/accept', { as: by(invitee), body: { token: again?.token } })
  await send('POST /invitations/accept', { as: by(invitee), body: { token: 'none' } })
  const rows = { invitations: [invite('b@example.com'), invite('c@example.com')] }
  const bulk = await send('POST /organizations/:org/invitations/bulk', { as, param, body: rows })
  await send('POST /organizations/:org/members/import', {
    as,
    param,
    body: 'email,role\nd@example.com,member\n',
  })
  const declined = bulk?.data?.[0]?.invitation
  await send('POST /invitations/decline', { body: { token: declined?.token } })
  await send('DELETE /organizations/:org/invitations/:id', {
    as,
    param: { org, id: bulk?.data?.[1]?.invitation?.id },
  })
  const newcomer = await send('POST /organizations/:org/invitations', {
    as,
    param,
    body: invite('new@example.com'),
  })
  const signUp = {
    token: newcomer?.token,
    email: 'new@example.com',
    password: PASSWORD,
    name: 'New',
  }
  await send('POST /invitations/accept-with-signup', { body: signUp })

  const domain = await send('POST /organizations/:org/domains', {
    as,
    param,
    body: { domain: 'example.com', mode: 'request' },
  })
  const placed = { org, id: domain?.id ?? '' }
  await send('GET /organizations/:org/domains', { as, param })
  await send('POST /organizations/:org/domains/:id/verify', { as, param: placed })
  await send('PATCH /organizations/:org/domains/:id', {
    as,
    param: placed,
    body: { mode: 'request' },
  })
  await send('GET /joinable-organizations', { as: by(joiner) })
  const ask = async (who: Person) =>
    (await send('POST /join-requests', { as: by(who), body: { organizationId: org } }))?.request?.id
  const wanted = [await ask(joiner), await ask(second), await ask(last)]
  await send('GET /organizations/:org/join-requests', { as, param })
  const request = (id: string) => ({ as, param: { org, id } })
  const path = 'POST /organizations/:org/join-requests/:id'
  await send(`${path}/approve`, { ...request(wanted[0]), body: {} })
  await send(`${path}/decline`, request(wanted[1]))
  await send('DELETE /join-requests/:id', { as: by(last), param: { id: wanted[2] } })
  await send('DELETE /organizations/:org/domains/:id', { as, param: placed })

  await send('GET /organizations/:org/seats', { as, param })
  await send('GET /organizations/:org/seats/explain', { as, param })
  await send('GET /organizations/:org/billing', { as, param })
  await send('GET /organizations/:org/audit', { as, param, query: { limit: '2' } })
  await send('GET /organizations/:org/audit', { as, param, query: { cursor: 'none' } })
  await send('GET /organizations/:org/audit/count', { as, param })
  await send('GET /organizations/:org/audit/seats', {
    as,
    param,
    query: { at: new Date().toISOString() },
  })
  await send('GET /organizations/:org/audit/export', { as, param })
  await send('GET /organizations/:org/audit/checkpoint', { as, param })
  await send('GET /organizations/:org/audit/proof', { as, param, query: { sequence: '1' } })
  await send('GET /organizations/:org/audit/consistency', {
    as,
    param,
    query: { from: '1', to: '2' },
  })
  const sink = { org, sink: 'siem' }
  await send('GET /organizations/:org/audit/sinks', { as, param })
  await send('GET /organizations/:org/audit/sinks/:sink/attempts', { as, param: sink })
  await send('GET /organizations/:org/audit/sinks/:sink/dead-letters', { as, param: sink })
  await send('POST /organizations/:org/audit/sinks/:sink/replay', {
    as,
    param: sink,
    body: { fromSequence: 1 },
  })
  await send('POST /organizations/:org/audit/sinks/:sink/pause', { as, param: sink })
  await send('POST /organizations/:org/audit/sinks/:sink/resume', { as, param: sink })
  await send('POST /organizations/:org/audit/sinks/:sink/dead-letters/requeue', {
    as,
    param: sink,
    body: {},
  })

  const admin = { as: operator, param }
  await send('PUT /organizations/:org/seats/limit', { ...admin, body: { limit: 20 } })
  await send('GET /operator/health', admin)
  await send('GET /operator/organizations', admin)
  await send('GET /operator/organizations/:org', admin)
  await send('PUT /operator/organizations/:org/entitlement', {
    ...admin,
    body: { included: 5, reason: 'sales' },
  })
  await send('GET /operator/organizations/:org/entitlement', admin)
  await send('GET /operator/organizations/:org/seats/verify', admin)
  await send('POST /operator/organizations/:org/seats/rebuild', admin)
  await send('GET /operator/organizations/:org/audit', { ...admin, query: { limit: '1' } })
  await send('GET /operator/organizations/:org/audit/count', admin)
  await send('GET /operator/audit', admin)
  await send('GET /operator/users/:userId/audit', { as: operator, param: { userId: other.userId } })

  await send('POST /organizations/:org/members', {
    as,
    param,
    body: { userId: fourth.userId, role: 'member' },
  })
  await send('POST /organizations/:org/transfer', {
    as,
    param,
    body: { userId: other.userId, password: PASSWORD },
  })
  await send('DELETE /organizations/:org', {
    as,
    param: { org: spare?.id },
    body: { confirmName: 'Other', password: PASSWORD },
  })
  await send('DELETE /organizations/:org', {
    as,
    param: { org: spare?.id },
    body: { confirmName: 'Spare', password: PASSWORD },
  })
  await send('POST /operator/organizations/:org/restore', {
    as: operator,
    param: { org: spare?.id },
  })
  await send('DELETE /users/me', { as: by(third), body: { password: PASSWORD } })

  // On every operation: without an identity, as a stranger, with a body that is no JSON, from another site.
  const routes = [
    ...new Set(
      router.routes
        .filter(({ method }) => method !== 'ALL')
        .map((one) => `${one.method} ${one.path}`)
    ),
  ].toSorted()
  for (const route of routes) {
    const values = { org, userId: other.userId, id: org, sink: 'siem' }
    await send(route, { param: values })
    await send(route, { as: by(second), param: values })
    if (route.startsWith('GET')) {
      await send(route, { as, param: values, query: { colour: 'red' } })
      continue
    }
    const foreign = { 'sec-fetch-site': 'cross-site', cookie: 'session=x' }
    await send(route, { param: values, headers: foreign })
    const text = { 'content-type': 'text/plain' }
    await send(route, { as: operator, param: values, body: {}, headers: text })
    await send(route, { as: operator, param: values, body: { oddity: true } })
  }

  const first = new Map(
    exchanges
      .map((one) => {
        const { code } = (one.answer ?? {}) as { code?: string }
        return [[one.path, one.method, one.status, code].join(' '), one] as const
      })
      .toReversed()
  )
  const kept = [...first].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one)
  const text = `${JSON.stringify({ routes, exchanges: kept }, null, 1)}\n`
  await expect(text).toMatchFileSnapshot('exchanges.json')
})
