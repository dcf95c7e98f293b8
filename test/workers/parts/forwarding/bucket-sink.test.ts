import { afterEach, describe, expect, it, vi } from 'vitest'
import {
  bucketSink,
  forwardOrganization,
  requeueDeadLetters,
  type AuditEvent,
  type Bucket,
} from '../../../../src/index.ts'
import {
  addEvents,
  byOperator,
  clocked,
  cursorOf,
  lettersOf,
  organizationWith,
  upTo,
  testEnv,
  unwrap,
} from '../../../kit/index.ts'

type Put = () => Promise<unknown>

/** A real bucket behind something that may hold a write back, or say what is not so. */
function bucketBehind(around: (put: Put, number: number) => Promise<unknown>): Bucket {
  let number = 0
  return {
    put: (...write) => around(() => testEnv.TEST_BUCKET.put(...write), ++number),
  }
}

/** What a bucket has of an organization, in the order of a listing: name and sequences of each. */
async function objectsOf(organizationId: string, prefix = 'audit/') {
  const { objects } = await testEnv.TEST_BUCKET.list({ prefix: `${prefix}${organizationId}/` })
  return Promise.all(
    objects.map(async ({ key }) => {
      const body = await (await testEnv.TEST_BUCKET.get(key))!.text()
      const sequences = body
        .trimEnd()
        .split('\n')
        .map((line) => (JSON.parse(line) as AuditEvent).sequence)
      return { name: key.split('/').at(-1)!, body, sequences }
    })
  )
}

describe('a bucket', () => {
  afterEach(() => {
    vi.useRealTimers()
  })

  it('keeps events as NDJSON, up to a hundred in an object, in the order of their names', async () => {
    const bucket = testEnv.TEST_BUCKET
    const { seatgate } = clocked([bucketSink({ bucket, redact: { exclude: ['personal'] } })])
    const id = await organizationWith(seatgate)
    await addEvents(id, 148)
    await forwardOrganization(seatgate, id)
    const objects = await objectsOf(id)
    expect(objects.map(({ name }) => name)).toEqual([
      expect.stringMatching(/^000000000001-000000000100-[0-9a-f]{16}\.ndjson$/),
      expect.stringMatching(/^000000000101-000000000150-[0-9a-f]{16}\.ndjson$/),
    ])
    expect(objects.flatMap(({ sequences }) => sequences)).toEqual(upTo(150))
    expect(objects.map(({ body }) => body).join('')).not.toContain('"personal":')
    const [first] = (await bucket.list({ prefix: `audit/${id}/`, include: ['httpMetadata'] }))
      .objects
    expect(first?.httpMetadata?.contentType).toBe('application/x-ndjson')
  })

  it('is tried again when it fails, and stores the same object', async () => {
    const bucket = bucketBehind(async (put, number) => {
      await put()
      if (number === 1) throw new Error('no answer')
    })
    const { seatgate, later } = clocked([bucketSink({ bucket, id: 'r2', prefix: '' })])
    const id = await organizationWith(seatgate)
    await forwardOrganization(seatgate, id)
    expect(await cursorOf(id, 'r2')).toMatchObject({ sequence: 0, error: 'error' })
    later(1)
    await forwardOrganization(seatgate, id)
    expect((await objectsOf(id, '')).map(({ sequences }) => sequences)).toEqual([upTo(2)])
  })

  it('has every event even if a late write replaces that of its repeat [FWD-17]', async () => {
    const [started, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    let late: Promise<unknown> = Promise.resolve()
    const bucket = bucketBehind((put, number) => {
      if (number > 1) return put()
      started.resolve()
      late = gate.promise.then(put)
      return late
    })
    const { seatgate, later } = clocked([bucketSink({ bucket })])
    const id = await organizationWith(seatgate)
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const run = forwardOrganization(seatgate, id)
    await started.promise
    await vi.advanceTimersByTimeAsync(15_000)
    expect(await run).toBe(1)
    vi.useRealTimers()
    await addEvents(id, 3)
    later(1)
    await forwardOrganization(seatgate, id)
    expect(await cursorOf(id, 'bucket')).toMatchObject({ sequence: 5 })
    gate.resolve()
    await late
    expect((await objectsOf(id)).map(({ sequences }) => sequences)).toEqual([upTo(2), upTo(5)])
  })

  it('loses no event that it has to one dead letter that is put back [FWD-17]', async () => {
    let answers = false
    const bucket = bucketBehind(async (put) => {
      await put()
      if (!answers) throw new Error('no answer')
    })
    const { seatgate, later } = clocked([bucketSink({ bucket, retryHours: 1 })])
    const id = await organizationWith(seatgate, 3)
    await forwardOrganization(seatgate, id)
    later(3600)
    await forwardOrganization(seatgate, id)
    expect(await lettersOf(seatgate, id, 'bucket')).toHaveLength(5)
    answers = true
    unwrap(await requeueDeadLetters(seatgate, byOperator(id), 'bucket', { sequence: 1 }))
    await forwardOrganization(seatgate, id)
    const objects = await objectsOf(id)
    expect(objects.map(({ sequences }) => sequences)).toEqual([[1], upTo(5), [6]])
  })

  it('keeps its objects beside those of a shorter replay', async () => {
    const bucket = testEnv.TEST_BUCKET
    const { seatgate } = clocked([bucketSink({ bucket })])
    const id = await organizationWith(seatgate, 1)
    await forwardOrganization(seatgate, id)
    const exclude = ['seat.*']
    const less = clocked([bucketSink({ bucket, exclude })]).seatgate
    await testEnv.DB.prepare(
      'UPDATE seatgate_sink_cursors SET sequence = 0 WHERE organization_id = ?'
    )
      .bind(id)
      .run()
    await forwardOrganization(less, id)
    const sequences = (await objectsOf(id)).map((each) => each.sequences.join(' '))
    expect(sequences.toSorted()).toEqual(['1 2 3', '1 3'])
  })

  it('is refused if it is not bound', () => {
    expect(() => bucketSink({ bucket: undefined as never })).toThrow(TypeError)
  })
})
