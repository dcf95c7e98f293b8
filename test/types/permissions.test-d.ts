/**
 * Permissions as literals, from the configuration to a route. `tsc` is the test: an expected error that
 * does not come is an error.
 */
import { Hono } from 'hono'
import {
  can,
  loadActiveOrganization,
  loadOrganizationFromSlug,
  requirePermission,
  type OrganizationEnv,
} from '../../src/hono/index.ts'
import {
  createSeatgate,
  d1Seats,
  permissions,
  seatTypes,
  type Seatgate,
  type SeatgateOptions,
} from '../../src/index.ts'

declare const options: SeatgateOptions
const base = { database: options.database, seats: d1Seats(), sessions: 'none' } as const

const seatgate = createSeatgate({
  ...base,
  roles: {
    all: ['boss', 'worker'],
    owner: 'boss',
    permissions: permissions({
      resources: { project: ['read', 'delete'], invoice: ['read'] },
      grants: { worker: ['project:read', 'members:invite', 'invoice:*'] },
    }),
    seatTypes: seatTypes({ light: { roles: ['worker'] } }),
  },
})
void createSeatgate({
  ...base,
  roles: {
    permissions: permissions({
      resources: { project: ['read'] },
      // @ts-expect-error: the resource has no such action
      grants: { member: ['project:delete'] },
    }),
  },
})
void createSeatgate({
  ...base,
  roles: {
    permissions: permissions({
      resources: { project: ['read'] },
      // @ts-expect-error: there is no such resource
      grants: { member: ['invoice:*'] },
    }),
  },
})
void createSeatgate({
  ...base,
  roles: {
    all: ['boss', 'worker'],
    owner: 'boss',
    // @ts-expect-error: there is no such role
    permissions: permissions({ grants: { clerk: ['members:invite'] } }),
  },
})
void createSeatgate({
  ...base,
  roles: {
    all: ['boss', 'worker'],
    owner: 'boss',
    invitationAdmins: ['boss'],
    // @ts-expect-error: there is no such role
    seatTypes: seatTypes({ light: { roles: ['clerk'] } }),
  },
})
// Without permissions of the host there are those of the library.
const plain = createSeatgate({
  ...base,
  roles: { permissions: permissions({ grants: { member: ['members:*', '*'] } }) },
})
void requirePermission(plain, 'audit:read')
// @ts-expect-error: not a permission of the library
void requirePermission(plain, 'project:read')

void requirePermission(seatgate, 'project:delete')
void requirePermission(seatgate, 'members:manage')
// @ts-expect-error: the resource has no such action
void requirePermission(seatgate, 'invoice:delete')
// @ts-expect-error: a wildcard is a grant, not a permission
void requirePermission(seatgate, 'project:*')

const authenticate = () => null
void new Hono()
  .use('/o/:org/*', loadOrganizationFromSlug(seatgate, { authenticate }))
  .get('/o/:org/a', (c) => c.json(can(c, 'project:delete')))
  // @ts-expect-error: there is no such permission
  .get('/o/:org/b', (c) => c.json(can(c, 'project:destroy')))
  .get('/o/:org/c', requirePermission(seatgate, 'project:read'), (c) =>
    c.json(can(c, 'invoice:read'))
  )
void new Hono()
  .use(loadActiveOrganization(seatgate, { authenticate }))
  .get('/', (c) => c.json(can(c, 'audit:read')))
  // @ts-expect-error: there is no such permission
  .get('/b', (c) => c.json(can(c, 'audit:write')))

type Allowed = typeof seatgate extends Seatgate<string, infer _, infer P> ? P : never
void new Hono<OrganizationEnv<Allowed>>().get('/', (c) => {
  // @ts-expect-error: there is no such permission
  can(c, 'project:destroy')
  return c.json(can(c, 'project:read'))
})
// Without a loader there is nothing to decide on.
// @ts-expect-error: no loader runs before it
void new Hono().get('/', (c) => c.json(can(c, 'project:read')))

// A function that takes any configuration takes this one, and any permission.
const mayDelete = (any: Seatgate) => requirePermission(any, 'project:delete')
void mayDelete(seatgate)
