/**
 * CloudEvents 1.0.2, as its specification has it.
 *
 * @see https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md#context-attributes
 * @see https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
 * @see https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/extensions/sequence.md
 * @see https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/extensions/partitioning.md
 */
import { describe, expect, it } from 'vitest'
import { cloudEventEnvelope } from '../../../../src/parts/forwarding/envelopes.ts'
import { EVERY_ACTION, eventOf, variantsOf } from '../../engine/audit/sample-event.ts'

const REQUIRED = ['id', 'source', 'specversion', 'type']
const EXTENSIONS = ['partitionkey', 'sequence']
const OPTIONAL = ['datacontenttype', 'dataschema', 'subject', 'time']
// The type String has neither control characters nor lone surrogates.
const TEXT = /^[^\p{Cc}\p{Cs}]+$/u
const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/

const envelope = cloudEventEnvelope({
  source: 'https://app.example.com',
  typePrefix: 'com.example.',
})
const sent = (event: ReturnType<typeof eventOf>): Record<string, unknown> =>
  JSON.parse(JSON.stringify(envelope.body(event)))

describe('a CloudEvent', () => {
  it.each(EVERY_ACTION)(
    '%s has the required members, and only allowed ones, no matter which are withheld',
    (action) => {
      for (const each of variantsOf(action)) {
        const { data, ...attributes } = sent(each)
        expect(data).toMatchObject({ id: each.id, action })
        for (const name of REQUIRED) expect(attributes).toHaveProperty(name)
        for (const [name, value] of Object.entries(attributes)) {
          expect([...REQUIRED, ...OPTIONAL, ...EXTENSIONS]).toContain(name)
          expect(name).toMatch(/^[a-z0-9]{1,20}$/)
          expect(value, name).toMatch(TEXT)
        }
        expect(attributes).toMatchObject({
          specversion: '1.0',
          id: each.id,
          type: `com.example.${action}`,
          datacontenttype: 'application/json',
          partitionkey: each.organizationId,
        })
        if ('time' in attributes) expect(attributes['time']).toMatch(RFC_3339)
      }
    }
  )

  it('has its time, unless a sink keeps it back', () => {
    const event = eventOf('organization.rename')
    expect(sent(event)).toHaveProperty('time', event.occurredAt)
    expect(sent({ ...event, occurredAt: '[redacted]' })).not.toHaveProperty('time')
  })

  it('has sequences that sort as text as they do as numbers', () => {
    const numbers = [1, 2, 9, 10, 99, 100, 1_000_000, 2 ** 31, 10 ** 11]
    const texts = numbers.map((sequence) => sent({ ...eventOf('a.b'), sequence })['sequence'])
    expect(texts.map(String).toSorted((a, b) => (a < b ? -1 : 1))).toEqual(texts)
  })

  it('fits into 64 KiB, which every intermediary forwards, with the largest metadata', () => {
    const event = eventOf('a.b', { metadata: { text: '"'.repeat(4090) } })
    const size = new TextEncoder().encode(JSON.stringify(envelope.body(event))).length
    expect(size).toBeLessThan(64 * 1024)
  })

  it.each(['https://app.example.com/ä', '<app>', 'a\nb', 'https://[app', '%zz'])(
    'is not made with the source %j, which is no URI reference',
    (source) => {
      expect(() => cloudEventEnvelope({ source })).toThrow(/source/)
    }
  )

  it.each(['https://app.example.com', '/app', 'urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66'])(
    'is made with the source %j',
    (source) => {
      expect(() => cloudEventEnvelope({ source })).not.toThrow()
    }
  )
})
