import { describe, expect, it } from 'vitest'
import { seatgateRouter } from '../../../../src/hono/index.ts'
import {
  addDomain,
  addMember,
  billing,
  changeRole,
  createInvitation,
  getMembership,
  joinOrganization,
  joinRules,
  removeMember,
  seatUsage,
  setEntitlement,
  suspendMember,
  verifyDomain,
} from '../../../../src/index.ts'
import { expandSeats, sweepBilling } from '../../../../src/parts/billing/index.ts'
import {
  codeOf,
  connected,
  createKit,
  enforcingOr,
  newAddress,
  newDomain,
  newUser,
  unwrap,
  userWith,
  shareOf,
} from '../../../kit/index.ts'

type Options = NonNullable<Parameters<typeof connected>[0]>

/** Routes that expand, over a stand-in for the provider. */
function expanding({ connection, ...options }: Options = {}) {
  const test = connected({
    joining: joinRules({ verifyDomain: () => true }),
    ...options,
    connection: { quantity: 'auto_expand', ...connection },
  })
  const growing = expandSeats(test.kit.seatgate, test.context.connection)
  const routes = seatgateRouter(growing, {
    authenticate: async (c) => ({ userId: c.req.header('x-user') ?? '' }),
    signIn: async () => 'a session',
  })
  async function ask(by: string, path: string, body: unknown = {}, key?: string) {
    const headers = {
      'content-type': 'application/json',
      'x-user': by,
      ...(key !== undefined && { 'idempotency-key': key }),
    }
    const request = { method: 'POST', headers, body: JSON.stringify(body) }
    const response = await routes.request(path, request)
    await test.kit.settled()
    return { status: response.status, body: (await response.json()) as Record<string, unknown> }
  }
  return { test, growing, ask }
}

type World = ReturnType<typeof expanding>
type Paying = Awaited<ReturnType<World['test']['subscribed']>>

const bought = ({ test }: World, { subscriptionId }: Paying) =>
  test.standIn.state.subscriptions[subscriptionId]!.items.data[0]!.quantity

/** How often the provider was asked to change a quantity. */
const raises = ({ test: { standIn } }: World) =>
  standIn.asked.filter(
    ({ method, path }) => method === 'POST' && path.startsWith('/v1/subscriptions/')
  ).length

const usage = async ({ test }: World, organization: Paying) => {
  const { limit, held, reserved } = unwrap(
    await seatUsage(test.kit.seatgate, organization.asOperator)
  )
  return { limit, used: held + reserved }
}

const member = async () => ({ userId: await newUser(), role: 'member' })

const add = async ({ ask }: World, { owner, id }: Paying, key?: string) =>
  ask(owner, `/organizations/${id}/members`, await member(), key)

async function domainOf({ test }: World, organization: Paying, mode: 'auto' | 'request') {
  const scope = organization.as(organization.owner)
  const added = unwrap(await addDomain(test.kit.seatgate, scope, { domain: newDomain(), mode }))
  return unwrap(await verifyDomain(test.kit.seatgate, scope, added.id)).domain
}

const onAcceptance = { invitationsHoldSeats: false }

const invited = async ({ test }: World, organization: Paying) => {
  const input = { email: newAddress(), role: 'member' }
  const made = await createInvitation(test.kit.seatgate, organization.as(organization.owner), input)
  await test.kit.settled()
  return unwrap(made)
}

