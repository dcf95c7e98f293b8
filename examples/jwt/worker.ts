/**
 * Callers carry a token of an identity provider, and each organization has projects of its own.
 *
 * @module
 */
import { env } from 'cloudflare:workers'
import { drizzle } from 'drizzle-orm/d1'
import { sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { Hono } from 'hono'
import { createSeatgate, d1Seats, forOrganization, tenantDatabase } from 'seatgate'
import { loadOrganizationFromSlug, requireRole, seatgateRouter } from 'seatgate/hono'
import { jwks } from 'seatgate/identity'

// For Clerk, Auth0, WorkOS, Supabase and Cloudflare Access there are functions with their settings.
const { authenticate, stepUp } = jwks({ issuer: env.TOKEN_ISSUER, audience: env.TOKEN_AUDIENCE })

const projects = sqliteTable('projects', {
  id: text('id').primaryKey(),
  organizationId: text('organization_id').notNull(),
  name: text('name').notNull(),
})

const database = drizzle(env.DB)
const db = tenantDatabase(database, { tables: [projects] })
const seatgate = createSeatgate({
  database,
  seats: d1Seats(),
  sessions: 'none',
  // A change that needs a proof of identity takes a token of a sign-in of the last five minutes.
  identity: { stepUp },
})

export default new Hono()
  .use('/o/:org/projects', loadOrganizationFromSlug(seatgate, { authenticate }))
  .get('/o/:org/projects', async (c) =>
    c.json(await db.select().from(projects).where(forOrganization(projects, c.var)))
  )
  .post('/o/:org/projects', requireRole(seatgate, 'owner', 'admin'), async (c) => {
    const { name } = await c.req.json<{ name: string }>()
    const project = { id: crypto.randomUUID(), organizationId: c.var.organization.id, name }
    await db.insert(projects).values(project)
    return c.json(project, 201)
  })
  .route('/', seatgateRouter(seatgate, { authenticate }))
