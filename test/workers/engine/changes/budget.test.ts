import { Hono } from 'hono'
import { beforeAll, describe, expect, it } from 'vitest'
import { createMeter, type Cost } from '../../../../bench/meter.ts'
import { operationsOn } from '../../../../bench/operations.ts'
import {
  loadActiveOrganization,
  requireMembership,
  requireOrganizationMfa,
  requireRole,
} from '../../../../src/hono/index.ts'
import {
  countMembersWithoutMfa,
  listOrganizations,
  listOrganizationsForUser,
  putActiveOrganization,
  selectActiveOrganization,
  type AfterStates,
  type Hooks,
  type LifecycleHook,
} from '../../../../src/index.ts'
import {
  putBookends,
  createKit,
  testEnv,
  unwrap,
  largeOrganization,
  newUser,
  signedIn,
  type Provider,
  type KitOptions,
} from '../../../kit/index.ts'

// Sign-in and authorization are in every number: the caller is a session that is looked up.
const SIZES = [10, 1_000, 10_000]

type Costs = Record<string, Cost>

const onDelete: LifecycleHook = (statements) => ({ ok: true, statements })

async function costsAt(
  members: number,
  provider: Provider,
  options: KitOptions = {}
): Promise<Costs> {
  const meter = createMeter()
  const around = meter.around
  const kit = createKit({
    provider,
    around,
    lifecycle: { onDelete },
    invitationLimits: {},
    ...options,
  })
  const costs: Costs = {}
  for (const [operation, act] of Object.entries(await operationsOn(kit, members))) {
    const [answer, spent] = await meter.measure(act, kit.settled)
    unwrap(answer)
    costs[operation] = spent
  }
  return costs
}

/** What each operation waits for: trips in sequence, of which to D1, and calls to the ledger in all. */
const TRIPS: Record<string, [inSequence: number, d1Trips: number, ledgerCalls: number]> = {
  'read organization': [1, 1, 0],
  'set active organization': [2, 2, 0],
  'load request': [1, 1, 0],
  'list members (50)': [1, 1, 0],
  'list members (5)': [1, 1, 0],
  'count members': [1, 1, 0],
  'list organizations': [1, 1, 0],
  'read seats': [2, 1, 1],
  // The second call to the ledger confirms, after the answer.
  'add member': [3, 2, 2],
  'change role': [2, 2, 0],
  // The freed seat is waited for: whoever is told of a departure can use it at once.
  'suspend member': [3, 2, 1],
  'restore member': [3, 2, 2],
  invite: [3, 2, 2],
  'invite again': [3, 2, 2],
  'resend invitation': [3, 2, 2],
  'view invitation': [1, 1, 0],
  'list invitations': [1, 1, 0],
  'list own invitations': [1, 1, 0],
  'explain seats': [2, 1, 1],
  // Before the password is hashed, the token is looked at.
  'accept invitation with sign-up': [4, 3, 2],
  'invite (to decline)': [3, 2, 2],
  'decline invitation': [3, 2, 1],
  'invite (to revoke)': [3, 2, 2],
  'revoke invitation': [3, 2, 1],
  'invite (to accept)': [3, 2, 2],
  'accept invitation': [3, 2, 2],
  'rename organization': [2, 2, 0],
  'change slug': [2, 2, 0],
  'transfer ownership': [2, 2, 0],
  'remove member': [3, 2, 1],
  'delete user': [3, 2, 1],
  'delete organization': [2, 2, 0],
  'restore organization': [2, 2, 0],
  // One call reserves all; each is confirmed for itself, after the answer.
  'invite ten': [3, 2, 11],
  'create organization': [2, 2, 0],
}

const pages = import.meta.glob(['../../../../docs/costs.md'], {
  query: '?raw',
  import: 'default',
  eager: true,
})
const costsPage = pages['../../../../docs/costs.md'] ?? ''

/** The first number that docs/costs.md has behind a text. */
const numberBehind = (text: string) =>
  Number(costsPage.slice(costsPage.indexOf(text) + text.length).match(/\d+/)?.[0])

const timesOf = (name: string) => (name === 'invite ten' ? 10 : 1)

