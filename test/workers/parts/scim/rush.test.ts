import { expect, it } from 'vitest'
import {
  createScimKit,
  enforcingOr,
  everything,
  pushedOrganization,
  seatUsageOf,
  violations,
} from '../../../kit/index.ts'

it.each(enforcingOr('ledger'))(
  'a hundred users pushed at once fill exactly 37 seats, and a repeat changes no row (%s) [SCIM-8]',
  async (provider) => {
    const kit = createScimKit({ provider })
    const organization = await pushedOrganization(kit, 37)
    const names = Array.from({ length: 100 }, (_, index) => `p${index}`)
    const push = () =>
      Promise.all(
        names.map((name) => organization.ask('POST', '/Users', organization.person(name)))
      )
    const first = await push()
    const taken = first.flatMap(({ status }, index) => (status === 201 ? [names[index]!] : []))
    expect(taken).toHaveLength(36)
    expect(first.filter(({ status }) => status === 409)).toHaveLength(64)
    expect(await seatUsageOf(kit, organization)).toMatchObject({ held: 37, available: 0 })
    expect((await organization.ask('GET', '/Users?count=200')).body.totalResults).toBe(36)
    await kit.settled()
    const rows = await everything()
    const again = await Promise.all(
      taken.map((name) => organization.ask('POST', '/Users', organization.person(name)))
    )
    expect(new Set(again.map(({ status, body }) => `${status} ${body.scimType}`))).toEqual(
      new Set(['409 uniqueness'])
    )
    expect(await everything()).toEqual(rows)
    expect(await violations(organization.id, { quiet: true })).toEqual([])
  }
)

it('the same user pushed ten times at once is one user', async () => {
  const kit = createScimKit({ provider: 'd1' })
  const organization = await pushedOrganization(kit, 5)
  const all = await Promise.all(
    Array.from({ length: 10 }, () =>
      organization.ask('POST', '/Users', organization.person('ann', { externalId: 'e1' }))
    )
  )
  expect(all.filter(({ status }) => status === 201)).toHaveLength(1)
  expect(new Set(all.map(({ status }) => status))).toEqual(new Set([201, 409]))
  expect(await seatUsageOf(kit, organization)).toMatchObject({ held: 2 })
})
