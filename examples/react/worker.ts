/**
 * The routes for a page in React: the page of this folder is built by Vite and served as files.
 *
 * @module
 */
import { env } from 'cloudflare:workers'
import { drizzle } from 'drizzle-orm/d1'
import { Hono } from 'hono'
import { createSeatgate, d1Seats } from 'seatgate'
import { seatgateRouter, type Authenticate } from 'seatgate/hono'

const seatgate = createSeatgate({
  database: drizzle(env.DB),
  seats: d1Seats({ defaultLimit: 3 }),
  sessions: 'none',
  identity: { stepUp: () => false },
})

// Replace this function and `stepUp`: this one trusts a header that any client can set.
const authenticate: Authenticate = (c) => {
  const userId = c.req.header('x-user-id')
  return userId ? { userId } : null
}

const app = new Hono().route('/', seatgateRouter(seatgate, { authenticate }))

/** The routes, for the types of the client. */
export type App = typeof app

export default app
