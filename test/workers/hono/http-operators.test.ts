import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { deleteAccount, identityRoutes, passwordCheck } from '../../../host/identity/routes.ts'
import { hashPassword } from '../../../host/identity/password.ts'
import { users } from '../../../host/identity/schema.ts'
import { boundRates, networkOf, type RateLimit, type Rates } from '../../../host/identity/rate.ts'
import { sessionQuery, tokenOf } from '../../../host/identity/sessions.ts'
import { readSettings, type Variables } from '../../../host/settings.ts'
import { seatgateRouter } from '../../../src/hono/index.ts'
import {
  clientOf,
  db,
  host,
  postOrganization,
  people,
  person,
  problem,
  rowCounts,
  seatgateWith,
  type Person,
  NAMED,
  OWN,
  type Route,
  testEnv,
} from '../../kit/index.ts'

const texts = import.meta.glob(['../../../wrangler.toml'], {
  query: '?raw',
  import: 'default',
  eager: true,
})
const wrangler = texts['../../../wrangler.toml'] ?? ''

const newEmail = () => `${crypto.randomUUID()}@example.com`
const password = 'correct horse battery'

/** The reference host with variables of its own. */
function hostWith(variables: Variables, rates: Rates = {}) {
  const settings = readSettings({ ...variables, INVITATION_SECRET: 'x'.repeat(40) })
  const seatgate = seatgateWith({
    verifyPassword: passwordCheck(db),
    lifecycle: { onDelete: deleteAccount(db) },
  })
  const { verifiedAtSignUp } = settings
  const app = new Hono().route('/', identityRoutes(seatgate, { verifiedAtSignUp, rates })).route(
    '/',
    seatgateRouter(seatgate, {
      authenticate: async (c) => {
        const token = tokenOf(c)
        return token === null ? null : sessionQuery(db, token, settings.isOperator)
      },
    })
  )
  const client = clientOf((url, init) => app.request(url, init))
  const signUp = async (email: string) => {
    const answer = await client.post('/identity/sign-up', { email, password })
    const { user, token } = await answer.json<{ user: { id: string }; token: string }>()
    return { userId: user.id, email, token }
  }
  return { client, signUp }
}

async function mayAct(client: ReturnType<typeof clientOf>, token: string): Promise<boolean> {
  const owner = await person()
  const { id } = await postOrganization(owner)
  const answer = await client.put(`/organizations/${id}/seats/limit`, { limit: 5 }, token)
  if (answer.status !== 200) expect([403, 404]).toContain(answer.status)
  return answer.status === 200
}

const verify = (userId: string) =>
  testEnv.DB.prepare('UPDATE users SET email_verified_at = 1 WHERE id = ?').bind(userId).run()

describe('OPERATOR_EMAILS', () => {
  it('makes an operator once the address is verified, and not before [A8]', async () => {
    const email = newEmail()
    const { client, signUp } = hostWith({ OPERATOR_EMAILS: `other@example.com, ${email}` })
    const { userId, token } = await signUp(email)
    expect(await mayAct(client, token)).toBe(false)
    await verify(userId)
    expect(await mayAct(client, token)).toBe(true)
    const stranger = await signUp(newEmail())
    await verify(stranger.userId)
    expect(await mayAct(client, stranger.token)).toBe(false)
  })

  it('makes no operator of a user who signs up with the address of a deleted operator [A8]', async () => {
    const email = newEmail()
    const { client, signUp } = hostWith({ OPERATOR_EMAILS: email })
    const first = await signUp(email)
    await verify(first.userId)
    expect(await mayAct(client, first.token)).toBe(true)
    const deleted = await client.send('DELETE', '/users/me', { password }, first.token)
    expect(deleted.status).toBe(204)
    const second = await signUp(email)
    expect(second.userId).not.toBe(first.userId)
    expect(await mayAct(client, second.token)).toBe(false)
  })

  it('counts as verified at sign-up in development, and only these addresses do [A8]', async () => {
    const email = newEmail()
    const variables = { ENVIRONMENT: 'development', OPERATOR_EMAILS: email.toUpperCase() }
    const { client, signUp } = hostWith(variables)
    expect(await mayAct(client, (await signUp(email)).token)).toBe(true)
    const other = await signUp(newEmail())
    const verified = await testEnv.DB.prepare(
      'SELECT email_verified_at AS at FROM users WHERE id = ?'
    )
      .bind(other.userId)
      .first('at')
    expect(verified).toBeNull()
    expect(readSettings({ OPERATOR_EMAILS: email }).verifiedAtSignUp.size).toBe(0)
  })
})

