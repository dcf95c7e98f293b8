import { expect, it } from 'vitest'
import { seatgateRouter, type Authenticate } from '../../../../src/hono/index.ts'
import { authenticateKeys } from '../../../../src/hono/keys/index.ts'
import { sessionQuery } from '../../../../host/identity/sessions.ts'
import {
  clientOf,
  createKeysKit,
  createRowMeter,
  Hono,
  keyOf,
  newUser,
  people,
  type KeysKit,
  type KitOrganization,
} from '../../../kit/index.ts'

type Meter = ReturnType<typeof createRowMeter>

/** What a list of members and an addition cost with a token, once its use is noted. */
async function costsOf(
  kit: KeysKit,
  { measure }: Meter,
  organization: KitOrganization,
  authenticate: Authenticate,
  token: string
) {
  const app = new Hono().route(
    '/',
    seatgateRouter(kit.context, { authenticate }) as unknown as Hono
  )
  const client = clientOf((url, init) => app.request(url, init))
  const path = `/organizations/${organization.id}/members`
  await client.get(path, token)
  await kit.settled()
  const list = await measure(kit, () => client.get(path, token))
  expect(list.value.status).toBe(200)
  const body = { userId: await newUser(), role: 'member' }
  const change = await measure(kit, () => client.post(path, body, token))
  expect(change.value.status).toBe(201)
  return { list: list.cost.answer, change: change.cost.answer }
}

it('a request with a key costs as many trips as one with a session, and reads no more rows [KEY-13]', async () => {
  const meter = createRowMeter()
  const kit = createKeysKit({ around: meter.around })
  const organization = await kit.organization({ members: 3 })
  const [admin] = await people(1)
  const { userId, token } = admin!
  expect(await organization.add(userId, 'admin')).toMatchObject({ ok: true })
  // Others of the organization and elsewhere, which a look-up does not read.
  const other = await kit.organization()
  for (let more = 0; more < 20; more++) await keyOf(kit, more % 2 ? organization : other)
  const { key } = await keyOf(kit, organization)
  await kit.settled()
  const bySession: Authenticate = (c) =>
    sessionQuery(kit.context.db, (c.req.header('authorization') ?? '').slice(7), () => false)
  const session = await costsOf(kit, meter, organization, bySession, token)
  const withKeys = authenticateKeys(kit.context, bySession)
  const keyed = await costsOf(kit, meter, organization, withKeys, key)
  const both = await costsOf(kit, meter, organization, withKeys, token)
  expect([keyed.list.trips, keyed.change.trips]).toEqual([1, 2])
  expect([session.list.trips, session.change.trips]).toEqual([1, 2])
  expect(keyed.list.statements).toBe(session.list.statements)
  // The batch of a change asks again whether the key is valid.
  expect(keyed.change.statements).toBeLessThanOrEqual(session.change.statements + 1)
  expect(keyed.list.read).toBeLessThanOrEqual(session.list.read)
  expect(keyed.change.read).toBeLessThanOrEqual(session.change.read)
  expect(keyed.list.written).toBe(session.list.written)
  expect(keyed.change.written).toBe(session.change.written)
  // A request without a key costs what it did.
  for (const count of ['trips', 'statements', 'written'] as const) {
    expect(both.list[count]).toBe(session.list[count])
    expect(both.change[count]).toBe(session.change[count])
  }
})
