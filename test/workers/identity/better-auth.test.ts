import { betterAuth as createAuth } from 'better-auth'
import { APIError } from 'better-auth/api'
import { getMigrations } from 'better-auth/db/migration'
import { admin, bearer } from 'better-auth/plugins'
import { drizzleAdapter } from 'better-auth/adapters/drizzle'
import { drizzle } from 'drizzle-orm/d1'
import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { Hono } from 'hono'
import { beforeAll, describe, expect, it } from 'vitest'
import { aroundDatabase } from '../../../bench/meter.ts'
import { seatgateRouter } from '../../../src/hono/index.ts'
import {
  commitTogether,
  createSeatgate,
  d1Seats,
  prepareUserDeletion,
  type Seatgate,
} from '../../../src/index.ts'
import { betterAuth, type BetterAuthTables } from '../../../src/identity/index.ts'
import { testEnv } from '../../kit/index.ts'

const URL_OF_APP = 'https://app.example.com'
const PASSWORD = 'correct horse battery'

let seatgate: Seatgate
const auth = createAuth({
  database: testEnv.DB,
  secret: 'a secret of the test, 32 characters long',
  baseURL: URL_OF_APP,
  emailAndPassword: { enabled: true },
  session: {
    additionalFields: {
      activeOrganizationId: { type: 'string', required: false, input: false },
    },
  },
  user: {
    deleteUser: {
      enabled: true,
      // A user who is deleted through better-auth leaves the organizations first.
      beforeDelete: async ({ id }) => {
        const leaving = await prepareUserDeletion(seatgate, { caller: { type: 'system' } }, id)
        if (!leaving.ok) throw new APIError('CONFLICT', { code: leaving.error.code })
        const left = await commitTogether(seatgate, leaving.value)
        if (!left.ok) throw new APIError('CONFLICT', { code: left.error.code })
      },
    },
  },
  plugins: [admin(), bearer()],
})

let trips = 0
const database = drizzle(
  aroundDatabase(testEnv.DB, (_trip, run) => {
    trips += 1
    return run()
  })
)
const { authenticate, sessions, onDelete, ...identity } = betterAuth(auth, {
  database,
  isOperator: ({ role }) => role === 'admin',
})
seatgate = createSeatgate({
  database,
  seats: d1Seats(),
  sessions,
  identity,
  hooks: { onDelete },
}) as unknown as Seatgate
const app = new Hono()
  .on(['GET', 'POST'], '/api/auth/*', (c) => auth.handler(c.req.raw))
  .route('/', seatgateRouter(seatgate, { authenticate }))

beforeAll(async () => {
  const { runMigrations } = await getMigrations(auth.options)
  await runMigrations()
})

interface Person {
  readonly id: string
  readonly cookie: string
  readonly token: string
}

