import {
  refitted,
  addEvents,
  isInOutbox,
  retry,
  sinkOf,
  freshStores,
  testEnv,
  standingTimers,
  createKit,
  type Provider,
} from '../../../kit/index.ts'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Around } from '../../../../bench/meter.ts'
import { checkpointsIn } from '../../../../host/checkpoints.ts'
import {
  forwardOrganization,
  generateLogKey,
  sealOrganization,
  StoreUnavailable,
  sweepAudit,
  type PublishedCheckpoint,
} from '../../../../src/index.ts'
import { publishCheckpoints } from '../../../../src/parts/log/log.ts'

afterEach(() => {
  vi.useRealTimers()
})

const keys = await generateLogKey('audit.example.com')
// A new organization's: it was created, its owner came, its limit was set.
const EVENTS = 3

/** A log whose checkpoints are taken as long as `takes` says so; `around` stands before D1. */
async function logged(provider: Provider, around: Around = (_trip, run) => run()) {
  const published: number[] = []
  const reports: string[] = []
  const outside = {
    takes: (_checkpoint: PublishedCheckpoint): boolean => true,
    answers: async () => {},
  }
  const kit = createKit({
    provider,
    around,
    auditLogKey: keys.privateKey,
    report: ({ event }) => void reports.push(event),
    publishCheckpoint: async (checkpoint) => {
      if (!outside.takes(checkpoint)) throw new Error('no bucket')
      await outside.answers()
      published.push(checkpoint.size)
    },
  })
  const { id } = await kit.organization({ seats: 4 })
  await kit.settled()
  const seatgate = { ...kit.seatgate, queue: null }
  const seal = () => sealOrganization(seatgate, id)
  return { id, published, reports, outside, seatgate, seal, trips: kit.trips }
}
const forget = (id: string) =>
  testEnv.DB.prepare('DELETE FROM seatgate_audit_published WHERE organization_id = ?')
    .bind(id)
    .run()

