/**
 * Each organization has projects of its own, and begins with one.
 *
 * @module
 */
import { env } from 'cloudflare:workers'
import { drizzle } from 'drizzle-orm/d1'
import { sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { Hono } from 'hono'
import {
  commitTogether,
  createSeatgate,
  d1Seats,
  forOrganization,
  prepareOrganization,
  tenantDatabase,
} from 'seatgate'
import {
  loadOrganizationFromSlug,
  RefusalException,
  requireRole,
  seatgateRouter,
} from 'seatgate/hono'
import { jwks } from 'seatgate/identity'

const { authenticate, stepUp } = jwks({ issuer: env.TOKEN_ISSUER, audience: env.TOKEN_AUDIENCE })

const projects = sqliteTable('projects', {
  id: text('id').primaryKey(),
  organizationId: text('organization_id').notNull(),
  name: text('name').notNull(),
})
const projectOf = (organizationId: string, name: string) => ({
  id: crypto.randomUUID(),
  organizationId,
  name,
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
  .post('/workspaces', async (c) => {
    const caller = await authenticate(c)
    if (caller === null) throw new RefusalException({ code: 'unauthenticated' })
    const { name } = await c.req.json<{ name: string }>()
    const founding = await prepareOrganization(seatgate, { caller }, { name })
    if (!founding.ok) throw new RefusalException(founding.error)
    const first = projectOf(founding.value.value.id, 'Getting started')
    const after = [database.insert(projects).values(first)]
    const founded = await commitTogether(seatgate, founding.value, { after })
    if (!founded.ok) throw new RefusalException(founded.error)
    return c.json({ organization: founded.value, project: first }, 201)
  })
  .use('/o/:org/projects', loadOrganizationFromSlug(seatgate, { authenticate }))
  .get('/o/:org/projects', async (c) =>
    c.json(await db.select().from(projects).where(forOrganization(projects, c.var)))
  )
  .post('/o/:org/projects', requireRole(seatgate, 'owner', 'admin'), async (c) => {
    const { name } = await c.req.json<{ name: string }>()
    const project = projectOf(c.var.organization.id, name)
    await db.insert(projects).values(project)
    return c.json(project, 201)
  })
  .route('/', seatgateRouter(seatgate, { authenticate }))
