import { beforeEach, describe, expect, it } from 'vitest'
import { setSeatLimit, sweepSeats, type WakeUp } from '../../../../src/index.ts'
import { auditQueueHandler, sweepHandler } from '../../../../src/worker/index.ts'
import { admitWaiting } from '../../../../src/operations/joining/waitlist.ts'
import {
  inD1,
  countingKit,
  crowd,
  documented,
  line,
  waitingIn,
  readState,
  violations,
  createJoiningKit,
  membersOf,
  openOrganization,
  addEvents,
  delivered,
  sinkOf,
  days,
  keys,
  freshStores,
  testEnv,
  unwrap,
  createKit,
  enforcing,
  type Provider,
  type KitOptions,
  THOROUGH,
  shareOf,
} from '../../../kit/index.ts'

const joiningWorld = (options: KitOptions) =>
  countingKit({ ...options }, (all) => createJoiningKit(all))

/** A full organization with so many in line, made by a world in which nobody looks after the line. */
async function lineOf(provider: Provider, size: number) {
  const organization = await openOrganization(createKit({ provider }), 'auto', 1)
  return { organization, people: await line(organization.id, size) }
}

/** Delivers wake-ups for as long as there are any. Answers how many statements each batch took. */
async function deliver(
  kit: ReturnType<typeof joiningWorld>,
  wakeUps: WakeUp[]
): Promise<readonly number[]> {
  const counts: number[] = []
  while (wakeUps.length > 0) {
    const bodies = wakeUps.splice(0, 100)
    const messages = bodies.map((body, at) => ({ id: `${at}`, body, ack() {}, retry() {} }))
    const done = () => auditQueueHandler(kit.seatgate)({ messages } as never)
    counts.push(await kit.statementsOf(done))
  }
  return counts
}

describe.each(shareOf(enforcing, 1))('a line, %s seats', (provider) => {
  it('is admitted twenty at a time, by messages on the queue, in order [A11]', async () => {
    const wakeUps: WakeUp[] = []
    const queue = {
      send: async (message: WakeUp) => void wakeUps.push(message),
      sendBatch: async (messages: readonly { readonly body: WakeUp }[]) =>
        void wakeUps.push(...messages.map(({ body }) => body)),
    }
    const kit = joiningWorld({ provider, queue })
    const { organization, people } = await lineOf(provider, 50)
    const raise = async () =>
      unwrap(await setSeatLimit(kit.seatgate, organization.asOperator, { limit: 100 }))
    expect(await kit.statementsOf(raise)).toBeLessThan(
      documented('a change') + documented('what follows on a change')
    )
    const inside = await membersOf(organization)
    expect(inside.length).toBeGreaterThan(5)
    expect(inside.length).toBeLessThanOrEqual(20)
    for (const count of await deliver(kit, wakeUps)) {
      expect(count).toBeLessThanOrEqual(documented('a batch of the queue'))
    }
    expect(await membersOf(organization)).toEqual(people)
    expect(await violations(organization.id, { quiet: true })).toEqual([])
  })

  it('is admitted by sweeps without a queue, and a short line early [A11]', async () => {
    await freshStores()
    const reports: string[] = []
    const kit = joiningWorld({
      provider,
      queue: undefined as never,
      report: ({ event }) => reports.push(event),
    })
    const lines = [
      await lineOf(provider, 40),
      await lineOf(provider, 3),
      await lineOf(provider, 40),
      await lineOf(provider, 40),
      await lineOf(provider, 40),
      await lineOf(provider, 40),
    ]
    const calm = createKit({ provider })
    for (const { organization } of lines) {
      unwrap(await setSeatLimit(calm.seatgate, organization.asOperator, { limit: 100 }))
    }
    const ids = lines.map(({ organization }) => organization.id)
    let sweeps = 0
    for (; (await waitingIn(ids)) > 0; sweeps++) {
      expect(sweeps).toBeLessThan(20)
      const count = await kit.statementsOf(sweepHandler(kit.seatgate))
      expect(count).toBeLessThanOrEqual(documented('a run of the sweep'))
      // The short one has had its turn early.
      if (sweeps === 3) expect(await waitingIn([ids[1]!])).toBe(0)
    }
    expect(sweeps).toBeGreaterThan(1)
    expect(reports).toContain('sweep_unfinished')
    for (const { organization, people } of lines) {
      expect(await membersOf(organization)).toEqual(people)
    }
  })

  it('takes as many statements for the first in a long line as in a short one [A11]', async () => {
    const counted = async (size: number) => {
      const kit = joiningWorld({ provider })
      const { organization } = await lineOf(provider, size)
      const calm = createKit({ provider })
      unwrap(await setSeatLimit(calm.seatgate, organization.asOperator, { limit: 2 }))
      await calm.settled()
      const count = await kit.statementsOf(() => admitWaiting(kit.seatgate, organization.id))
      expect(await membersOf(organization)).toHaveLength(1)
      return count
    }
    const [few, many] = [await counted(3), await counted(300)]
    expect(many).toBe(few)
    expect(many).toBeLessThanOrEqual(documented('a user who is admitted from the waitlist'))
  })
})

