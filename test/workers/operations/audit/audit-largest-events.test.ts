import { beforeAll, describe, expect, it } from 'vitest'
import { createMeter } from '../../../../bench/meter.ts'
import {
  bucketSink,
  exportAuditEvents,
  forwardOrganization,
  generateLogKey,
  listAuditEvents,
  logEvent,
  sealOrganization,
  type AuditEvent,
  type PublishedCheckpoint,
  type Sink,
} from '../../../../src/index.ts'
import { openCheckpoint, verifyExport } from '../../../../src/proof/index.ts'
import {
  addEvents,
  organizationWith,
  sinkOf,
  testEnv,
  unwrap,
  codeOf,
  createKit,
  enforcing,
  THOROUGH,
} from '../../../kit/index.ts'

const LARGEST = 8192
// What JSON escapes and what is more than a byte, nested; filled up to the last byte.
const few = {
  quoted: '"\\\n\u0000',
  wide: ['é', '😀', { deep: [null, 1.5e300] }],
  fill: '',
}
const bytesOf = (value: unknown) => new TextEncoder().encode(JSON.stringify(value)).length
const metadataOf = (bytes: number) => ({ ...few, fill: 'x'.repeat(bytes - bytesOf(few)) })
const metadata = metadataOf(LARGEST)

const keys = await generateLogKey('audit.example.com')
const system = { type: 'system' } as const

/** A world whose costs are counted, and an organization whose third event is as large as one can be. */
async function largest(provider: (typeof enforcing)[number] = 'd1', sinks: readonly Sink[] = []) {
  const published: PublishedCheckpoint[] = []
  const meter = createMeter()
  const kit = createKit({
    provider,
    around: (trip, run) => meter.around(trip, run),
    sinks,
    auditLogKey: keys.privateKey,
    publishCheckpoint: async (checkpoint) => void published.push(checkpoint),
  })
  const { seatgate } = kit
  const scope = { caller: system, organization: await organizationWith(seatgate) }
  unwrap(await logEvent(seatgate, scope, { action: 'billing.imported', metadata }))
  await kit.settled()
  const costOf = async (act: () => Promise<unknown>) => (await meter.measure(act, kit.settled))[1]
  return { seatgate, scope, published, costOf }
}

/** Puts so many more behind it that are as large. */
const repeat = ({ organization }: { readonly organization: string }, times: number) =>
  addEvents(
    organization,
    times,
    3,
    "'billing.imported'",
    '(SELECT metadata FROM seatgate_audit_events WHERE organization_id = ?1 AND sequence = 3)'
  )

describe('an event of 8 KiB', () => {
  let kit: Awaited<ReturnType<typeof largest>>
  beforeAll(async () => {
    kit = await largest()
  })

  it('is recorded, and one of a byte more is not [AUD-30]', async () => {
    expect(bytesOf(metadata)).toBe(LARGEST)
    const { seatgate, scope } = kit
    const more = { action: 'billing.imported', metadata: metadataOf(LARGEST + 1) }
    expect(codeOf(await logEvent(seatgate, scope, more))).toBe('validation_error')
  })

  it('is read as it was written, in lists and in files [AUD-30]', async () => {
    const { seatgate, scope } = kit
    const { data } = unwrap(await listAuditEvents(seatgate, scope, { action: 'billing.imported' }))
    expect(data.map((event) => event.metadata)).toEqual([metadata])
    for (const format of ['ndjson', 'json', 'csv'] as const) {
      const input = { action: 'billing.imported', format }
      const text = await new Response(
        unwrap(await exportAuditEvents(seatgate, scope, input)).body
      ).text()
      const said = JSON.stringify(data[0]!.metadata)
      expect(text).toContain(format === 'csv' ? said.replaceAll('"', '""') : said)
    }
  })
})

describe('many events of 8 KiB', () => {
  it.runIf(THOROUGH).each(enforcing)(
    'are sealed, 500 at once (%s) [AUD-30 AUD-54]',
    async (provider) => {
      const { seatgate, scope, published, costOf } = await largest(provider)
      await repeat(scope, 600)
      const cost = await costOf(() => sealOrganization(seatgate, scope.organization))
      // The reading, two pages, and that they are published.
      expect(cost).toMatchObject(
        provider === 'd1' ? { d1Trips: 4, ledgerCalls: 0 } : { d1Trips: 1, ledgerCalls: 1 }
      )
      expect(published.map(({ size }) => size)).toEqual([500, 603])
      const file = unwrap(await exportAuditEvents(seatgate, scope))
      const lines = (await new Response(file.body).text()).trimEnd().split('\n')
      const checkpoints = published.map(({ note }) => openCheckpoint(note, [keys.publicKey]))
      const opened = (await Promise.all(checkpoints)).map((each) => each!)
      expect(await verifyExport(lines, opened)).toMatchObject({ proven: 603, finding: null })
    }
  )

  it('are forwarded, 100 in three trips, one by one or together [AUD-30]', async () => {
    const one = sinkOf('one')
    const { seatgate, scope, costOf } = await largest('d1', [one])
    await repeat(scope, 97)
    const forward = () => forwardOrganization(seatgate, scope.organization)
    expect((await costOf(forward)).d1Trips).toBe(3)
    expect(one.taken).toHaveLength(100)
    for (const event of one.taken.slice(2)) expect(event.metadata).toEqual(metadata)

    const { TEST_BUCKET: bucket } = testEnv
    const many = await largest('d1', [bucketSink({ bucket })])
    await repeat(many.scope, 97)
    await forwardOrganization(many.seatgate, many.scope.organization)
    const { objects } = await bucket.list({ prefix: `audit/${many.scope.organization}/` })
    expect(objects).toHaveLength(1)
    const object = await bucket.get(objects[0]!.key)
    const lines = (await object!.text()).trimEnd().split('\n')
    expect(lines).toHaveLength(100)
    const kept = lines.slice(2).map((line): AuditEvent => JSON.parse(line))
    for (const event of kept) expect(event.metadata).toEqual(metadata)
  })
})
