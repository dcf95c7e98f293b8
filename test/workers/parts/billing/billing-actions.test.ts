import { expect, it } from 'vitest'
import {
  auditActions,
  listAuditEvents,
  listPlatformEvents,
  softDeleteOrganization,
} from '../../../../src/index.ts'
import { sweepBilling } from '../../../../src/parts/billing/index.ts'
import { connected, operator, PASSWORD, unwrap } from '../../../kit/index.ts'

it('every action of billing is recorded in a year of one subscription [AUD-13 AUD-14]', async () => {
  const test = connected()
  const organization = await test.subscribed(4)
  const { id, owner } = organization
  const seats = async (number: number) => {
    const path = `/organizations/${id}/billing/seats`
    expect((await test.ask(owner, 'PUT', path, { seats: number })).status).toBe(202)
    await test.kit.settled()
    await test.deliverAll()
  }
  await seats(6)
  test.standIn.declines = true
  await seats(8)
  test.standIn.declines = false

  test.advance(1)
  test.standIn.subscribe(organization.customerId, [{ price: 'price_team', quantity: 5 }])
  await test.deliverAll()
  await test.deliverAll()

  const cancel = `/organizations/${id}/billing/cancel`
  expect((await test.ask(owner, 'POST', cancel, { atPeriodEnd: true })).status).toBe(200)
  expect((await test.ask(owner, 'POST', cancel, { atPeriodEnd: false })).status).toBe(200)
  await test.deliverAll()
  await sweepBilling(test.context)

  const page = await listAuditEvents(test.kit.seatgate, organization.as(owner), { limit: 100 })
  const deletion = { confirmName: 'Test', password: PASSWORD }
  const other = await test.subscribed(2)
  unwrap(await softDeleteOrganization(test.kit.seatgate, other.as(other.owner), deletion))
  await sweepBilling(test.context)
  const platform = await listPlatformEvents(
    test.kit.seatgate,
    { caller: operator },
    { organization_id: null, limit: 100 }
  )
  const ofBilling = (name: string) => name.startsWith('organization.billing.')
  const found = new Set(
    [...unwrap(page).data, ...unwrap(platform).data].map(({ action }) => action).filter(ofBilling)
  )
  const catalogue = Object.keys(auditActions).filter(ofBilling)
  expect([...found].toSorted()).toEqual(catalogue.toSorted())
})
