/**
 * better-auth and Seatgate in one Worker and one database.
 *
 * @module
 */
import { betterAuth as createAuth } from 'better-auth'
import { APIError } from 'better-auth/api'
import { getMigrations } from 'better-auth/db/migration'
import { admin, bearer } from 'better-auth/plugins'
import { drizzle } from 'drizzle-orm/d1'
import { Hono } from 'hono'
import { expect } from 'vitest'
import { aroundDatabase } from '../../../bench/meter.ts'
import { seatgateRouter } from '../../../src/hono/index.ts'
import {
  commitTogether,
  createSeatgate,
  d1Seats,
  prepareUserDeletion,
  type Seatgate,
} from '../../../src/index.ts'
import { betterAuth } from '../../../src/identity/index.ts'
import { testEnv } from '../index.ts'

export const URL_OF_APP = 'https://app.example.com'
export const PASSWORD = 'correct horse battery'

export let seatgate: Seatgate
export const auth = createAuth({
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

/** The trips to D1 of Seatgate. */
export const meter = { trips: 0 }
export const database = drizzle(
  aroundDatabase(testEnv.DB, (_trip, run) => {
    meter.trips += 1
    return run()
  })
)
export const source = betterAuth(auth, {
  database,
  isOperator: ({ role }) => role === 'admin',
})
const { authenticate, sessions, onDelete, ...identity } = source
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

/** Creates the tables of better-auth. */
export async function createTables(): Promise<void> {
  const { runMigrations } = await getMigrations(auth.options)
  await runMigrations()
}

interface Person {
  readonly id: string
  readonly cookie: string
  readonly token: string
}

export const asked = async (headers: object, method: string, path: string, body?: unknown) => {
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
export function cookieOf(headers: Headers): string {
  const pairs = headers.getSetCookie().map((each) => (each.split(';')[0] ?? '').split('='))
  const last = new Map(pairs.map(([name = '', ...value]) => [name, value.join('=')]))
  return [...last].map(([name, value]) => `${name}=${value}`).join('; ')
}

export async function signUp(name: string): Promise<Person & { readonly email: string }> {
  const email = `${name}-${crypto.randomUUID()}@example.com`
  const { body, headers } = await asked({}, 'POST', '/api/auth/sign-up/email', {
    name,
    email,
    password: PASSWORD,
  })
  const { user, token } = body as unknown as { user: { id: string }; token: string }
  return { id: user.id, cookie: cookieOf(headers), token, email }
}

export const as = ({ cookie }: Person, method: string, path: string, body?: unknown) =>
  asked({ cookie }, method, path, body)

export async function foundedBy(
  person: Person
): Promise<{ readonly id: string; readonly name: string; readonly slug: string }> {
  const { status, body } = await as(person, 'POST', '/organizations', {
    name: `Acme ${crypto.randomUUID()}`,
  })
  expect(status).toBe(201)
  return body as unknown as { id: string; name: string; slug: string }
}

/** An instance of better-auth whose sessions are in a store that does not answer. */
export function offlineAuth() {
  return createAuth({
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
}