/** Each way in, of an organization in which every seat is taken: the status of its response. */
const DOORS: readonly {
  readonly door: string
  readonly options?: Options
  /** The only provider whose seats expire by the clock of the test. */
  readonly only?: 'd1'
  come(world: World, organization: Paying): Promise<number>
}[] = [
  {
    door: 'add a member',
    come: async (world, organization) => (await add(world, organization)).status,
  },
  {
    door: 'invite',
    async come({ ask }, { owner, id }) {
      const invitation = { email: newAddress(), role: 'member' }
      return (await ask(owner, `/organizations/${id}/invitations`, invitation)).status
    },
  },
  {
    door: 'accept an invitation that holds no seat',
    options: onAcceptance,
    async come(world, organization) {
      const { token, email } = await invited(world, organization)
      return (await world.ask(await userWith(email), '/invitations/accept', { token })).status
    },
  },
  {
    door: 'accept with sign-up',
    options: onAcceptance,
    async come(world, organization) {
      const { token, email } = await invited(world, organization)
      const person = { token, email, password: 'a long password' }
      return (await world.ask('', '/invitations/accept-with-signup', person)).status
    },
  },
  {
    door: 'send an invitation again whose seat has expired',
    only: 'd1',
    async come(world, organization) {
      const { owner, id } = organization
      const { test, ask } = world
      const invitation = { email: newAddress(), role: 'member' }
      const made = await ask(owner, `/organizations/${id}/invitations`, invitation)
      test.advance(31 * 24 * 3600)
      test.standIn.asked.length = 0
      await fill(world, organization)
      const path = `/organizations/${id}/invitations/${String(made.body['id'])}/resend`
      return (await ask(owner, path)).status
    },
  },
  {
    door: 'join by the domain',
    async come(world, organization) {
      const domain = await domainOf(world, organization, 'auto')
      const comer = await userWith(`${crypto.randomUUID()}@${domain}`)
      return (await world.ask(comer, '/join-requests', { organizationId: organization.id })).status
    },
  },
  {
    door: 'approve a request',
    async come(world, organization) {
      const domain = await domainOf(world, organization, 'request')
      const comer = await userWith(`${crypto.randomUUID()}@${domain}`)
      const caller = { userId: comer }
      const input = { organizationId: organization.id }
      const asked = unwrap(await joinOrganization(world.test.kit.seatgate, { caller }, input))
      const id = 'request' in asked ? asked.request.id : ''
      const path = `/organizations/${organization.id}/join-requests/${id}/approve`
      return (await world.ask(organization.owner, path)).status
    },
  },
  {
    door: 'bring a suspended member back',
    async come(world, organization) {
      const { test, ask } = world
      const { owner, id } = organization
      const { userId } = (await add(world, organization)).body as { userId: string }
      unwrap(await suspendMember(test.kit.seatgate, organization.as(owner), userId))
      await test.kit.settled()
      await fill(world, organization)
      test.standIn.asked.length = 0
      return (await ask(owner, `/organizations/${id}/members/${userId}/restore`)).status
    },
  },
]

/** Takes the seats that are free, without a raise. */
async function fill({ test }: World, organization: Paying): Promise<void> {
  const { seatgate } = test.kit
  const scope = organization.as(organization.owner)
  while ((await addMember(seatgate, scope, await member())).ok);
  await test.kit.settled()
}