describe('OPERATOR_USER_IDS', () => {
  it('makes operators by their ids, not by their addresses [A8]', async () => {
    const { userId, token } = await person()
    const other = await person()
    const { client } = hostWith({ OPERATOR_USER_IDS: `x, ${userId}` })
    expect(await mayAct(client, token)).toBe(true)
    expect(await mayAct(client, other.token)).toBe(false)
  })

  it.each<[string, Variables]>([
    ['nothing', {}],
    ['empty lists', { OPERATOR_EMAILS: ' , ,', OPERATOR_USER_IDS: ',' }],
  ])('makes no user an operator with %s [A8]', async (_what, variables) => {
    const { isOperator } = readSettings(variables)
    for (const [userId, email] of [
      ['', ''],
      ['x', 'x@example.com'],
    ] as const) {
      expect(isOperator({ userId, email, emailVerifiedAt: new Date(1) })).toBe(false)
    }
  })
})

describe('IMPERSONATION_MINUTES', () => {
  it.each(['0', '61', '1.5', 'x', ' '])('is no longest time if it is "%s" [OP-1]', (text) => {
    expect(() => readSettings({ IMPERSONATION_MINUTES: text })).toThrow(
      'IMPERSONATION_MINUTES must be a whole number from 1 to 60.'
    )
  })

  it('is off by default [OP-1]', () => {
    expect(readSettings({}).impersonationMinutes).toBeNull()
    expect(readSettings({ IMPERSONATION_MINUTES: '15' }).impersonationMinutes).toBe(15)
  })

  it('lets an operator of the reference host act as a user for so long, with their password [OP-1 OP-2]', async () => {
    const userId = 'operator of the reference host'
    const email = 'operator@example.com'
    await db
      .insert(users)
      .values({
        id: userId,
        email,
        passwordHash: await hashPassword(password),
        createdAt: new Date(),
      })
      .onConflictDoNothing()
    const { token } = await (
      await host.post('/identity/sign-in', { email, password })
    ).json<{ token: string }>()
    const owner = await person()
    const { id } = await postOrganization(owner)
    const start = (body: object = {}, by = token) =>
      host.post(
        `/operator/organizations/${id}/impersonations`,
        { userId: owner.userId, reason: 'Ticket 4711: it fails', minutes: 15, password, ...body },
        by
      )
    expect((await start({ minutes: 16 })).status).toBe(422)
    expect((await start({ userId })).status).toBe(422)
    expect((await start({ password: 'a wrong password' })).status).toBe(403)
    expect((await start({}, owner.token)).status).toBe(404)
    const started = await start()
    expect(started.status).toBe(201)
    const acting = (await started.json<{ token: string }>()).token
    expect((await host.patch(`/organizations/${id}`, { name: 'Theirs' }, acting)).status).toBe(200)
    const other = await postOrganization(await person())
    expect((await host.get(`/organizations/${other.id}`, acting)).status).toBe(404)
    const { data } = await (
      await host.get(`/organizations/${id}/impersonations`, owner.token)
    ).json<{ data: readonly { operatorId: string }[] }>()
    expect(data.map(({ operatorId }) => operatorId)).toEqual([userId])
  })
})