describe.each(shareOf(enforcing, 1))('a repair, %s seats', (provider) => {
  beforeEach(freshStores)

  it('takes as many statements for 300 members without a seat as for three [A11]', async () => {
    const counted = async (size: number) => {
      await inD1('UPDATE seatgate_organizations SET deleted_at = 1 WHERE deleted_at IS NULL')
      await inD1('DELETE FROM seatgate_rotations')
      const kit = countingKit({ provider })
      const organization = await createKit({ provider }).organization({ seats: 5 })
      await crowd(organization.id, size, false)
      const count = await kit.statementsOf(() => sweepSeats(kit.seatgate))
      const { members } = await readState(organization.id)
      expect(members.filter(({ seat_id }) => seat_id === null)).toEqual([])
      return count
    }
    const [few, many] = [await counted(3), await counted(300)]
    expect(many).toBeLessThanOrEqual(few)
    expect(many).toBeLessThanOrEqual(documented('a repair of seats'))
  })
})

describe('the sweep', () => {
  beforeEach(freshStores)

  /** Organizations in each of which every part of the sweep has something to do. */
  async function busy(provider: Provider, size: number): Promise<readonly string[]> {
    const calm = createKit({ provider })
    const ids: string[] = []
    for (let made = 0; made < size; made++) {
      const organization = await openOrganization(calm, 'auto', 100)
      ids.push(organization.id)
      await crowd(organization.id, 2, false)
      await line(organization.id, 2)
      await addEvents(organization.id, 5, 10)
    }
    await calm.settled()
    const given = JSON.stringify(ids)
    await inD1('UPDATE seatgate_organization_domains SET checked_at = 0')
    await inD1('UPDATE seatgate_audit_retention SET due_at = 0')
    await inD1(
      `INSERT INTO seatgate_jobs (id, organization_id, kind, payload, due_at, created_at)
       SELECT value, value, 'afterAddMember', '{}', 0, 1 FROM json_each(?)`,
      given
    )
    return ids
  }

  const left = async () =>
    testEnv.DB.prepare(
      `SELECT (SELECT count(*) FROM seatgate_join_requests WHERE state = 'waiting') AS waiting,
         (SELECT count(*) FROM seatgate_memberships WHERE seat_id IS NULL) AS seatless,
         (SELECT count(*) FROM seatgate_jobs WHERE due_at = 0) AS intents,
         (SELECT count(*) FROM seatgate_organization_domains WHERE checked_at = 0) AS domains,
         (SELECT count(*) FROM seatgate_audit_retention WHERE due_at = 0) AS trails`
    ).first()

  const sizes = [
    { provider: 'ledger', size: 3 },
    { provider: 'ledger', size: 30 },
    { provider: 'd1', size: 30 },
  ] as const
  it.each(shareOf(sizes, 1))(
    'shares out its statements, and finishes: $size organizations, $provider seats [A11]',
    async ({ provider, size }) => {
      await busy(provider, size)
      const sinks = [sinkOf('one', () => delivered), sinkOf('two', () => delivered)]
      const kit = joiningWorld({
        provider,
        sinks,
        queue: undefined as never,
        auditLogKey: keys.privateKey,
        retention: days(30),
        hooks: { afterAddMember: () => {} },
      })
      const before = await left()
      expect(before).toMatchObject({ waiting: 2 * size, seatless: 2 * size, trails: size })
      let sweeps = 0
      for (; ; sweeps++) {
        expect(sweeps).toBeLessThan(60)
        const count = await kit.statementsOf(sweepHandler(kit.seatgate))
        expect(count).toBeLessThanOrEqual(documented('a run of the sweep'))
        const now = await left()
        if (Object.values(now!).every((rows) => rows === 0)) break
      }
      expect(sweeps > 0).toBe(size > 3)
    },
    120_000
  )

  const awaited = async () =>
    testEnv.DB.prepare('SELECT count(*) AS found FROM seatgate_audit_outbox').first<number>('found')

  function queued(sinkIds: readonly string[]) {
    const wakeUps: WakeUp[] = []
    const queue = {
      send: async (message: WakeUp) => void wakeUps.push(message),
      sendBatch: async () => {},
    }
    const sinks = sinkIds.map((id) => sinkOf(id, () => delivered))
    const auditLogKey = keys.privateKey
    return { wakeUps, kit: joiningWorld({ provider: 'd1', queue, sinks, auditLogKey }) }
  }

  it('a batch of the queue sends again organizations beyond its bound [A11]', async () => {
    const calm = createKit({ provider: 'd1' })
    const { kit, wakeUps } = queued(['one'])
    for (let made = 0; made < 40; made++) {
      const { id: organizationId } = await calm.organization()
      await inD1(
        'INSERT INTO seatgate_audit_outbox (organization_id, swept_at) VALUES (?, 1)',
        organizationId
      )
      wakeUps.push({ organizationId })
    }
    const counts = await deliver(kit, wakeUps)
    expect(counts.length).toBeGreaterThan(1)
    for (const count of counts) {
      expect(count).toBeLessThanOrEqual(documented('a batch of the queue'))
    }
    expect(await awaited()).toBe(0)
  })

  it.runIf(THOROUGH)(
    'a trail of 6,000 events is forwarded and sealed by several batches [A11]',
    async () => {
      const { id: organizationId } = await createKit({ provider: 'd1' }).organization()
      await addEvents(organizationId, 6000)
      await inD1(
        'INSERT INTO seatgate_audit_outbox (organization_id, swept_at) VALUES (?, 1)',
        organizationId
      )
      const { kit, wakeUps } = queued(['one', 'two'])
      wakeUps.push({ organizationId })
      for (const count of await deliver(kit, wakeUps)) {
        expect(count).toBeLessThanOrEqual(documented('a batch of the queue'))
      }
      expect(await awaited()).toBe(0)
    }
  )
})