describe.each(enforcingOr('ledger'))(
  'with auto_expand and seats of the provider "%s"',
  (provider) => {
    it.each(
      shareOf(
        DOORS.filter(({ only = provider }) => only === provider),
        6
      )
    )('to $door buys one seat first, and no more [BILL-59]', async ({ options, come }) => {
      const world = expanding({ provider, ...options })
      const organization = await world.test.subscribed(1)
      const status = await come(world, organization)
      expect(status).toBeLessThan(300)
      const { limit, used } = await usage(world, organization)
      expect({ limit, used }).toEqual({ limit: used, used })
      expect([bought(world, organization), raises(world)]).toEqual([used, 1])
    })

    it('a free seat is taken without a call [BILL-22]', async () => {
      const world = expanding({ provider })
      const organization = await world.test.subscribed(2)
      world.test.standIn.asked.length = 0
      expect((await add(world, organization)).status).toBe(201)
      expect(world.test.standIn.asked).toEqual([])
    })

    it('no seat is bought for an operator who acts as a user [OP-3]', async () => {
      const world = expanding({ provider })
      const organization = await world.test.subscribed(1)
      world.test.standIn.asked.length = 0
      const caller = { userId: organization.owner, impersonatedBy: 'support-1' }
      const scope = { caller, organization: organization.id }
      const input = await member()
      expect(codeOf(await addMember(world.growing, scope, input))).toBe('seat_limit_reached')
      expect(world.test.standIn.asked).toEqual([])
      expect(await usage(world, organization)).toEqual({ limit: 1, used: 1 })
    })

    it('a refusal of the provider admits no member, and stays the answer under its key [BILL-59 SEAT-18]', async () => {
      const world = expanding({ provider })
      const organization = await world.test.subscribed(1)
      world.test.standIn.declines = true
      const input = await member()
      const path = `/organizations/${organization.id}/members`
      const ask = () => world.ask(organization.owner, path, input, 'once')
      const refused = await ask()
      expect(refused).toMatchObject({
        status: 409,
        body: { code: 'seat_limit_reached', limit: 1, used: 1, expansion: 'provider_refused' },
      })
      world.test.standIn.declines = false
      world.test.standIn.asked.length = 0
      expect(await ask()).toEqual(refused)
      expect(world.test.standIn.asked).toEqual([])
      expect(await usage(world, organization)).toEqual({ limit: 1, used: 1 })
    })

    it('an outage of the provider admits no member, and the same key succeeds after it', async () => {
      const world = expanding({ provider })
      const organization = await world.test.subscribed(1)
      world.test.standIn.fault = () => ({ status: 503 })
      const input = await member()
      const path = `/organizations/${organization.id}/members`
      const ask = () => world.ask(organization.owner, path, input, 'once')
      expect(await ask()).toMatchObject({
        status: 409,
        body: { code: 'seat_limit_reached', expansion: 'provider_unavailable' },
      })
      expect(world.test.reports.map(({ event }) => event)).toContain('billing_expand_failed')
      expect(await usage(world, organization)).toEqual({ limit: 1, used: 1 })
      world.test.standIn.fault = () => null
      const added = await ask()
      expect(added.status).toBe(201)
      world.test.standIn.asked.length = 0
      // The stored result is that of the end, and a repeat buys no seat.
      expect(await ask()).toEqual(added)
      expect(world.test.standIn.asked).toEqual([])
      expect(bought(world, organization)).toBe(2)
    })

    it('a promotion out of a role that takes no seat buys the seat first, or is refused [SEAT-20 BILL-59]', async () => {
      const world = expanding({
        provider,
        roles: ['owner', 'member', 'guest'],
        ownerRole: 'owner',
        invitationAdminRoles: ['owner'],
        seatlessRoles: ['guest'],
      })
      const { test, growing } = world
      const organization = await test.subscribed(1)
      const scope = organization.as(organization.owner)
      const userId = await newUser()
      const turn = async (role: string) => {
        const answer = await changeRole(growing, scope, userId, { role })
        await test.kit.settled()
        return answer
      }
      unwrap(await addMember(growing, scope, { userId, role: 'guest' }))
      expect([bought(world, organization), raises(world)]).toEqual([1, 0])

      test.standIn.declines = true
      expect(await turn('member')).toEqual({
        ok: false,
        error: { code: 'seat_limit_reached', limit: 1, used: 1, expansion: 'provider_refused' },
      })
      expect(await getMembership(growing, userId, organization.id)).toMatchObject({ role: 'guest' })
      expect(await usage(world, organization)).toEqual({ limit: 1, used: 1 })

      test.standIn.declines = false
      test.advance(3600)
      expect(unwrap(await turn('member'))).toMatchObject({ role: 'member' })
      expect(await usage(world, organization)).toEqual({ limit: 2, used: 2 })
      expect(bought(world, organization)).toBe(2)

      test.standIn.asked.length = 0
      unwrap(await turn('guest'))
      unwrap(await turn('member'))
      expect(await usage(world, organization)).toEqual({ limit: 2, used: 2 })
      expect(test.standIn.asked).toEqual([])
    })

    it.each([2, 5])('%i at once get a seat each, and no further seat is bought', async (count) => {
      const world = expanding({ provider })
      const organization = await world.test.subscribed(1)
      const answers = await Promise.all(
        Array.from({ length: count }, () => add(world, organization))
      )
      expect(answers.map(({ status }) => status)).toEqual(Array(count).fill(201))
      expect(await usage(world, organization)).toEqual({ limit: count + 1, used: count + 1 })
      expect(bought(world, organization)).toBe(count + 1)
    })

    it('the same request twice at once buys one seat', async () => {
      const world = expanding({ provider })
      const organization = await world.test.subscribed(1)
      const input = await member()
      const path = `/organizations/${organization.id}/members`
      const answers = await Promise.all(
        [1, 2].map(() => world.ask(organization.owner, path, input, 'once'))
      )
      expect(answers.map(({ status }) => status).some((status) => status === 201)).toBe(true)
      expect(bought(world, organization)).toBe(2)
      expect(await usage(world, organization)).toEqual({ limit: 2, used: 2 })
    })

    it('a seat that another caller has bought or freed since the read is taken, without a purchase', async () => {
      const world = expanding({ provider })
      const { test, growing } = world
      const organization = await test.subscribed(2)
      test.standIn.asked.length = 0
      const full = { code: 'seat_limit_reached', limit: 1, used: 1 } as const
      const purchase = () => ({
        caller: { userId: organization.owner },
        plan: { claims: [{ organizationId: organization.id }] as never },
        progress: { bought: 0 },
      })
      expect(await growing.buySeat?.(growing, purchase(), full)).toBeNull()
      const before = { ...full, limit: 2, used: 2 }
      expect(await growing.buySeat?.(growing, purchase(), before)).toBeNull()
      expect(test.standIn.asked).toEqual([])
    })

    it('a cap is not passed, and no seat is bought that it would take away', async () => {
      const plans = { team: { perSeat: true, prices: ['price_team'], cap: 2 } }
      const world = expanding({ provider, billing: billing({ plans, baseSeats: 3 }) })
      const organization = await world.test.subscribed(1)
      expect((await add(world, organization)).status).toBe(201)
      world.test.standIn.asked.length = 0
      const refused = await add(world, organization)
      expect(refused).toMatchObject({ status: 409, body: { limit: 2, used: 2 } })
      expect(refused.body).not.toHaveProperty('expansion')
      expect([bought(world, organization), world.test.standIn.asked]).toEqual([2, []])
    })

    it('numbers that an operator has set are not raised [MUSEUM-35]', async () => {
      const world = expanding({ provider })
      const { test } = world
      const organization = await test.subscribed(4)
      const contract = { purchased: 1, reason: 'a contract' }
      unwrap(await setEntitlement(test.kit.seatgate, organization.asOperator, contract))
      await test.kit.settled()
      test.standIn.asked.length = 0
      expect((await add(world, organization)).status).toBe(409)
      expect([bought(world, organization), test.standIn.asked]).toEqual([4, []])
    })

    it('a smaller number that is not sent yet takes no seat away', async () => {
      const world = expanding({ provider })
      const { test } = world
      const organization = await test.subscribed(4)
      const { owner, id } = organization
      test.standIn.fault = () => ({ status: 503 })
      await test.ask(owner, 'PUT', `/organizations/${id}/billing/seats`, { seats: 2 })
      await test.kit.settled()
      await fill(world, organization)
      test.standIn.fault = () => null
      expect((await add(world, organization)).status).toBe(201)
      test.advance(3600)
      await sweepBilling(test.context)
      expect(bought(world, organization)).toBe(5)
      expect(await usage(world, organization)).toEqual({ limit: 5, used: 5 })
    })
  }
)