describe('the rate limit of the reference host', () => {
  const signIn = '/identity/sign-in'
  const from = (address: string) => ({ 'cf-connecting-ip': address })

  /** Allows so many for each key, and remembers the keys. */
  function counting(most: number) {
    const counts = new Map<string, number>()
    const rate: RateLimit = {
      async limit({ key }) {
        counts.set(key, (counts.get(key) ?? 0) + 1)
        return { success: counts.get(key)! <= most }
      },
    }
    return { rate, counts }
  }

  it.each([signIn, '/identity/sign-up'])(
    'turns a network away that tries too often, before anything is read: %s [A8]',
    async (path) => {
      const { rate } = counting(2)
      const { client } = hostWith({}, { network: rate })
      const before = await rowCounts()
      const ask = (address: string) => client.post(path, {}, null, from(address))
      expect((await ask('192.0.2.1')).status).toBe(422)
      expect((await ask('192.0.2.1')).status).toBe(422)
      const refused = await ask('192.0.2.1')
      expect(refused.headers.get('content-type')).toBe('application/problem+json')
      expect(refused.headers.get('retry-after')).toBe('60')
      expect(await problem(refused)).toMatchObject({ status: 429, code: 'rate_limited' })
      expect((await ask('192.0.2.2')).status).toBe(422)
      expect(await rowCounts()).toEqual(before)
    }
  )

  it('turns every user away from an account that is tried too often [A8]', async () => {
    const { rate } = counting(2)
    const { client } = hostWith({}, { account: rate })
    const email = newEmail()
    const ask = async (address: string, as = email) =>
      (await client.post(signIn, { email: as, password: 'wrong' }, null, from(address))).status
    expect([await ask('192.0.2.1'), await ask('192.0.2.2')]).toEqual([401, 401])
    expect(await ask('192.0.2.3', email.toUpperCase())).toBe(429)
    expect(await ask('192.0.2.3', newEmail())).toBe(401)
  })

  it('admits requests if the limiter fails or is not bound [A8]', async () => {
    const broken: RateLimit = { limit: () => Promise.reject(new Error('no answer')) }
    for (const rate of [broken, undefined]) {
      const { client } = hostWith({}, { network: rate, account: rate })
      const input = { email: newEmail(), password: 'wrong' }
      expect((await client.post(signIn, input, null, from('192.0.2.9'))).status).toBe(401)
    }
  })

  it('is bound in wrangler.toml: 20 a minute of one network [A8]', async () => {
    const statuses: number[] = []
    for (let tries = 1; tries <= 45; tries++) {
      statuses.push((await host.post(signIn, {}, null, from('198.51.100.7'))).status)
    }
    // A minute may end on the way.
    expect(statuses.slice(0, 20)).toEqual(Array(20).fill(422))
    expect(statuses).toContain(429)
    expect((await host.post(signIn, {}, null, from('198.51.100.8'))).status).toBe(422)
  })

  it('takes so many requests a minute of one user that check a proof: those of each such route count [A8]', async () => {
    // PROOF_RATE is 100 in vitest.config.ts. A minute may end on the way.
    const routes = [...OWN, ...NAMED].filter(([, , body]) => body && 'password' in body)
    const [guesser, other] = (await people(2)) as [Person, Person]
    const ask = ({ token }: Person, [method, path]: Route) =>
      host.send(method, path(guesser.userId), {}, token)
    const answers: { readonly route: Route; readonly answer: Response }[] = []
    for (let tries = 0; tries < 210; tries++) {
      const route = routes[tries % routes.length]!
      answers.push({ route, answer: await ask(guesser, route) })
    }
    expect(answers.slice(0, 100).filter(({ answer }) => answer.status === 429)).toEqual([])
    const refused = answers.filter(({ answer }) => answer.status === 429)
    expect(new Set(refused.map(({ route }) => route))).toEqual(new Set(routes))
    expect(new Set(refused.map(({ answer }) => answer.headers.get('retry-after')))).toEqual(
      new Set(['60'])
    )
    expect(await problem(refused[0]!.answer)).toMatchObject({ status: 429, code: 'rate_limited' })
    for (const route of routes) expect((await ask(other, route)).status).not.toBe(429)
    const reading = await host.get('/organizations', guesser.token)
    expect(reading.status).toBe(200)
  })

  it.each<[Variables, object]>([
    [{}, { network: 20, account: 20, proof: 20 }],
    [{ ENVIRONMENT: 'development' }, { network: 600, account: 600, proof: 600 }],
    [
      { NETWORK_RATE: '100', PROOF_RATE: '5' },
      { network: 100, account: 20, proof: 5 },
    ],
    [{ ACCOUNT_RATE: 'unlimited' }, { network: 20, account: undefined, proof: 20 }],
  ])('is chosen by variables: %j [A8]', (variables, expected) => {
    const bindings = { RATE_5: 5, RATE_20: 20, RATE_100: 100, RATE_600: 600 }
    expect(boundRates(readSettings(variables).rates, bindings)).toEqual(expected)
  })

  it.each(['0', '-5', '2.5', '1e2', 'many'])('takes no rate of %s [A8]', (rate) => {
    expect(() => readSettings({ PROOF_RATE: rate })).toThrow(/^PROOF_RATE must be/)
  })

  it('names the variable whose limit is not bound [A8]', () => {
    const { rates } = readSettings({ ACCOUNT_RATE: '30' })
    expect(() => boundRates(rates, { RATE_20: 20 })).toThrow(/^ACCOUNT_RATE is 30.+RATE_30\.$/)
  })

  it('has a binding of the name for each limit in wrangler.toml [A8]', () => {
    const bound = [...wrangler.matchAll(/name = "RATE_(\d+)"\n.+\nsimple = \{ limit = (\d+),/g)]
    expect(bound.map(([, name]) => name)).toEqual(['5', '20', '100', '600'])
    expect(bound.map(([, , limit]) => limit)).toEqual(['5', '20', '100', '600'])
  })

  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['2001:db8::1', '2001:db8:0:0'],
    ['2001:db8:0:0:ffff::', '2001:db8:0:0'],
    ['2001:0DB8:0000:0000:1:2:3:4', '2001:db8:0:0'],
    ['2001:db8:0:1::1', '2001:db8:0:1'],
    ['::1', '0:0:0:0'],
    ['fe80::1:2:3:4:5', 'fe80:0:0:1'],
  ])('takes %s for the network %s [A8]', (address, network) => {
    expect(networkOf(address)).toBe(network)
  })
})

describe('the page at /', () => {
  it('describes itself on its front page, without scripts [C13]', async () => {
    const answer = await host.get('/')
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toMatch(/^text\/html/)
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'")
    const html = await answer.text()
    expect(html).toMatch(/<title>[^<]* · Seatgate<\/title>/)
    expect(html).toContain('/identity/sign-up')
    expect(html).not.toMatch(/<script|<style|\son\w+=|style=/i)
    for (const [, path] of html.matchAll(/href="(\/[^"]*)"/g)) {
      expect((await host.get(path!)).status).toBe(200)
    }
    expect((await host.send('HEAD', '/', undefined, null)).status).toBe(200)
  })
})
