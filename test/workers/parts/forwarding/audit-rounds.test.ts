import { drizzle } from 'drizzle-orm/d1'
import { beforeEach, describe, expect, it } from 'vitest'
import { aroundDatabase, createMeter } from '../../../../bench/meter.ts'
import {
  softDeleteOrganization,
  forwardOrganization,
  logEvent,
  sealOrganization,
  sweepAudit,
  type Seatgate,
  type WakeUpQueue,
} from '../../../../src/index.ts'
import {
  addEvents,
  clocked,
  cursorOf,
  isInOutbox,
  organizationWith,
  owners,
  rename,
  sinkOf,
  upTo,
  keys,
  retaining,
  system,
  freshStores,
  testEnv,
  unwrap,
} from '../../../kit/index.ts'

beforeEach(freshStores)

const silent = { send: async () => {}, sendBatch: async () => {} }
const without = () => clocked([]).seatgate

/** Makes trails of so many events by SQL, all of which this sink has had. */
async function settledTrails(count: number, events: number, sinkId: string): Promise<void> {
  const numbers = JSON.stringify(upTo(count))
  await testEnv.DB.batch([
    testEnv.DB.prepare(
      `INSERT INTO seatgate_audit_events (organization_id, sequence, id, action, outcome, actor_type, metadata, occurred_at, inserted_at)
       SELECT 'trail-' || trail.value, event.value, trail.value || '-' || event.value,
         'test.event', 'success', 'system', '{}', 7, 7
       FROM json_each(?1) AS trail, json_each(?2) AS event`
    ).bind(numbers, JSON.stringify(upTo(events))),
    testEnv.DB.prepare(
      `INSERT INTO seatgate_sink_cursors (organization_id, sink_id, sequence)
       SELECT 'trail-' || value, ?2, ?3 FROM json_each(?1)`
    ).bind(numbers, sinkId, events),
  ])
}

async function waiting(): Promise<number> {
  const row = await testEnv.DB.prepare('SELECT count(*) AS count FROM seatgate_audit_outbox').first(
    'count'
  )
  return Number(row)
}

describe('an organization without further changes', () => {
  it('a sink that is new gets everything, in sequence [FWD-13 FWD-28]', async () => {
    const idle = await organizationWith(without(), 3)
    const old = sinkOf('old')
    const served = await organizationWith(clocked([old]).seatgate)
    await sweepAudit(clocked([old]).seatgate)
    expect([await isInOutbox(idle), await isInOutbox(served)]).toEqual([false, false])

    const added = sinkOf('added')
    await sweepAudit(clocked([old, added]).seatgate)
    const of = (id: string) => added.taken.filter(({ organizationId }) => organizationId === id)
    expect(of(idle).map(({ sequence }) => sequence)).toEqual(upTo(5))
    expect(of(served).map(({ sequence }) => sequence)).toEqual([1, 2])
    expect(await waiting()).toBe(0)
  })

  it('and without a queue, those with thousands of events keep no other waiting for long', async () => {
    await settledTrails(6, 600, 'old')
    await addEvents('trail-9', 1, 0)
    let chance = 0
    const added = sinkOf('added')
    const { seatgate } = clocked([added], { random: () => chance })
    const heardOf = () => new Set(added.taken.map(({ organizationId }) => organizationId))
    await sweepAudit(seatgate)
    expect([added.taken.length, heardOf().has('trail-9')]).toEqual([500, false])
    chance = 0.9
    await sweepAudit(seatgate)
    expect([added.taken.length, heardOf().has('trail-9')]).toEqual([1000, true])
  })

  it('a sink that is switched on again gets the missed events [FWD-13]', async () => {
    const [siem, other] = [sinkOf('siem'), sinkOf('other')]
    const [on, off] = [
      clocked([siem, other]).seatgate,
      clocked([{ ...siem, disabled: true }, other]).seatgate,
    ]
    const id = await organizationWith(on)
    await forwardOrganization(on, id)
    await rename(off, id, 'Meanwhile')
    await sweepAudit(off)
    expect([siem.sequences(), await isInOutbox(id)]).toEqual([[1, 2], false])
    await sweepAudit(on)
    expect([siem.sequences(), other.sequences()]).toEqual([upTo(3), upTo(3)])
  })

  it('a new sink gets the remaining events of deleted organizations and of the platform [FWD-13]', async () => {
    const { seatgate } = clocked([], { verifyPassword: () => true })
    const id = await organizationWith(seatgate)
    const scope = { caller: { userId: owners.get(id)! }, organization: id }
    unwrap(
      await softDeleteOrganization(seatgate, scope, { confirmName: 'Acme', password: 'secret' })
    )
    unwrap(await logEvent(seatgate, { caller: system }, { action: 'job.finished' }))
    const added = sinkOf('added')
    await sweepAudit(clocked([added]).seatgate)
    const told = new Set(added.taken.map(({ organizationId }) => organizationId))
    expect(told).toEqual(new Set([id, 'system']))
  })

  it('a log that is kept since today seals everything [AUD-54]', async () => {
    const id = await organizationWith(without(), 2)
    const { seatgate } = clocked([], { auditLogKey: keys.privateKey })
    await sweepAudit(seatgate)
    const size = await testEnv.DB.prepare(
      'SELECT max(size) AS size FROM seatgate_audit_checkpoints WHERE organization_id = ?'
    )
      .bind(id)
      .first('size')
    expect([size, await isInOutbox(id)]).toEqual([4, false])
  })

  it('unsealed events are found although every sink has received them', async () => {
    const sink = sinkOf('sink')
    const { seatgate } = clocked([sink])
    const id = await organizationWith(seatgate)
    await forwardOrganization(seatgate, id)
    expect(await isInOutbox(id)).toBe(false)
    const kept = retaining([], [sink]).seatgate
    await sweepAudit({ ...kept, queue: silent })
    expect(await isInOutbox(id)).toBe(true)
    await sealOrganization(kept, id)
    expect(await isInOutbox(id)).toBe(false)
  })

  it('a wake-up goes out for each organization found, over the queue if there is one', async () => {
    const id = await organizationWith(without())
    const sent: unknown[] = []
    const queue: WakeUpQueue = {
      send: async () => {},
      sendBatch: async (messages) => sent.push(...messages.map(({ body }) => body)),
    }
    await sweepAudit(clocked([sinkOf('new')], { queue }).seatgate)
    expect(sent).toEqual([{ organizationId: id }])
    expect(await cursorOf(id, 'new')).toBeNull()
  })

  it('no organization is looked for where no consumer waits', async () => {
    await organizationWith(without())
    await sweepAudit(without())
    expect(await waiting()).toBe(0)
    expect(await testEnv.DB.prepare('SELECT 1 FROM seatgate_rotations').first()).toBeNull()
  })
})

