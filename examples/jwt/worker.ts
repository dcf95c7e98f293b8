/**
 * Callers carry a token of an identity provider.
 *
 * @module
 */
import { env } from 'cloudflare:workers'
import { drizzle } from 'drizzle-orm/d1'
import { Hono } from 'hono'
import { createSeatgate, d1Seats } from 'seatgate'
import { loadOrganizationFromSlug, seatgateRouter } from 'seatgate/hono'
import { jwks } from 'seatgate/identity'

// For Clerk, Auth0, WorkOS, Supabase and Cloudflare Access there are functions with their settings.
const { authenticate, stepUp } = jwks({ issuer: env.TOKEN_ISSUER, audience: env.TOKEN_AUDIENCE })

const seatgate = createSeatgate({
  database: drizzle(env.DB),
  seats: d1Seats(),
  sessions: 'none',
  // A change that needs a proof of identity takes a token of a sign-in of the last five minutes.
  identity: { stepUp },
})

export default new Hono()
  .use('/o/:org/*', loadOrganizationFromSlug(seatgate, { authenticate }))
  .get('/o/:org/hello', (c) => c.json({ organization: c.var.organization.name, role: c.var.role }))
  .route('/', seatgateRouter(seatgate, { authenticate }))
