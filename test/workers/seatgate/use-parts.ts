/**
 * Uses the parts of the library that `EVERY_CHANGE` does not: billing, payment, invite links, API keys and
 * SCIM.
 *
 * @module
 */
import type { Around } from '../../../bench/meter.ts'
import { erasePersonalData } from '../../../src/index.ts'
import { sweepBilling } from '../../../src/parts/billing/index.ts'
import { sweepHandler } from '../../../src/worker/index.ts'
import {
  active,
  connected,
  createKeysKit,
  createScimKit,
  keyOf,
  newOrganization,
  patch,
  pushedOrganization,
} from '../../kit/index.ts'
import { application, configured, dev } from '../../kit/openapi-application.ts'
import { converse } from '../openapi/conversation.ts'
import { recorder } from '../openapi/recorder.ts'

/** Sends each request that is granted, and runs the sweeps. */
export async function useParts(around: Around): Promise<void> {
  const record = recorder(application({ around }))
  await converse({ ...record, send: record.exchange })
  const seatgate = configured({ around })
  await sweepHandler(seatgate)()
  await sweepBilling({ ...seatgate, connection: dev.connection })
  await pushUsers(around)
  await actWithKey(around)
  await bill(around)
}

async function actWithKey(around: Around): Promise<void> {
  const kit = createKeysKit({ around })
  const organization = await newOrganization(kit)
  const { key } = await keyOf(kit, organization)
  await kit.client.get(`/organizations/${organization.id}`, key)
  await erasePersonalData(kit.seatgate, { caller: { type: 'system' } }, organization.owner)
}

async function bill(around: Around): Promise<void> {
  const handlers = [{ name: 'ledger', handle: async () => {} }]
  const test = connected({ around, connection: { handlers } })
  const organization = await test.subscribed(3)
  await test.ask(organization.owner, 'PUT', `/organizations/${organization.id}/billing/seats`, {
    seats: 5,
  })
  await test.deliverAll()
  await sweepBilling(test.context)
}

async function pushUsers(around: Around): Promise<void> {
  const kit = createScimKit({ provider: 'd1', around })
  const organization = await pushedOrganization(kit, 50)
  const { id } = await organization.push('ada', { externalId: 'e1' })
  const filters = ['userName eq "ada"', 'externalId eq "e1"', 'emails.value eq "ada@x.example"']
  for (const filter of filters) await organization.ask('GET', `/Users?filter=${filter}`)
  await organization.ask('GET', '/Users?startIndex=1&count=5')
  const path = `/Users/${id}`
  await organization.ask('GET', path)
  await organization.ask('PATCH', path, patch({ op: 'replace', path: 'title', value: 'Lead' }))
  await organization.ask('PATCH', path, active(false))
  await organization.ask('PATCH', path, active(true))
  await organization.ask('DELETE', path)
}
