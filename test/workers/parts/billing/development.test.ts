import { beforeAll, describe, expect, it } from 'vitest'
import { devBilling, PLANS } from '../../../../host/billing/dev-billing.ts'
import { billing, getBilling, renameOrganization } from '../../../../src/index.ts'
import {
  add,
  createKit,
  newOrganization,
  testEnv,
  unwrap,
  type TestOrganization,
} from '../../../kit/index.ts'

const dev = devBilling(testEnv.DB, 'http://seatgate.test')
const kit = createKit({
  now: dev.now,
  billing: billing({ plans: PLANS, baseSeats: 1, lapsedSeats: PLANS.free.included }),
})
const routes = dev.routes(kit.seatgate)

beforeAll(() => dev.ready())

async function atProvider({ id }: TestOrganization, event: object): Promise<number> {
  const { status } = await routes.request(`/dev/billing/${id}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(event),
  })
  await kit.settled()
  return status
}

const view = async (organization: TestOrganization) =>
  unwrap(await getBilling(kit.seatgate, organization.as(organization.owner)))

/** Adds members until one is refused, and returns how many seats are in use then. */
async function fill(organization: TestOrganization) {
  for (let tries = 0; tries < 20; tries++) {
    const added = await add(kit, organization)
    await kit.settled()
    if (!added.ok) {
      expect(added.error.code).toBe('seat_limit_reached')
      return (await view(organization)).seats.used
    }
  }
  return Infinity
}

describe('the provider of development', () => {
  it.each([
    ['free', 3],
    ['flat', 10],
    ['team', 5],
  ])('sells the plan %s: %i members join, and no more', async (plan, limit) => {
    const organization = await newOrganization(kit)
    expect(await fill(organization)).toBe(1)
    expect(await atProvider(organization, { event: 'checkout_completed', plan, seats: 5 })).toBe(
      202
    )
    expect(await view(organization)).toMatchObject({
      plan,
      status: 'active',
      granting: true,
      seats: { limit, used: 1, purchased: plan === 'team' ? 5 : 0 },
    })
    expect(await fill(organization)).toBe(limit)

    expect(await atProvider(organization, { event: 'payment_failed' })).toBe(202)
    const isInGrace = plan === 'team'
    expect(await view(organization)).toMatchObject({
      status: 'past_due',
      granting: isInGrace,
      reason: isInGrace ? 'granted_by_grace' : 'past_due',
      seats: { limit: isInGrace ? 5 : 3, used: limit },
    })
    expect(await atProvider(organization, { event: 'payment_succeeded' })).toBe(202)
    expect(await view(organization)).toMatchObject({ status: 'active', seats: { limit } })

    expect(await atProvider(organization, { event: 'canceled' })).toBe(202)
    expect(await view(organization)).toMatchObject({
      granting: false,
      reason: 'canceled',
      seats: { limit: 3, used: limit },
    })
  })

  it('moves an organization from one plan to another', async () => {
    const organization = await newOrganization(kit)
    for (const [plan, limit] of [
      ['free', 3],
      ['team', 7],
      ['flat', 10],
      ['free', 3],
    ] as const) {
      const event = { event: 'checkout_completed', plan, seats: 7 }
      expect(await atProvider(organization, event)).toBe(202)
      expect(await view(organization)).toMatchObject({ plan, status: 'active', seats: { limit } })
    }
  })

  it('keeps the customer of an organization that is renamed', async () => {
    const organization = await newOrganization(kit)
    const event = { event: 'checkout_completed', plan: 'flat' }
    expect(await atProvider(organization, event)).toBe(202)
    const scope = organization.as(organization.owner)
    unwrap(await renameOrganization(kit.seatgate, scope, { name: 'Renamed' }))
    expect(await atProvider(organization, { event: 'payment_failed' })).toBe(202)
    expect(await view(organization)).toMatchObject({ status: 'past_due' })
  })
})