describe('with auto_expand', () => {
  it('the library itself buys no seat: the waitlist stays as it is', async () => {
    const world = expanding({
      joining: joinRules({
        verifyDomain: () => true,
        whenFull: { domain: 'wait', request: 'wait' },
      }),
    })
    const { test, growing } = world
    const organization = await test.subscribed(1)
    const domain = await domainOf(world, organization, 'auto')
    const comer = await userWith(`${crypto.randomUUID()}@${domain}`)
    test.standIn.asked.length = 0
    const waiting = await world.ask(comer, '/join-requests', { organizationId: organization.id })
    expect(waiting).toMatchObject({ status: 202, body: { status: 'waiting' } })
    expect(test.standIn.asked).toEqual([])
    // A seat that becomes free is for who waits, and for nobody who is added meanwhile.
    unwrap(await setEntitlement(growing, organization.asOperator, { addOns: 1, reason: 'a gift' }))
    await test.kit.settled()
    expect(await usage(world, organization)).toEqual({ limit: 2, used: 2 })
    expect(test.standIn.asked).toEqual([])
  })

  it('a free seat is for the user who waits: the next caller is refused, and no seat is bought', async () => {
    const world = expanding({
      joining: joinRules({ verifyDomain: () => true, whenFull: { domain: 'wait' } }),
    })
    const { test } = world
    const organization = await test.subscribed(2)
    const leaving = await test.join(organization)
    const domain = await domainOf(world, organization, 'auto')
    const comer = await userWith(`${crypto.randomUUID()}@${domain}`)
    await world.ask(comer, '/join-requests', { organizationId: organization.id })
    // Without joining no user is taken from the waitlist at once.
    const hasty = createKit({ provider: 'd1' })
    const scope = organization.as(organization.owner)
    unwrap(await removeMember(hasty.seatgate, scope, leaving))
    await hasty.settled()
    test.standIn.asked.length = 0
    expect(await add(world, organization)).toMatchObject({
      status: 409,
      body: { code: 'seat_limit_reached', limit: 2, used: 1 },
    })
    expect([bought(world, organization), test.standIn.asked]).toEqual([2, []])
  })

  it('without a subscription that has seats a full organization is refused without a call', async () => {
    const world = expanding()
    const { test } = world
    const organization = await test.subscribed(1, 'price_flat')
    for (let more = 1; more < 10; more++) await add(world, organization)
    test.standIn.asked.length = 0
    expect((await add(world, organization)).status).toBe(409)
    expect(test.standIn.asked).toEqual([])
  })

  it('a crash after the raise leaves a seat that the next caller takes without another raise', async () => {
    const world = expanding()
    const { test } = world
    const organization = await test.subscribed(1)
    // As if the Worker had ended between the provider's answer and the batch.
    await test.context.connection.provider.setQuantity(
      { subscriptionId: organization.subscriptionId, priceId: 'price_team', quantity: 2 },
      { idempotencyKey: 'a crash' }
    )
    expect((await add(world, organization)).status).toBe(201)
    expect(bought(world, organization)).toBe(2)
    expect(await usage(world, organization)).toEqual({ limit: 2, used: 2 })
  })

  it.each(['hard_cap', 'true_up'] as const)(
    'is the only mode that does so: %s',
    async (quantity) => {
      const world = expanding({ connection: { quantity } })
      const organization = await world.test.subscribed(1)
      world.test.standIn.asked.length = 0
      expect((await add(world, organization)).status).toBe(409)
      expect(world.test.standIn.asked).toEqual([])
    }
  )

  it('a member who leaves frees a seat that the next one takes', async () => {
    const world = expanding()
    const { test, growing } = world
    const organization = await test.subscribed(1)
    const { userId } = (await add(world, organization)).body as { userId: string }
    const scope = organization.as(organization.owner)
    unwrap(await removeMember(growing, scope, userId))
    await test.kit.settled()
    expect(codeOf(await addMember(growing, scope, await member()))).toBe('ok')
    expect(bought(world, organization)).toBe(2)
  })
})
