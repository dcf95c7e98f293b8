import { beforeAll, describe, expect, it } from 'vitest'
import { registration } from '../../../host/identity/routes.ts'
import { seatgateRouter } from '../../../src/hono/index.ts'
import { joinRules, webhookSink, type InvitationWithToken } from '../../../src/index.ts'
import {
  anOperator,
  byName,
  ownRoleRoutes,
  clientOf,
  db,
  postOrganization,
  people,
  rowCounts,
  seatgateWith,
  type Person,
  testEnv,
  PASSWORD,
} from '../../kit/index.ts'

const looked: string[] = []
let isThere = false
const seatgate = seatgateWith({
  sinks: [webhookSink({ url: 'https://logs.example.com/', secret: null })],
  registerUser: registration(db),
  joining: joinRules({
    verifyDomain: ({ name }) => {
      looked.push(name)
      return isThere
    },
  }),
})
const router = seatgateRouter(seatgate, { authenticate: byName, signIn: async () => 'a token' })
router.route('/', ownRoleRoutes())
const client = clientOf((url, init) => router.request(url, init))

/** The POST routes, as the router has them: one more is tested too. */
const posts = [
  ...new Set(router.routes.filter(({ method }) => method === 'POST').map(({ path }) => path)),
]

/** Those that take no key, and why. */
const WITHOUT_KEY: Readonly<Record<string, string>> = {
  '/organizations/switch': 'It sets a value: repeated, it sets the same one.',
  '/invitations/view': 'It reads.',
  '/invitations/decline': 'The token is enough: there may be no caller whose key it could be.',
  '/invitations/accept-with-signup': 'There is no caller yet whose key it could be.',
}

const CSV = { 'content-type': 'text/csv' }
const id = crypto.randomUUID()
const invitee = () => ({ email: `${crypto.randomUUID()}@example.com`, role: 'member' })

/** What the routes are sent: where it is refused, the refusal is the answer to be repeated. */
const BODIES: Readonly<Record<string, () => unknown>> = {
  '/organizations': () => ({ name: 'Acme' }),
  '/organizations/:org/slug': () => ({ slug: 'other', confirmSlug: 'wrong', password: PASSWORD }),
  '/organizations/:org/transfer': () => ({ userId: id, password: PASSWORD }),
  '/organizations/:org/members': () => ({ userId: candidate.userId, role: 'member' }),
  '/organizations/:org/members/import': () => `email,role\n${invitee().email},member\n`,
  '/organizations/:org/invitations': invitee,
  '/organizations/:org/invitations/bulk': () => ({ invitations: [invitee()] }),
  '/organizations/:org/domains': () => ({ domain: 'acme.example' }),
  '/organizations/:org/join-requests/:id/approve': () => ({ role: 'member' }),
  '/organizations/:org/audit/sinks/:sink/replay': () => ({ from_sequence: 1 }),
  '/organizations/:org/audit/sinks/:sink/dead-letters/requeue': () => ({}),
  '/organizations/:org/roles': () => ({ name: 'auditor', permissions: ['audit:read'] }),
  '/join-requests': () => ({ organizationId: organization }),
}

let organization: string
let owner: Person
let candidate: Person
let guest: Person
let token: string
let invited: InvitationWithToken
beforeAll(async () => {
  ;[owner, candidate, guest] = (await people(3)) as [Person, Person, Person]
  organization = (await postOrganization(owner)).id
  token = `operator:${owner.userId}`
  const path = `/organizations/${organization}/invitations`
  const address = { email: guest.email, role: 'member' }
  invited = await (await client.post(path, address, token)).json()
})

const pathOf = (route: string) =>
  route
    .replace(':org', organization)
    .replace(':userId', candidate.userId)
    .replace(':sink', 'webhook')
    .replace(':id', id)

/** Sends a request under a key, as often as asked for. */
async function repeated(route: string, body: unknown, by: string, times: number) {
  const key = { 'idempotency-key': `${route} ${crypto.randomUUID()}`.replaceAll(' ', '-') }
  const headers = { ...key, ...(typeof body === 'string' && CSV) }
  const answers: { status: number; text: string }[] = []
  for (let time = 1; time <= times; time++) {
    const answer = await client.post(pathOf(route), body, by, headers)
    answers.push({ status: answer.status, text: await answer.text() })
  }
  const other = await client.post('/organizations', { name: 'Another' }, by, key)
  return { answers, other: await other.json<{ code?: string }>() }
}

describe('a POST', () => {
  it('is one of the listed routes', () => {
    expect(posts.length).toBeGreaterThan(20)
    const listed = [...Object.keys(WITHOUT_KEY), ...Object.keys(BODIES)]
    expect(listed.filter((path) => !posts.includes(path))).toEqual([])
  })

  const keyed = posts.filter((path) => !(path in WITHOUT_KEY) && path !== '/invitations/accept')

  it.each(keyed)(
    'under an Idempotency-Key is answered as the first time: %s [C6]',
    async (route) => {
      const { answers, other } = await repeated(route, BODIES[route]?.(), token, 3)
      const [first] = answers
      expect(first!.status).toBeLessThan(500)
      expect(answers).toEqual([first, first, first])
      expect(other.code).toBe('idempotency_mismatch')
    }
  )

  it('under an Idempotency-Key is answered as the first time: /invitations/accept [C6]', async () => {
    const by = `user:${guest.userId}`
    const { answers, other } = await repeated(
      '/invitations/accept',
      { token: invited.token },
      by,
      2
    )
    expect(answers[0]!.status).toBe(200)
    expect(answers[1]).toEqual(answers[0])
    expect(other.code).toBe('idempotency_mismatch')
  })

  it('rebuilds seats once under a key [C6]', async () => {
    const breakCount = () =>
      testEnv.DB.prepare('UPDATE seatgate_member_counts SET active = 7 WHERE organization_id = ?')
        .bind(organization)
        .run()
    await breakCount()
    const path = `/operator/organizations/${organization}/seats/rebuild`
    const rebuild = async (key: string) => {
      const answer = await client.post(path, undefined, anOperator, { 'idempotency-key': key })
      return answer.json<{ repaired: unknown[] }>()
    }
    const first = await rebuild('rebuild-1')
    expect(first.repaired).toHaveLength(1)
    await breakCount()
    const before = await rowCounts()
    expect(await rebuild('rebuild-1')).toEqual(first)
    expect(await rowCounts()).toEqual(before)
    expect((await rebuild('rebuild-2')).repaired).toHaveLength(1)
  })

  it('looks for the record of a domain once under a key [C6]', async () => {
    const path = `/organizations/${organization}/domains`
    const domain = `${crypto.randomUUID()}.example`
    const added = await client.post(path, { domain }, token)
    const { id: domainId } = await added.json<{ id: string }>()
    const verify = async (key: string) => {
      const headers = { 'idempotency-key': key }
      const answer = await client.post(`${path}/${domainId}/verify`, undefined, token, headers)
      return { status: answer.status, text: await answer.text() }
    }
    looked.length = 0
    const missing = await verify('verify-1')
    expect(missing.status).toBe(409)
    isThere = true
    expect(await verify('verify-1')).toEqual(missing)
    expect(looked).toHaveLength(1)
    const verified = await verify('verify-2')
    expect(verified.status).toBe(200)
    await client.delete(`${path}/${domainId}`, token)
    expect(await verify('verify-2')).toEqual(verified)
    expect(looked).toHaveLength(2)
  })
})
