/**
 * A group on `c.var`, from the loader to the condition of a query. `tsc` is the test: an expected error that
 * does not come is an error.
 */
import { sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { Hono } from 'hono'
import { groups, loadGroup, type Group, type GroupEnv } from '../../src/hono/groups/index.ts'
import { can, loadOrganizationFromSlug, type OrganizationEnv } from '../../src/hono/index.ts'
import {
  createSeatgate,
  d1Seats,
  forGroup,
  permissions,
  tenantDatabase,
  type SeatgateOptions,
} from '../../src/index.ts'

declare const options: SeatgateOptions
const base = { database: options.database, seats: d1Seats(), sessions: 'none' } as const
const authenticate = () => null
const papers = sqliteTable('papers', {
  organizationId: text('organization_id').notNull(),
  groupId: text('group_id').notNull(),
})

const seatgate = createSeatgate({
  ...base,
  roles: { permissions: permissions({ resources: { paper: ['read'] }, grants: {} }) },
  groups: groups(),
})
void new Hono()
  .use('/o/:org/g/:group/*', loadGroup(seatgate, { authenticate }))
  .get('/o/:org/g/:group', (c) => {
    c.var.group satisfies Group
    c.var.organization.id satisfies string
    void forGroup(papers, c.var)
    // @ts-expect-error: not a permission of this configuration
    can(c, 'paper:write')
    return c.json(can(c, 'paper:read'))
  })

// Behind the loader of organizations there is no group.
void new Hono<OrganizationEnv>()
  .use(loadOrganizationFromSlug(seatgate, { authenticate }))
  // @ts-expect-error: no group on c.var
  .get('/o/:org', (c) => c.text(forGroup(papers, c.var)))
void new Hono<GroupEnv>().get('/', (c) => c.text(c.var.group.name))

const without = createSeatgate(base)
// @ts-expect-error: the part is not configured
loadGroup(without, { authenticate })
// @ts-expect-error: a list of tables
void tenantDatabase(options.database, { groupTables: papers })
void tenantDatabase(options.database, { groupTables: [papers] })
