/**
 * The rows that billing reads: no more with many stored events, subscriptions of others, and members.
 */
import { expect, it } from 'vitest'
import { removeMember } from '../../../../src/index.ts'
import { sweepBilling } from '../../../../src/parts/billing/index.ts'
import { connected, createRowMeter, crowd, testEnv } from '../../../kit/index.ts'

const FEW = 10
const MANY = 3000

/** Puts so many events there that were applied, and as many subscriptions of live organizations. */
async function seed(organizationId: string, count: number): Promise<void> {
  await testEnv.DB.batch([
    testEnv.DB.prepare(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
       INSERT INTO seatgate_billing_inbox (provider, account, mode, event_id, type, subscription_id,
         customer_id, status, attempts, received_at, finished_at)
       SELECT 'stripe', 'a', 'test', ?2 || i, 'customer.subscription.updated', 's' || i, 'c' || i,
         'succeeded', 1, 1772323200000, 1772323200000 FROM n`
    ).bind(count, organizationId),
    testEnv.DB.prepare(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
       INSERT INTO seatgate_subscriptions (provider, subscription_id, organization_id, customer_id,
         status, paused, version, synced_at)
       SELECT 'other', ?2 || i, ?2, 'c' || i, 'active', 0, 1, 1772323200000 FROM n`
    ).bind(count, organizationId),
  ])
}

async function rowsRead(count: number): Promise<Readonly<Record<string, number>>> {
  const { around, measure } = createRowMeter()
  const test = connected({ around })
  const neighbour = await test.subscribed(3)
  const organization = await test.subscribed(3)
  await seed(neighbour.id, count)
  await test.ask(organization.owner, 'PUT', `/organizations/${organization.id}/billing/seats`, {
    seats: 4,
  })
  const userId = await test.join(organization)
  const requests = {
    webhook: () => test.deliverAll(),
    sweep: () => sweepBilling(test.context),
    removal: () => removeMember(test.kit.seatgate, organization.as(organization.owner), userId),
  }
  await crowd(organization.id, count)
  const read: Record<string, number> = {}
  for (const [name, request] of Object.entries<() => Promise<unknown>>(requests)) {
    const { cost } = await measure(test.kit, request)
    read[name] = cost.answer.read + cost.after.read
  }
  return read
}

it('do not grow with thousands of events, subscriptions and members', async () => {
  const few = await rowsRead(FEW)
  const many = await rowsRead(MANY)
  // The neighbours of a row in an index are random: a range ends at the next one, which is read too.
  const growing = Object.entries(many).filter(
    ([name, rows]) => rows - few[name]! > (MANY - FEW) / 50
  )
  expect(few['webhook']).toBeGreaterThan(0)
  expect(growing).toEqual([])
})