describe('the cost of an operation', () => {
  const ledger = new Map<number, Costs>()
  beforeAll(async () => {
    await putBookends()
    for (const members of SIZES) ledger.set(members, await costsAt(members, 'ledger'))
  }, 120_000)

  it.each(SIZES)(
    'adding waits for three trips, one of them to the ledger (%i) [SEAT-5]',
    (size) => {
      expect(ledger.get(size)!['add member']).toMatchObject({
        inSequence: 3,
        d1Trips: 2,
        ledgerCalls: 2,
      })
    }
  )

  it.each(SIZES)('every operation waits for as many trips as it is said to (%i)', (size) => {
    const found = Object.entries(ledger.get(size)!).map(
      ([name, { inSequence, d1Trips, ledgerCalls }]) => [name, [inSequence, d1Trips, ledgerCalls]]
    )
    expect(Object.fromEntries(found)).toEqual(TRIPS)
  })

  it('every operation reads as many rows at ten members as at ten thousand [SEAT-5]', () => {
    const [few, ...more] = SIZES.map((size) => ledger.get(size)!)
    for (const [name, { rowsRead }] of Object.entries(few!)) {
      // Ten members do not fill a page of fifty, or the hundred that an explanation names.
      if (name === 'list members (50)' || name === 'explain seats') continue
      expect(rowsRead, name).toBeGreaterThan(0)
      expect(rowsRead, name).toBeLessThan(50 * timesOf(name))
      for (const costs of more) expect(costs[name]?.rowsRead, name).toBe(rowsRead)
    }
  })

  it('every operation writes as many rows at ten members as at ten thousand [SEAT-5]', () => {
    const [few, ...more] = SIZES.map((size) => ledger.get(size)!)
    for (const [name, { rowsWritten }] of Object.entries(few!)) {
      // An event is five rows: itself, its id, and what it is found by (actor, target, action).
      expect(rowsWritten, name).toBeLessThan(32 * timesOf(name))
      for (const costs of more) expect(costs[name]?.rowsWritten, name).toBe(rowsWritten)
    }
  })

  it('inviting waits for three trips, accepting for three or four, ten as for one [INV-33 SEAT-5]', () => {
    for (const size of SIZES) {
      const costs = ledger.get(size)!
      for (const name of ['invite', 'invite again', 'resend invitation', 'invite ten']) {
        expect(costs[name], name).toMatchObject({ inSequence: 3, d1Trips: 2 })
      }
      expect(costs['accept invitation']).toMatchObject({ inSequence: 3, d1Trips: 2 })
      expect(costs['accept invitation with sign-up']).toMatchObject({ inSequence: 4, d1Trips: 3 })
    }
  })

  it('docs/costs.md has the measured costs with a ledger', () => {
    const costs = ledger.get(10_000)!
    expect(numberBehind('| add a member ')).toBe(costs['add member']!.inSequence)
    expect(numberBehind('| read an organization ')).toBe(costs['read organization']!.inSequence)
    expect(numberBehind('| remove a member ')).toBe(costs['remove member']!.inSequence)
    expect(numberBehind('| rows read to add one to 10,000 members ')).toBe(
      costs['add member']!.rowsRead
    )
  })

  it('an explanation reads the hundred that it names, of 1,000 as of 10,000', () => {
    const [some, many] = [1_000, 10_000].map((size) => ledger.get(size)!['explain seats']!)
    expect(some!.rowsRead).toBeGreaterThan(100)
    expect(some!.rowsRead).toBeLessThan(300)
    expect(many!.rowsRead).toBe(some!.rowsRead)
  })

  it('a page of 50 members reads as many rows of 1,000 as of 10,000', () => {
    const [some, many] = [1_000, 10_000].map((size) => ledger.get(size)!['list members (50)']!)
    expect(some!.rowsRead).toBeGreaterThan(50)
    expect(some!.rowsRead).toBeLessThan(150)
    expect(many!.rowsRead).toBe(some!.rowsRead)
  })

  it('D1 alone admits in two trips, and reads one count and no row per member [SEAT-5]', async () => {
    const [few, many] = [await costsAt(10, 'd1'), await costsAt(10_000, 'd1')]
    expect(numberBehind('adding and removing a member take')).toBe(many['add member']!.inSequence)
    expect(numberBehind('members reads')).toBe(many['add member']!.rowsRead)
    for (const operation of [
      'add member',
      'restore member',
      'read seats',
      'invite',
      'accept invitation',
    ]) {
      expect(few[operation], operation).toMatchObject({ inSequence: 2, d1Trips: 2, ledgerCalls: 0 })
      expect(few[operation]!.rowsRead, operation).toBeLessThan(60)
      expect(many[operation], operation).toEqual(few[operation])
    }
  })

  it('after-hooks add no trip before the answer', async () => {
    const called: string[] = []
    const hooks = Object.fromEntries(
      AFTER_HOOKS.map((name) => [name, async () => void called.push(name)])
    ) as Hooks
    const hooked = await costsAt(10, 'ledger', { hooks })
    expect(new Set(called)).toEqual(new Set(AFTER_HOOKS))
    const waits = (costs: Costs) =>
      Object.entries(costs).map(([name, { inSequence }]) => [name, inSequence])
    expect(waits(hooked)).toEqual(waits(ledger.get(10)!))
    // What is done for them is done afterwards.
    expect(hooked['add member']!.d1Trips).toBe(3)
  })
})

