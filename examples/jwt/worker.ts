/**
 * Callers carry a signed token, and each organization has projects of its own.
 *
 * @module
 */
import { env } from 'cloudflare:workers'
import { drizzle } from 'drizzle-orm/d1'
import { sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { Hono } from 'hono'
import { verify } from 'hono/jwt'
import { createSeatgate, d1Seats, forOrganization, tenantDatabase, type StepUp } from 'seatgate'
import {
  loadOrganizationFromSlug,
  requireRole,
  seatgateRouter,
  type Authenticate,
} from 'seatgate/hono'

const FRESH_SECONDS = 300

const readToken = (token: string) => verify(token, env.JWT_SECRET, 'HS256').catch(() => null)

const authenticate: Authenticate = async (c) => {
  const [, token = ''] = /^Bearer (.+)$/.exec(c.req.header('authorization') ?? '') ?? []
  const claims = await readToken(token)
  return typeof claims?.sub === 'string' ? { userId: claims.sub } : null
}

/** The proof is a token of the same user, issued by a sign-in of the last five minutes. */
const stepUp: StepUp = async (userId, proof) => {
  const claims = await readToken(proof)
  return claims?.sub === userId && Date.now() / 1000 - (claims.iat ?? 0) < FRESH_SECONDS
}

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
