/**
 * better-auth signs people in; Seatgate keeps their organizations. Both use one D1 database.
 *
 * @module
 */
import { betterAuth } from 'better-auth'
import { env } from 'cloudflare:workers'
import { drizzle } from 'drizzle-orm/d1'
import { sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { Hono } from 'hono'
import { createSeatgate, d1Seats, type VerifyPassword } from 'seatgate'
import { seatgateRouter, type Authenticate } from 'seatgate/hono'

export const auth = betterAuth({
  database: env.DB,
  secret: env.BETTER_AUTH_SECRET,
  baseURL: env.PUBLIC_URL,
  emailAndPassword: { enabled: true },
})

/** The table of better-auth, so that members appear with their name and address. */
const users = sqliteTable('user', {
  id: text('id').primaryKey(),
  email: text('email').notNull(),
  name: text('name').notNull(),
})

const authenticate: Authenticate = async (c) => {
  const session = await auth.api.getSession({ headers: c.req.raw.headers })
  return session && { userId: session.user.id }
}

const verifyPassword: VerifyPassword = async (userId, password) => {
  const { internalAdapter, password: hasher } = await auth.$context
  const accounts = await internalAdapter.findAccounts(userId)
  const hash = accounts.find(({ providerId }) => providerId === 'credential')?.password
  return hash ? hasher.verify({ hash, password }) : false
}

const seatgate = createSeatgate({
  database: drizzle(env.DB),
  seats: d1Seats(),
  sessions: 'none',
  identity: { users, verifyPassword },
})

export default new Hono()
  .on(['GET', 'POST'], '/api/auth/*', (c) => auth.handler(c.req.raw))
  .route('/', seatgateRouter(seatgate, { authenticate }))