const AFTER_HOOKS = [
  'afterCreateOrganization',
  'afterDeleteOrganization',
  'afterAddMember',
  'afterMemberRemove',
  'afterRoleChange',
  'afterTransfer',
] as const satisfies readonly (keyof AfterStates)[]

describe('the cost of a request', () => {
  it('loads session, organization and membership and passes every guard in one trip', async () => {
    const kit = createKit()
    const organization = await largeOrganization(kit, 10)
    const caller = await signedIn(kit, organization.owner)
    unwrap(await putActiveOrganization(kit.seatgate, { caller }, organization.id))
    await kit.settled()
    const { seatgate } = kit
    const app = new Hono().get(
      '/',
      loadActiveOrganization(seatgate, { authenticate: () => caller }),
      requireMembership(seatgate),
      requireRole(seatgate, 'owner'),
      requireOrganizationMfa(seatgate, { mfaCheck: () => false }),
      (c) => c.text(c.var.organization.id)
    )
    const before = kit.trips()
    const response = await app.request('/')
    expect(await response.text()).toBe(organization.id)
    expect(kit.trips() - before).toBe(1)
  })

  it('lists the 100 organizations of a user in one trip, and a row or two for each', async () => {
    const meter = createMeter()
    const kit = createKit({ around: meter.around })
    const { seatgate } = kit
    const userId = await newUser()
    await joinHundred(userId)
    const caller = await signedIn(kit, userId)
    const ways: [string, number, () => Promise<{ readonly length: number }>][] = [
      [
        'a page',
        100,
        async () => unwrap(await listOrganizations(seatgate, { caller }, { limit: 200 })).data,
      ],
      ['all', 100, () => listOrganizationsForUser(seatgate, userId)],
      [
        'the choice',
        100,
        async () => {
          const selection = await selectActiveOrganization(seatgate, userId)
          return selection.kind === 'multiple' ? selection.organizations : []
        },
      ],
    ]
    for (const [what, length, act] of ways) {
      const [found, cost] = await meter.measure(act, kit.settled)
      expect(found.length, what).toBe(length)
      expect(cost, what).toMatchObject({ inSequence: 1, d1Trips: 1, ledgerCalls: 0 })
      expect(cost.rowsRead, what).toBeLessThan(500)
    }
  })
})

/** Somebody in a hundred organizations, put there by SQL. */
async function joinHundred(userId: string): Promise<void> {
  const numbers = JSON.stringify(Array.from({ length: 100 }, (_, index) => index))
  await testEnv.DB.batch([
    testEnv.DB.prepare(
      `INSERT INTO seatgate_organizations (id, name, slug, owner_user_id, created_at, updated_at)
       SELECT 'o' || value || ?1, 'Acme', 'o' || value || ?1, ?1, value, value FROM json_each(?2)`
    ).bind(userId, numbers),
    testEnv.DB.prepare(
      `INSERT INTO seatgate_memberships (id, organization_id, user_id, role, seat_id, created_at, updated_at)
       SELECT 'm' || value || ?1, 'o' || value || ?1, ?1, 'owner', 's' || value || ?1, value, value
       FROM json_each(?2)`
    ).bind(userId, numbers),
  ])
}

describe('the meter', () => {
  it('counts trips that wait for one another, and not those beside or after them', async () => {
    const { around, measure } = createMeter()
    const d1 = { store: 'd1', asked: [] } as const
    const gate = Promise.withResolvers<void>()
    const later: Promise<unknown>[] = []
    const trip = () => around(d1, async () => {})
    const [, cost] = await measure(
      async () => {
        await trip()
        await Promise.all([trip(), trip(), trip()])
        await trip()
        later.push(around(d1, () => gate.promise))
      },
      async () => {
        gate.resolve()
        await Promise.all(later)
      }
    )
    expect(cost).toMatchObject({ inSequence: 3, d1Trips: 6 })
  })

  it('allows a row per member for operations that need one', async () => {
    const rowsAt = async (members: number) => {
      const { around, measure } = createMeter()
      const kit = createKit({ around })
      const organization = await largeOrganization(kit, members)
      const scope = organization.as(organization.owner)
      const [, { rowsRead }] = await measure(
        async () => unwrap(await countMembersWithoutMfa(kit.seatgate, scope)),
        kit.settled
      )
      return rowsRead
    }
    expect(await rowsAt(10)).toBeLessThan(50)
    expect(await rowsAt(1_000)).toBeGreaterThan(1_000)
  })
})
