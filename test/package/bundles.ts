/**
 * The bundles whose size is measured: by bytes in `.size-limit.js`, by files in `size.test.ts`.
 *
 * @module
 */

/** The packages that a host installs itself. */
export const PEERS = [
  'drizzle-orm',
  'drizzle-orm/*',
  'hono',
  'hono/*',
  'react',
  'valibot',
  'cloudflare:*',
]

/** The imports of a Worker with organizations and members, and no part. */
export const ORGANIZATIONS_AND_MEMBERS = [
  'createSeatgate',
  'd1Seats',
  'createOrganization',
  'getOrganization',
  'listOrganizations',
  'renameOrganization',
  'updateOrganization',
  'updateSlug',
  'softDeleteOrganization',
  'restoreOrganization',
  'addMember',
  'changeRole',
  'removeMember',
  'leaveOrganization',
  'suspendMember',
  'restoreMember',
  'transferOwnership',
  'listMembers',
].join(', ')

const SET_UP = `import { env } from 'cloudflare:workers'
  import { drizzle } from 'drizzle-orm/d1'
  const database = drizzle(env.DB)
  const authenticate = (c) => ({ userId: c.req.header('x-user-id') })`

const organizationsAndMembers = (hono: string) => `${SET_UP}
    import { Hono } from '${hono}'
    import { createSeatgate, d1Seats } from './dist/index.js'
    import { memberRoutes, organizationRoutes } from './dist/hono/index.js'
    const identity = { stepUp: () => false }
    const own = createSeatgate({ database, seats: d1Seats({ defaultLimit: 3 }), sessions: 'none', identity })
    const app = new Hono()
    app.route('/', organizationRoutes(own, { authenticate }))
    app.route('/', memberRoutes(own, { authenticate }))
    export default app`

/** Small Workers, with what they import. */
export const SMALL_WORKERS: Readonly<Record<string, string>> = {
  'Drizzle and Hono alone': `${SET_UP}
    import { eq } from 'drizzle-orm'
    import { sqliteTable, text } from 'drizzle-orm/sqlite-core'
    import { Hono } from 'hono'
    const notes = sqliteTable('notes', { id: text('id') })
    const app = new Hono()
    app.get('/:id', async (c) =>
      c.json(await database.select().from(notes).where(eq(notes.id, c.req.param('id')))))
    app.post('/:id', async (c) =>
      c.json(await database.insert(notes).values({ id: c.req.param('id') })))
    export default app`,
  'four operations, without routes': `${SET_UP}
    import { addMember, createOrganization, createSeatgate, d1Seats } from './dist/index.js'
    import { listMembers, removeMember } from './dist/index.js'
    const own = createSeatgate({ database, seats: d1Seats({ defaultLimit: 3 }), sessions: 'none' })
    export default {
      async fetch(request) {
        const scope = { caller: { userId: 'ann' }, organization: 'acme' }
        const input = await request.json()
        return Response.json([
          await createOrganization(own, scope, input),
          await addMember(own, scope, input),
          await removeMember(own, scope, 'ben'),
          await listMembers(own, scope, input),
        ])
      },
    }`,
  'the routes of organizations and members': organizationsAndMembers('hono'),
  'the same with hono/tiny': organizationsAndMembers('hono/tiny'),
  'all routes': `${SET_UP}
    import { Hono } from 'hono'
    import { createSeatgate, d1Seats } from './dist/index.js'
    import { seatgateRouter } from './dist/hono/index.js'
    const identity = { stepUp: () => false }
    const own = createSeatgate({ database, seats: d1Seats({ defaultLimit: 3 }), sessions: 'none', identity })
    const app = new Hono()
    app.route('/', seatgateRouter(own, { authenticate }))
    export default app`,
}
