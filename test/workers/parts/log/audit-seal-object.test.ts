import { runInDurableObject } from 'cloudflare:test'
import { describe, expect, it } from 'vitest'
import { createMeter } from '../../../../bench/meter.ts'
import {
  auditCheckpoint,
  exportAuditEvents,
  generateLogKey,
  sealOrganization,
  sweepAudit,
  type PublishedCheckpoint,
  type SealRequest,
  type Sign,
} from '../../../../src/index.ts'
import { openCheckpoint, verifyExport } from '../../../../src/proof/index.ts'
import {
  addEvents,
  ledgerOf,
  testEnv,
  add,
  unwrap,
  codeOf,
  createKit,
  newUser,
  type Provider,
  type TestOrganization,
  THOROUGH,
} from '../../../kit/index.ts'

const keys = await generateLogKey('audit.example.com')
const seal = async (request: SealRequest, sign: Sign) =>
  await testEnv.SEATS.getByName(request.organizationId).seal(request, sign)
// A new organization's: it was created, its owner came, its limit was set.
const EVENTS = 3

function sealing(provider: Provider = 'ledger') {
  const published: PublishedCheckpoint[] = []
  const meter = createMeter()
  const kit = createKit({
    provider,
    around: (trip, run) => meter.around(trip, run),
    auditLogKey: keys.privateKey,
    publishCheckpoint: async (checkpoint) => void published.push(checkpoint),
  })
  const costOf = async (act: () => Promise<unknown>) => (await meter.measure(act, kit.settled))[1]
  return { ...kit, published, costOf }
}

const requestFor = ({ id }: TestOrganization): SealRequest => ({
  organizationId: id,
  at: 1,
  sinkIds: [],
  sealing: true,
  publishing: false,
})

/** How many events an organization's last checkpoint proves; the log has to verify. */
async function provenOf({ seatgate }: ReturnType<typeof sealing>, { id }: TestOrganization) {
  const scope = { caller: { type: 'system' }, organization: id } as const
  const file = unwrap(await exportAuditEvents(seatgate, scope))
  const lines = (await new Response(file.body).text()).trimEnd().split('\n')
  const { checkpoint } = unwrap(await auditCheckpoint(seatgate, scope))
  const opened = (await openCheckpoint(checkpoint!, [keys.publicKey]))!
  const { proven, finding } = await verifyExport(lines, [opened])
  expect(finding).toBeNull()
  return proven
}

describe('sealing', () => {
  it.each([
    // The last trip remembers what was published.
    { provider: 'ledger' as const, cost: { ledgerCalls: 1, d1Trips: 1 } },
    { provider: 'd1' as const, cost: { ledgerCalls: 0, d1Trips: 3 } },
  ])(
    'is done by the organization’s object, where there is one ($provider) [AUD-54]',
    async (each) => {
      const kit = sealing(each.provider)
      const organization = await kit.organization({ seats: 4 })
      await kit.settled()
      const cost = await kit.costOf(() => sealOrganization(kit.seatgate, organization.id))
      expect(cost).toMatchObject(each.cost)
      expect(await provenOf(kit, organization)).toBe(EVENTS)
      expect(kit.published).toHaveLength(1)
    }
  )

  it('follows the commit soon, woken by the sweep or the queue', async () => {
    const kit = sealing()
    const organization = await kit.organization({ seats: 4 })
    await sweepAudit({ ...kit.seatgate, queue: null })
    expect(await provenOf(kit, organization)).toBe(EVENTS)
  })

  it.runIf(THOROUGH)('takes several turns for more than 10,000 events', async () => {
    const kit = sealing()
    const organization = await kit.organization({ seats: 4 })
    await addEvents(organization.id, 10_100, EVENTS)
    const cost = await kit.costOf(() => sealOrganization(kit.seatgate, organization.id))
    expect(cost.ledgerCalls).toBe(2)
    expect(kit.published.at(-1)?.size).toBe(10_100 + EVENTS)
    expect(kit.published).toHaveLength(21)
  })
})

describe('the object', () => {
  it('seals one after the other, however many ask: no event is signed twice', async () => {
    const kit = sealing()
    const organization = await kit.organization({ seats: 4 })
    await addEvents(organization.id, 700, EVENTS)
    const signed: number[] = []
    const answers = await Promise.all(
      Array.from({ length: 10 }, () =>
        seal(requestFor(organization), async ({ size }) => {
          signed.push(size)
          return `a checkpoint of ${size}`
        })
      )
    )
    const size = 700 + EVENTS
    expect(signed).toEqual([500, size])
    expect(answers.map((answer) => answer.size)).toEqual(Array(10).fill(size))
    expect(answers.flatMap(({ checkpoints }) => checkpoints)).toHaveLength(2)
  })

  it('gives seats while it waits for a signature', async () => {
    const kit = sealing()
    const organization = await kit.organization({ seats: 4 })
    const asked = Promise.withResolvers<void>()
    const signature = Promise.withResolvers<string>()
    const answer = seal(requestFor(organization), () => {
      asked.resolve()
      return signature.promise
    })
    await asked.promise
    expect(codeOf(await add(kit, organization, await newUser()))).toBe('ok')
    signature.resolve('a checkpoint')
    expect((await answer).checkpoints[0]).toMatchObject({ size: EVENTS, note: 'a checkpoint' })
  })

  it('seals for the next caller after a run has failed', async () => {
    const kit = sealing()
    const organization = await kit.organization({ seats: 4 })
    const failing = seal(requestFor(organization), () => Promise.reject(new Error('no key')))
    const next = sealOrganization(kit.seatgate, organization.id)
    await expect(failing).rejects.toThrow('no key')
    expect(await next).toBe(EVENTS)
  })

  it('that fails in between leaves no trace, and is called again', async () => {
    const kit = sealing()
    const organization = await kit.organization({ seats: 4 })
    const failing = seal(requestFor(organization), async () => {
      const down = runInDurableObject(ledgerOf(organization), (_ledger, ctx) => ctx.abort('down'))
      await down.catch(() => {})
      return 'a checkpoint of nobody'
    })
    await expect(failing).rejects.toThrow()
    expect(await sealOrganization(kit.seatgate, organization.id)).toBe(EVENTS)
    await provenOf(kit, organization)
    expect(kit.published).toHaveLength(1)
  })

  it('is not started by sealing: an organization without recorded seats has no seats afterwards', async () => {
    const kit = sealing()
    const organization = await sealing('d1').organization({ seats: 4 })
    await sealOrganization(kit.seatgate, organization.id)
    const rows = await runInDurableObject(ledgerOf(organization), (_ledger, { storage }) =>
      storage.sql.exec("SELECT name FROM sqlite_master WHERE name = 'ledger'").toArray()
    )
    expect(rows).toEqual([])
  })
})