const asked = async (headers: object, method: string, path: string, body?: unknown) => {
  const response = await app.request(`${URL_OF_APP}${path}`, {
    method,
    headers: { origin: URL_OF_APP, 'content-type': 'application/json', ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.includes('json') === true
  const answer = isJson ? (JSON.parse(text) as Record<string, unknown>) : null
  return { status: response.status, body: answer, headers: response.headers }
}

// A cookie that is set twice has its last value, as in a browser.
function cookieOf(headers: Headers): string {
  const pairs = headers.getSetCookie().map((each) => (each.split(';')[0] ?? '').split('='))
  const last = new Map(pairs.map(([name = '', ...value]) => [name, value.join('=')]))
  return [...last].map(([name, value]) => `${name}=${value}`).join('; ')
}

async function signUp(name: string): Promise<Person & { readonly email: string }> {
  const email = `${name}-${crypto.randomUUID()}@example.com`
  const { body, headers } = await asked({}, 'POST', '/api/auth/sign-up/email', {
    name,
    email,
    password: PASSWORD,
  })
  const { user, token } = body as unknown as { user: { id: string }; token: string }
  return { id: user.id, cookie: cookieOf(headers), token, email }
}

const as = ({ cookie }: Person, method: string, path: string, body?: unknown) =>
  asked({ cookie }, method, path, body)

async function foundedBy(
  person: Person
): Promise<{ readonly id: string; readonly name: string; readonly slug: string }> {
  const { status, body } = await as(person, 'POST', '/organizations', {
    name: `Acme ${crypto.randomUUID()}`,
  })
  expect(status).toBe(201)
  return body as unknown as { id: string; name: string; slug: string }
}

describe('betterAuth', () => {
  it('reads a session in the round trip of the operation', async () => {
    const ann = await signUp('ann')
    const acme = await foundedBy(ann)
    await as(ann, 'GET', `/organizations/${acme.id}`)
    trips = 0
    expect(await as(ann, 'GET', `/organizations/${acme.id}`)).toMatchObject({
      status: 200,
      body: { id: acme.id },
    })
    expect(trips).toBe(1)
    expect(await as(ann, 'GET', `/organizations/${acme.id}/members`)).toMatchObject({
      body: { data: [{ user: { name: 'ann', email: ann.email }, role: 'owner' }] },
    })
  })

  it('has no caller without a session, with a forged cookie, and after a sign-out', async () => {
    const ann = await signUp('ann')
    const [name = '', value = ''] = ann.cookie.split('=')
    const signed = decodeURIComponent(value)
    const dot = signed.indexOf('.')
    for (const cookie of [
      '',
      `${name}=${signed.slice(0, dot)}`,
      `${name}=${encodeURIComponent(`${signed.slice(0, dot)}.${'A'.repeat(43)}=`)}`,
      `${name}=${encodeURIComponent(`another-token${signed.slice(dot)}`)}`,
      `other=${value}`,
    ]) {
      expect((await asked({ cookie }, 'GET', '/organizations')).status).toBe(401)
    }
    expect((await as(ann, 'GET', '/organizations')).status).toBe(200)
    expect((await as(ann, 'POST', '/api/auth/sign-out', {})).status).toBe(200)
    expect((await as(ann, 'GET', '/organizations')).status).toBe(401)
  })

  it('refuses a session that is expired', async () => {
    const ann = await signUp('ann')
    const setEnd = (end: Date) =>
      testEnv.DB.prepare('update session set expiresAt = ? where userId = ?')
        .bind(end.toISOString(), ann.id)
        .run()
    await setEnd(new Date(Date.now() - 1))
    expect((await as(ann, 'GET', '/organizations')).status).toBe(401)
    await setEnd(new Date(Date.now() + 60_000))
    expect((await as(ann, 'GET', '/organizations')).status).toBe(200)
  })

  it('takes a bearer token of the plugin of better-auth', async () => {
    const ann = await signUp('ann')
    const authorization = `Bearer ${ann.token}`
    expect((await asked({ authorization }, 'GET', '/organizations')).status).toBe(200)
    expect((await asked({ authorization: 'Bearer x' }, 'GET', '/organizations')).status).toBe(401)
  })

  it('stores the active organization in the session of better-auth', async () => {
    const ann = await signUp('ann')
    const [acme, globex] = [await foundedBy(ann), await foundedBy(ann)]
    const active = async () => {
      const { results } = await testEnv.DB.prepare(
        'select activeOrganizationId as id from session where userId = ?'
      )
        .bind(ann.id)
        .all<{ id: string | null }>()
      return results.map(({ id }) => id)
    }
    const switchTo = (organization: string | null) =>
      as(ann, 'PUT', '/active-organization', { organizationId: organization })
    expect((await switchTo(acme.id)).status).toBe(200)
    expect(await active()).toEqual([acme.id])
    expect((await switchTo(globex.id)).status).toBe(200)
    expect(await active()).toEqual([globex.id])
    const session = await auth.api.getSession({ headers: new Headers({ cookie: ann.cookie }) })
    expect(session?.session.activeOrganizationId).toBe(globex.id)
    const deleted = { confirmName: globex.name, password: PASSWORD }
    expect((await as(ann, 'DELETE', `/organizations/${globex.id}`, deleted)).status).toBeLessThan(
      300
    )
    expect(await active()).toEqual([null])
    const ben = await signUp('ben')
    expect((await as(ben, 'PUT', '/active-organization', { organizationId: acme.id })).status).toBe(
      404
    )
  })

  it('verifies the password of an account, and no other', async () => {
    const ann = await signUp('ann')
    const acme = await foundedBy(ann)
    const change = (password: string) =>
      as(ann, 'POST', `/organizations/${acme.slug}/slug`, {
        slug: `${acme.slug}-2`,
        confirmSlug: acme.slug,
        password,
      })
    expect(await change('wrong')).toMatchObject({ status: 403, body: { code: 'invalid_password' } })
    expect(await change(PASSWORD)).toMatchObject({ status: 200 })
    expect(await identity.verifyPassword('unknown', PASSWORD)).toBe(false)
  })

  it('refuses a user who is banned, until the ban ends', async () => {
    const ann = await signUp('ann')
    const ban = (banned: number, end: string | null) =>
      testEnv.DB.prepare('update user set banned = ?, banExpires = ? where id = ?')
        .bind(banned, end, ann.id)
        .run()
    const authorization = `Bearer ${ann.token}`
    const status = async () => [
      (await as(ann, 'GET', '/organizations')).status,
      (await asked({ authorization }, 'GET', '/organizations')).status,
    ]
    expect(await status()).toEqual([200, 200])
    await ban(1, null)
    expect(await status()).toEqual([401, 401])
    await ban(1, new Date(Date.now() + 60_000).toISOString())
    expect(await status()).toEqual([401, 401])
    await ban(1, new Date(Date.now() - 1).toISOString())
    expect(await status()).toEqual([200, 200])
    await ban(0, null)
    expect(await status()).toEqual([200, 200])
  })

  it('refuses a user whom an administrator bans through better-auth', async () => {
    const [root, ann] = [await signUp('root'), await signUp('ann')]
    await testEnv.DB.prepare(`update user set role = 'admin' where id = ?`).bind(root.id).run()
    expect((await as(ann, 'GET', '/organizations')).status).toBe(200)
    const banned = await as(root, 'POST', '/api/auth/admin/ban-user', { userId: ann.id })
    expect(banned.status).toBe(200)
    expect((await as(ann, 'GET', '/organizations')).status).toBe(401)
  })

  it('makes an administrator an operator, and not while they act as a user', async () => {
    const [root, ann] = [await signUp('root'), await signUp('ann')]
    const acme = await foundedBy(ann)
    const ofOperator = async (cookie: string) =>
      (await asked({ cookie }, 'GET', '/operator/organizations')).status
    expect(await ofOperator(ann.cookie)).not.toBe(200)
    await testEnv.DB.prepare(`update user set role = 'admin' where id = ?`).bind(root.id).run()
    expect(await ofOperator(root.cookie)).toBe(200)
    const acting = await as(root, 'POST', '/api/auth/admin/impersonate-user', { userId: ann.id })
    expect(acting.status).toBe(200)
    const cookie = cookieOf(acting.headers)
    const change = await asked({ cookie }, 'PATCH', `/organizations/${acme.id}`, {
      name: 'Acme two',
    })
    expect(change.status).toBe(200)
    const { results } = await testEnv.DB.prepare(
      `select actor_type, actor_id, effective_user_id from seatgate_audit_events
        where organization_id = ? and action = 'organization.rename'`
    )
      .bind(acme.id)
      .all()
    expect(results).toEqual([
      { actor_type: 'operator', actor_id: root.id, effective_user_id: ann.id },
    ])
    expect(await ofOperator(cookie)).not.toBe(200)
  })
})

describe('a user of betterAuth who is deleted', () => {
  const rowsOf = async (userId: string) => {
    const count = (table: string, column: string) =>
      testEnv.DB.prepare(`select count(*) as rows from ${table} where ${column} = ?`)
        .bind(userId)
        .first<number>('rows')
    return Promise.all([
      count('user', 'id'),
      count('session', 'userId'),
      count('account', 'userId'),
      count('seatgate_memberships', 'user_id'),
    ])
  }

  it('leaves no row, by the route of the library', async () => {
    const [ann, ben] = [await signUp('ann'), await signUp('ben')]
    const acme = await foundedBy(ann)
    await as(ann, 'POST', `/organizations/${acme.id}/members`, { userId: ben.id, role: 'member' })
    expect(await rowsOf(ben.id)).toEqual([1, 1, 1, 1])
    expect((await as(ben, 'DELETE', '/users/me', { password: 'wrong' })).status).toBe(403)
    expect((await as(ben, 'DELETE', '/users/me', { password: PASSWORD })).status).toBe(204)
    expect(await rowsOf(ben.id)).toEqual([0, 0, 0, 0])
    expect((await as(ben, 'GET', '/organizations')).status).toBe(401)
  })

  it('leaves no row, by the route of better-auth, and stays as the only owner', async () => {
    const [ann, ben] = [await signUp('ann'), await signUp('ben')]
    const acme = await foundedBy(ann)
    await as(ann, 'POST', `/organizations/${acme.id}/members`, { userId: ben.id, role: 'member' })
    expect((await as(ben, 'POST', '/api/auth/delete-user', { password: PASSWORD })).status).toBe(
      200
    )
    expect(await rowsOf(ben.id)).toEqual([0, 0, 0, 0])
    const refused = await as(ann, 'POST', '/api/auth/delete-user', { password: PASSWORD })
    expect(refused).toMatchObject({ status: 409, body: { code: 'last_owner' } })
    expect(await rowsOf(ann.id)).toEqual([1, 1, 1, 1])
  })
})

describe('betterAuth with the tables of Drizzle', () => {
  const user = sqliteTable('app_users', {
    id: text('id').primaryKey(),
    name: text('name').notNull(),
    email: text('email').notNull(),
    emailVerified: integer('email_verified', { mode: 'boolean' }).notNull(),
    image: text('image'),
    createdAt: integer('created_at', { mode: 'timestamp' }).notNull(),
    updatedAt: integer('updated_at', { mode: 'timestamp' }).notNull(),
  })
  const session = sqliteTable('app_sessions', {
    id: text('id').primaryKey(),
    expiresAt: integer('expires_at', { mode: 'timestamp' }).notNull(),
    token: text('token').notNull(),
    createdAt: integer('created_at', { mode: 'timestamp' }).notNull(),
    updatedAt: integer('updated_at', { mode: 'timestamp' }).notNull(),
    ipAddress: text('ip_address'),
    userAgent: text('user_agent'),
    userId: text('user_id').notNull(),
  })
  const account = sqliteTable('app_accounts', {
    id: text('id').primaryKey(),
    accountId: text('account_id').notNull(),
    providerId: text('provider_id').notNull(),
    userId: text('user_id').notNull(),
    accessToken: text('access_token'),
    refreshToken: text('refresh_token'),
    idToken: text('id_token'),
    accessTokenExpiresAt: integer('access_token_expires_at', { mode: 'timestamp' }),
    refreshTokenExpiresAt: integer('refresh_token_expires_at', { mode: 'timestamp' }),
    scope: text('scope'),
    password: text('password'),
    createdAt: integer('created_at', { mode: 'timestamp' }).notNull(),
    updatedAt: integer('updated_at', { mode: 'timestamp' }).notNull(),
  })
  const verification = sqliteTable('app_verifications', {
    id: text('id').primaryKey(),
    identifier: text('identifier').notNull(),
    value: text('value').notNull(),
    expiresAt: integer('expires_at', { mode: 'timestamp' }).notNull(),
    createdAt: integer('created_at', { mode: 'timestamp' }).notNull(),
    updatedAt: integer('updated_at', { mode: 'timestamp' }).notNull(),
  })
  const TABLES = [
    `create table app_users (id text primary key, name text, email text, email_verified integer,
      image text, created_at integer, updated_at integer)`,
    `create table app_sessions (id text primary key, expires_at integer, token text, created_at integer,
      updated_at integer, ip_address text, user_agent text, user_id text)`,
    `create table app_accounts (id text primary key, account_id text, provider_id text, user_id text,
      access_token text, refresh_token text, id_token text, access_token_expires_at integer,
      refresh_token_expires_at integer, scope text, password text, created_at integer, updated_at integer)`,
    `create table app_verifications (id text primary key, identifier text, value text, expires_at integer,
      created_at integer, updated_at integer)`,
  ]

  it('reads their columns, and has no active organization without one for it', async () => {
    await testEnv.DB.batch(TABLES.map((table) => testEnv.DB.prepare(table)))
    const own = createAuth({
      database: drizzleAdapter(database, {
        provider: 'sqlite',
        schema: { user, session, account, verification },
      }),
      secret: 'a secret of the test, 32 characters long',
      baseURL: URL_OF_APP,
      emailAndPassword: { enabled: true },
    })
    const tables: BetterAuthTables = { user, session, account }
    const source = betterAuth(own, { database, tables })
    expect(source.sessions).toBe('none')
    const configured = createSeatgate({
      database,
      seats: d1Seats(),
      sessions: source.sessions,
      identity: { users: source.users, verifyPassword: source.verifyPassword },
      hooks: { onDelete: source.onDelete },
    })
    const router = seatgateRouter(configured as unknown as Seatgate, {
      authenticate: source.authenticate,
    })
    const signedUp = await own.handler(
      new Request(`${URL_OF_APP}/api/auth/sign-up/email`, {
        method: 'POST',
        headers: { origin: URL_OF_APP, 'content-type': 'application/json' },
        body: JSON.stringify({ name: 'Cleo', email: 'cleo@example.com', password: PASSWORD }),
      })
    )
    expect(signedUp.status).toBe(200)
    const headers = { cookie: cookieOf(signedUp.headers) }
    await router.request('/organizations', { headers })
    trips = 0
    expect((await router.request('/organizations', { headers })).status).toBe(200)
    expect(trips).toBe(1)
    await testEnv.DB.prepare('update app_sessions set expires_at = ?')
      .bind(Math.floor(Date.now() / 1000) - 1)
      .run()
    expect((await router.request('/organizations', { headers })).status).toBe(401)
  })
})

it('betterAuth is unavailable, and not unauthenticated, while D1 does not answer', async () => {
  const ann = await signUp('ann')
  const own = createAuth({
    database: testEnv.DB,
    secret: 'a secret of the test, 32 characters long',
    baseURL: URL_OF_APP,
    secondaryStorage: {
      get: () => Promise.reject(new Error('offline')),
      set: () => Promise.resolve(),
      delete: () => Promise.resolve(),
      getAndDelete: () => Promise.resolve(null),
      increment: () => Promise.resolve(1),
    },
  })
  const source = betterAuth(own, { database })
  const router = seatgateRouter(seatgate, { authenticate: source.authenticate })
  const { status } = await router.request(`${URL_OF_APP}/organizations`, {
    headers: { cookie: ann.cookie },
  })
  expect(status).toBe(503)
})

it('betterAuth needs a handle on D1, and takes no other option', () => {
  expect(() => betterAuth(auth, {} as never)).toThrow(TypeError)
  expect(() => betterAuth(auth, { database, tabels: {} } as never)).toThrow(
    'Did you mean "tables"?'
  )
})
