import { env } from 'cloudflare:workers'
import { drizzle } from 'drizzle-orm/d1'
import { Hono } from 'hono'
import { createSeatgate, d1Seats } from 'seatgate'
import { seatgateRouter, type Authenticate } from 'seatgate/hono'

const seatgate = createSeatgate({
  database: drizzle(env.DB),
  seats: d1Seats({ defaultLimit: 3 }),
  sessions: 'none',
  // Replace this function: it refuses every proof of identity, which transferring and deleting need.
  identity: { stepUp: () => false },
})

// Replace this function: it trusts a header that any client can set.
const authenticate: Authenticate = (c) => {
  const userId = c.req.header('x-user-id')
  return userId ? { userId } : null
}

const app = new Hono()
app.route('/', seatgateRouter(seatgate, { authenticate }))

export default app
