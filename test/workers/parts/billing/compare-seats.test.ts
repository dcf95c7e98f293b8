import { describe, expect, it } from 'vitest'
import { codeOf, connected, enforcing, newUser, testEnv, unwrap } from '../../../kit/index.ts'
import { compareSeats, sweepBilling } from '../../../../src/parts/billing/index.ts'

const HOURS = 60 * 60

describe.each(enforcing)('the three-way comparison, with %s seats', (provider) => {
  const scene = async () => {
    const test = connected({ provider })
    const organization = await test.subscribed(3)
    await test.join(organization)
    const compare = async () => unwrap(await compareSeats(test.context, host(organization)))
    const item = () => test.standIn.state.subscriptions[organization.subscriptionId]!.items.data[0]!
    return { test, organization, compare, item }
  }
  const host = ({ id }: { id: string }) =>
    ({ caller: { type: 'system' }, organization: id }) as const

  it('agrees while members, seats and quantity agree [SEAT-35]', async () => {
    const { compare } = await scene()
    expect(await compare()).toEqual({
      members: 2,
      seats: 2,
      quantity: 3,
      recorded: 3,
      mismatches: [],
    })
  })

  it('reports a quantity that no event has brought, and too small a one [SEAT-35]', async () => {
    const { compare, item } = await scene()
    item().quantity = 5
    expect(await compare()).toMatchObject({ quantity: 5, mismatches: ['quantity_and_record'] })
    item().quantity = 1
    expect((await compare()).mismatches).toEqual(['quantity_and_record', 'members_and_quantity'])
  })

  it('reports a member whom the seat provider does not count [SEAT-35]', async () => {
    const { compare, organization, test } = await scene()
    const userId = await newUser()
    await testEnv.DB.prepare(
      `INSERT INTO seatgate_memberships (id, organization_id, user_id, role, status, seat_id, created_at, updated_at)
       VALUES (?, ?, ?, 'member', 'active', ?, 1, 1)`
    )
      .bind(crypto.randomUUID(), organization.id, userId, crypto.randomUUID())
      .run()
    const differs = provider === 'ledger' ? ['members_and_seats'] : []
    expect(await compare()).toMatchObject({ members: 3, mismatches: differs })
    test.advance(7 * HOURS)
    await sweepBilling(test.context)
    const reported = test.reports.filter(({ event }) => event === 'seats_differ')
    expect(reported.map(({ organizationId }) => organizationId)).toEqual(
      differs.map(() => organization.id)
    )
  })

  it('has no quantity without a subscription by the seat [SEAT-35]', async () => {
    const test = connected({ provider })
    const organization = await test.customer()
    expect(unwrap(await compareSeats(test.context, host(organization)))).toEqual({
      members: 1,
      seats: 1,
      quantity: null,
      recorded: null,
      mismatches: [],
    })
  })

  it('is for operators and the host; for others the organization does not exist [SEAT-35]', async () => {
    const { test, organization } = await scene()
    const { id, owner } = organization
    const asked = compareSeats(test.context, { caller: { userId: owner }, organization: id })
    expect(codeOf(await asked)).toBe('organization_not_found')
    const unknown = compareSeats(test.context, { caller: { type: 'system' }, organization: 'x' })
    expect(codeOf(await unknown)).toBe('organization_not_found')
  })
})
