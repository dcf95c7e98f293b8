import { describe, expect, it } from 'vitest'
import {
  addDomain,
  getMembership,
  joinOrganization,
  joinRules,
  listAuditEvents,
  restoreOrganization,
  verifyDomain,
} from '../../../../src/index.ts'
import { sweepBilling } from '../../../../src/parts/billing/index.ts'
import { sweepHandler } from '../../../../src/worker/index.ts'
import {
  connected,
  enforcing,
  newDomain,
  softDeleted,
  unwrap,
  userWith,
  type Connected,
} from '../../../kit/index.ts'

type Paying = Awaited<ReturnType<Connected['subscribed']>>

/** The metadata of the events of a subscription, oldest first. */
async function eventsOf(
  { kit }: Connected,
  organization: Paying,
  action: 'subscription_change' | 'cancel_scheduled' | 'subscription_end'
) {
  const { data } = unwrap(
    await listAuditEvents(kit.seatgate, organization.as(organization.owner), {
      action: `organization.billing.${action}`,
    })
  )
  return data.map(({ metadata }) => metadata).toReversed()
}

it.each(enforcing)(
  'a restored organization has no seats of the subscription that ended with it, %s seats [ORG-32]',
  async (provider) => {
    const test = connected({ provider })
    const organization = await test.subscribed(8)
    await softDeleted(test.kit.seatgate, organization)
    await sweepBilling(test.context)
    await test.deliverAll()
    const caller = { type: 'system' } as const
    unwrap(await restoreOrganization(test.kit.seatgate, { caller }, organization.id))
    await test.kit.settled()
    await sweepHandler(test.kit.seatgate)()
    await test.kit.settled()
    expect(await test.limit(organization)).toBe(3)
  }
)

describe('the trail of a subscription', () => {
  it('has a change of the quantity, and no event for an update that changes no part of it', async () => {
    const test = connected()
    const organization = await test.subscribed(4)
    test.advance(10)
    test.standIn.change(organization.subscriptionId, (one) => (one.items.data[0]!.quantity = 7))
    await test.deliverAll()
    test.advance(10)
    test.standIn.change(organization.subscriptionId, () => {})
    await test.deliverAll()
    expect(await eventsOf(test, organization, 'subscription_change')).toMatchObject([
      { quantity: 4, status: 'active', old_status: null },
      { quantity: 7, status: 'active', old_status: 'active' },
    ])
  })

  it('has the end of a subscription once, and no cancellation that is ahead of it [BILL-47]', async () => {
    const test = connected()
    const organization = await test.subscribed(4)
    test.advance(10)
    const end = test.standIn.time
    // Canceled at once: Stripe fills in when the cancellation takes effect as well.
    test.standIn.change(organization.subscriptionId, (one) =>
      Object.assign(one, {
        status: 'canceled',
        cancel_at: end,
        canceled_at: end,
        ended_at: end,
      })
    )
    await test.deliverAll()
    test.advance(10)
    test.standIn.change(organization.subscriptionId, () => {})
    await test.deliverAll()
    expect(await eventsOf(test, organization, 'cancel_scheduled')).toEqual([])
    expect(await eventsOf(test, organization, 'subscription_end')).toMatchObject([
      { at: new Date(end * 1000).toISOString() },
    ])
  })
})

describe.each(enforcing)('seats that a webhook brings, with %s seats', (provider) => {
  it('are given at once to the user who waits', async () => {
    const test = connected({
      provider,
      joining: joinRules({ verifyDomain: () => true, whenFull: { domain: 'wait' } }),
    })
    const { seatgate, settled } = test.kit
    const organization = await test.subscribed(1)
    const scope = organization.as(organization.owner)
    const input = { domain: newDomain(), mode: 'auto' as const }
    const added = unwrap(await addDomain(seatgate, scope, input))
    const { domain } = unwrap(await verifyDomain(seatgate, scope, added.id))
    const userId = await userWith(`${crypto.randomUUID()}@${domain}`)
    const caller = { caller: { userId } }
    const joined = await joinOrganization(seatgate, caller, { organizationId: organization.id })
    expect(unwrap(joined).status).toBe('waiting')
    await settled()
    test.advance(10)
    test.standIn.change(organization.subscriptionId, (one) => (one.items.data[0]!.quantity = 2))
    await test.deliverAll()
    expect(await getMembership(seatgate, userId, organization.id)).toMatchObject({
      status: 'active',
    })
  })
})

describe('a state that the provider answered before a newer one was applied', () => {
  it('is skipped even if both are of the same second, and read again [BILL-70]', async () => {
    const [asked, held] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    let holds = false
    const test: Connected = connected({
      stripe: {
        async fetch(input, init) {
          const response = await test.standIn.fetch(input, init)
          if (holds) {
            holds = false
            asked.resolve()
            await held.promise
          }
          return response
        },
      },
    })
    const organization = await test.subscribed(4)
    const buy = async (quantity: number) => {
      test.standIn.change(
        organization.subscriptionId,
        (one) => (one.items.data[0]!.quantity = quantity)
      )
      expect(await test.deliver(test.standIn.takeEvents()[0]!)).toBe(200)
    }
    holds = true
    await buy(5)
    await asked.promise
    await buy(9)
    // The first event is at work until its answer comes, so that not all work has ended.
    for (let reads = 0; reads < 500 && (await test.limit(organization)) !== 9; reads++);
    expect(await test.limit(organization)).toBe(9)
    held.resolve()
    await test.kit.settled()
    expect(await test.limit(organization)).toBe(9)
    expect(await eventsOf(test, organization, 'subscription_change')).toMatchObject([
      { quantity: 4 },
      { quantity: 9 },
    ])
  })
})
