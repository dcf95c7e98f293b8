/**
 * better-auth signs people in; Seatgate keeps their organizations. Both use one D1 database.
 *
 * @module
 */
import { betterAuth as createAuth } from 'better-auth'
import { env } from 'cloudflare:workers'
import { drizzle } from 'drizzle-orm/d1'
import { Hono } from 'hono'
import { createSeatgate, d1Seats } from 'seatgate'
import { seatgateRouter } from 'seatgate/hono'
import { betterAuth } from 'seatgate/identity'

export const auth = createAuth({
  database: env.DB,
  secret: env.BETTER_AUTH_SECRET,
  baseURL: env.PUBLIC_URL,
  emailAndPassword: { enabled: true },
  session: {
    // The organization that a session works in.
    additionalFields: { activeOrganizationId: { type: 'string', required: false, input: false } },
  },
})

const database = drizzle(env.DB)
const { authenticate, sessions, onDelete, ...identity } = betterAuth(auth, { database })
const seatgate = createSeatgate({
  database,
  seats: d1Seats(),
  sessions,
  identity,
  // `DELETE /users/me` ends the memberships and deletes the user of better-auth, in one batch.
  hooks: { onDelete },
})

export default new Hono()
  .on(['GET', 'POST'], '/api/auth/*', (c) => auth.handler(c.req.raw))
  .route('/', seatgateRouter(seatgate, { authenticate }))