describe('a round', () => {
  it('visits every trail, a hundred at a time, and then begins again', async () => {
    await settledTrails(230, 1, 'old')
    const { seatgate } = clocked([sinkOf('new')], { queue: silent })
    const found: number[] = []
    for (let sweeps = 1; sweeps <= 3; sweeps++) {
      await sweepAudit(seatgate)
      found.push(await waiting())
    }
    expect(found).toEqual([100, 200, 230])
    await testEnv.DB.exec('DELETE FROM seatgate_audit_outbox')
    await sweepAudit(seatgate)
    expect(await waiting()).toBe(100)
  })

  it('has a turn for each of two sweeps at once', async () => {
    await settledTrails(200, 1, 'old')
    const { seatgate } = clocked([sinkOf('new')], { queue: silent })
    await Promise.all([sweepAudit(seatgate), sweepAudit(seatgate)])
    expect(await waiting()).toBe(200)
  })

  it('costs one trip and few rows, however many trails there are and however long they are', async () => {
    const meter = createMeter()
    const database = drizzle(aroundDatabase(testEnv.DB, meter.around))
    const sweep = async (seatgate: Seatgate) => {
      const [, cost] = await meter.measure(
        () => sweepAudit(seatgate),
        async () => {}
      )
      return cost
    }
    const { seatgate } = clocked([sinkOf('old')], { database, queue: silent })
    await settledTrails(150, 1, 'old')
    const few = await sweep(seatgate)
    expect(few).toMatchObject({ d1Trips: 1 })
    await freshStores()
    await settledTrails(600, 20, 'old')
    await addEvents('trail-1', 1000, 20)
    await testEnv.DB.exec(
      "UPDATE seatgate_sink_cursors SET sequence = 1020 WHERE organization_id = 'trail-1'"
    )
    const many = await sweep(seatgate)
    // The first trip also reads the version of the schema.
    expect(many).toEqual({ ...few, rowsRead: few.rowsRead - 1 })
    expect(many.rowsRead).toBeLessThan(1000)
    expect(many.rowsWritten).toBeLessThan(3)
    expect(await waiting()).toBe(0)
  })
})
