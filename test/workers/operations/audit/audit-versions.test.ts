import { describe, expect, it } from 'vitest'
import {
  forwardOrganization,
  listAuditEvents,
  streamAuditEvents,
  UnknownSchemaVersion,
  type Metric,
} from '../../../../src/index.ts'
import {
  seatgateWith,
  organizationWith,
  sinkOf,
  retaining,
  system,
  writeEvent,
} from '../../../kit/index.ts'

/** An organization whose third event a later version has written. */
async function withLaterEvent(seatgate: Parameters<typeof organizationWith>[0]): Promise<string> {
  const organization = await organizationWith(seatgate)
  await writeEvent(organization, 3, { version: 9 })
  return organization
}

describe('an event of an unknown version', () => {
  const metrics: Metric[] = []
  const seatgate = seatgateWith({
    measure: (metric) => metric.name === 'audit.unknown_version' && metrics.push(metric),
  })

  it('causes an error and a metric on reading, and is never left out [AUD-46]', async () => {
    const scope = { caller: system, organization: await withLaterEvent(seatgate) }
    metrics.length = 0
    await expect(listAuditEvents(seatgate, scope)).rejects.toThrow(UnknownSchemaVersion)
    expect(metrics).toEqual([{ name: 'audit.unknown_version', version: 9 }])
    const stream = await streamAuditEvents(seatgate, scope)
    const reading = async () => {
      if (stream.ok) for await (const _ of stream.value.events);
    }
    await expect(reading()).rejects.toThrow(UnknownSchemaVersion)
    expect(metrics).toHaveLength(2)
    const first = await listAuditEvents(seatgate, scope, { order: 'oldest', limit: 2 })
    expect(first).toMatchObject({ ok: true, value: { data: [{}, {}] } })
  })

  it('is sealed, exported and forwarded as it was written [AUD-46]', async () => {
    const sink = sinkOf('sink')
    const host = retaining([], [sink])
    const organization = await withLaterEvent(host.seatgate)
    await forwardOrganization(host.seatgate, organization)
    expect(sink.taken.at(-1)).toMatchObject({ sequence: 3, schemaVersion: 9 })
    const [, , line] = await host.exported(organization)
    expect(JSON.parse(line!)).toMatchObject({ sequence: 3, schemaVersion: 9 })
  })
})
