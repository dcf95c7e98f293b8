import { expect, it } from 'vitest'
import { actingAs, createImpersonationKit, createRowMeter, newUser } from '../../../kit/index.ts'

it('a request with the token costs as many trips as one without it [OP-16]', async () => {
  const meter = createRowMeter()
  const kit = createImpersonationKit({ around: meter.around })
  const organization = await kit.organization({ members: 3 })
  const by = { userId: `operator ${crypto.randomUUID()}`, operator: true }
  // Others, which a look-up does not read.
  for (let more = 0; more < 5; more++) await actingAs(kit.context, organization, {}, by)
  const { token } = await actingAs(kit.context, organization, {}, by)
  await kit.settled()
  const path = `/organizations/${organization.id}/members`
  const costs = async (asking: string) => {
    const list = await meter.measure(kit, () => kit.client.get(path, asking))
    const body = { userId: await newUser(), role: 'member' }
    const change = await meter.measure(kit, () => kit.client.post(path, body, asking))
    expect([list.value.status, change.value.status]).toEqual([200, 201])
    return { list: list.cost.answer, change: change.cost.answer }
  }
  const known = await costs(`user:${organization.owner}`)
  const acting = await costs(token)
  expect([acting.list.trips, acting.change.trips]).toEqual([1, 2])
  expect([known.list.trips, known.change.trips]).toEqual([1, 2])
  // The look-up. The batch of a change asks again in a guard that is there anyway.
  expect(acting.list.statements).toBe(known.list.statements + 1)
  expect(acting.change.statements).toBe(known.change.statements + 1)
  expect(acting.change.written).toBe(known.change.written)
})