describe.each(['ledger', 'd1'] as const)('publishing with seats in %s', (provider) => {
  // The sweep finds every log that is not published.
  beforeEach(freshStores)

  it('is repeated by the sweep after a failure, without another change [AUD-55]', async () => {
    const { id, published, reports, outside, seatgate, seal } = await logged(provider)
    outside.takes = () => false
    expect(await seal()).toBe(EVENTS)
    await forwardOrganization(seatgate, id)
    await sweepAudit(seatgate)
    expect(reports).toEqual(['checkpoint_not_published', 'checkpoint_not_published'])
    expect(await isInOutbox(id)).toBe(true)
    outside.takes = () => true
    await sweepAudit(seatgate)
    expect(published).toEqual([EVENTS])
    expect(await isInOutbox(id)).toBe(false)
    await seal()
    expect(published).toEqual([EVENTS])
  })

  it('one that is not taken in 15 seconds delays no answer, and is published by the sweep', async () => {
    const { id, published, reports, outside, seatgate, seal } = await logged(provider)
    // More than a page of them: a publisher that does not answer is asked once.
    await addEvents(id, 600, EVENTS)
    const asked = Promise.withResolvers<void>()
    outside.answers = () => {
      asked.resolve()
      return new Promise(() => {})
    }
    standingTimers()
    const sealing = seal()
    await asked.promise
    await vi.advanceTimersByTimeAsync(14_999)
    expect(reports).toEqual([])
    await vi.advanceTimersByTimeAsync(1)
    vi.useRealTimers()
    expect(await sealing).toBe(600 + EVENTS)
    expect(reports).toEqual(['checkpoint_not_published'])
    outside.answers = async () => {}
    await forwardOrganization(seatgate, id)
    await sweepAudit(seatgate)
    expect(published).toEqual([600 + EVENTS])
  })

  it('a log that was sealed before its checkpoints were published is found by the sweep', async () => {
    const { id, published, seatgate, seal } = await logged(provider)
    await forwardOrganization(seatgate, id)
    await seal()
    await forget(id)
    expect(await isInOutbox(id)).toBe(false)
    await sweepAudit(seatgate)
    expect(published).toEqual([EVENTS, EVENTS])
    expect(await isInOutbox(id)).toBe(false)
  })

  it('is published after a run that died with it [AUD-55]', async () => {
    let dies = false
    const { id, published, seatgate, seal } = await logged(provider, (trip, run) => {
      const remembers = trip.asked.some((sql) =>
        sql.startsWith('insert into "seatgate_audit_published"')
      )
      return dies && remembers ? Promise.reject(new Error('Network connection lost.')) : run()
    })
    dies = true
    await expect(seal()).rejects.toThrow(StoreUnavailable)
    expect(await isInOutbox(id)).toBe(true)
    dies = false
    await sweepAudit(seatgate)
    // Once more, as nobody knew of the first time.
    expect(published).toEqual([EVENTS, EVENTS])
    expect(await isInOutbox(id)).toBe(false)
  })

  it('takes the last of those that were missed, and a later one for an earlier', async () => {
    const { id, published, outside, seal } = await logged(provider)
    await addEvents(id, 600, EVENTS)
    outside.takes = () => false
    await seal()
    outside.takes = () => true
    await seal()
    expect(published).toEqual([603])
    await addEvents(id, 600, 603)
    outside.takes = ({ size }) => size !== 1103
    await seal()
    await seal()
    expect(published).toEqual([603, 1203])
  })

  it('happens once for each checkpoint without failures, also by several at once', async () => {
    const { id, published, seatgate, seal } = await logged(provider)
    await seal()
    await addEvents(id, 1, EVENTS)
    await seal()
    await seal()
    expect(published).toEqual([EVENTS, EVENTS + 1])
    await addEvents(id, 1, EVENTS + 1)
    await Promise.all([forwardOrganization(seatgate, id), seal(), seal(), seal()])
    expect(new Set(published)).toEqual(new Set([EVENTS, EVENTS + 1, EVENTS + 2]))
    expect(await isInOutbox(id)).toBe(false)
  })

  it('never goes back, for any order of its writers', async () => {
    const { id, published, seatgate, seal } = await logged(provider)
    const older = { organizationId: id, size: EVENTS, note: 'a note' }
    await seal()
    await forget(id)
    await addEvents(id, 1, EVENTS)
    await seal()
    // One who was slow has published the checkpoint before.
    await publishCheckpoints(seatgate, id, [older])
    published.length = 0
    await seal()
    expect(published).toEqual([])
  })

  it('does not hold back the outbox without publishCheckpoint, and costs no call', async () => {
    const { id, published, seatgate, trips } = await logged(provider)
    const silent = refitted(seatgate, { publish: null })
    const before = trips()
    await sealOrganization(silent, id)
    expect(trips() - before).toBe(provider === 'ledger' ? 0 : 2)
    await forwardOrganization(silent, id)
    expect(await isInOutbox(id)).toBe(false)
    expect(published).toEqual([])
  })

  it('releases organizations after the last sink or bucket that waited for them was removed', async () => {
    const { id, outside, seatgate } = await logged(provider)
    outside.takes = () => false
    await sweepAudit(refitted(seatgate, { sinks: [sinkOf('gone', () => retry)] }))
    expect(await isInOutbox(id)).toBe(true)
    await sweepAudit(refitted(seatgate, { publish: null }))
    expect(await isInOutbox(id)).toBe(false)
  })

  it('clears the outbox also behind a page that is full', async () => {
    const { id, seatgate } = await logged(provider)
    await addEvents(id, 500 - EVENTS, EVENTS)
    await forwardOrganization(seatgate, id)
    await sealOrganization(refitted(seatgate, { publish: null }), id)
    expect(await isInOutbox(id)).toBe(false)
  })
})

describe('the reference host', () => {
  const { TEST_BUCKET: bucket } = testEnv
  const { publishCheckpoint: publish } = checkpointsIn(bucket)
  const checkpoint = { organizationId: 'acme', size: 7, note: 'signed' }
  const kept = async () => (await bucket.get('acme/7'))?.text()

  it('keeps checkpoints in its bucket, the same one however often', async () => {
    await publish!(checkpoint)
    await publish!(checkpoint)
    expect(await kept()).toBe('signed')
  })

  it('does not let one be replaced by another of the same size [AUD-55]', async () => {
    await publish!(checkpoint)
    await expect(publish!({ ...checkpoint, note: 'forged' })).rejects.toThrow(/kept already/)
    expect(await kept()).toBe('signed')
  })

  it('publishes no checkpoint where no bucket is bound', () => {
    expect(checkpointsIn(undefined)).toEqual({})
  })
})
