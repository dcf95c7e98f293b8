import { describe, expect, it } from 'vitest'
import {
  addMember,
  countAuditEvents,
  listAuditEvents,
  placeLegalHold,
  proveInclusion,
  purgeAuditEvents,
  retention,
  StoreUnavailable,
  streamAuditEvents,
  sweepRetention,
  type ArchiveBucket,
  type AuditListInput,
} from '../../../../src/index.ts'
import { verifyExport, verifyInclusion } from '../../../../src/proof/index.ts'
import {
  days,
  newUser,
  organizationWith,
  retaining,
  sequencesOf,
  testEnv,
  unwrap,
  upTo,
} from '../../../kit/index.ts'

const bucket = testEnv.TEST_BUCKET
const archiving = (archive: ArchiveBucket = bucket) => retaining(days(30), [], { archive })

/** A trail in six segments, with three events in D1. */
async function archived(archive?: ArchiveBucket) {
  const host = archiving(archive)
  const { seatgate } = host
  const organization = await host.sealedOne(4)
  const scope = host.scopeOf(organization)
  const member = await newUser()
  unwrap(await addMember(seatgate, scope, { userId: member, role: 'member' }))
  await host.tended(organization, 'First')
  const early = await host.checkpoint(organization)
  for (const name of ['Second', 'Third', 'Fourth', 'Fifth', 'Sixth', 'Seventh']) {
    host.daysLater(31)
    await host.tended(organization, name)
    expect((await host.purge(organization)).events).toBeGreaterThan(0)
  }
  await host.tended(organization, 'Eighth')
  const { results } = await testEnv.DB.prepare(
    'SELECT * FROM seatgate_audit_segments WHERE organization_id = ? ORDER BY last_sequence'
  )
    .bind(organization)
    .all<{ first_sequence: number; last_sequence: number; digest: string }>()
  return { ...host, organization, scope, member, early, segments: results }
}

type Archived = Awaited<ReturnType<typeof archived>>

async function everyPage({ seatgate, scope }: Archived, input: AuditListInput): Promise<number[]> {
  const sequences: number[] = []
  let cursor: string | undefined
  do {
    const page = unwrap(
      await listAuditEvents(seatgate, scope, { ...input, ...(cursor !== undefined && { cursor }) })
    )
    sequences.push(...page.data.map(({ sequence }) => sequence))
    cursor = page.nextCursor ?? undefined
  } while (cursor !== undefined)
  return sequences
}

async function streamed({ seatgate, scope }: Archived, input: object) {
  const events = []
  const stream = unwrap(await streamAuditEvents(seatgate, scope, input))
  for await (const event of stream.events) events.push(event)
  return events
}

/** A bucket that fails, or stores another text. */
function failing(how: { put?: boolean; get?: boolean; alter?: (text: string) => string }) {
  const state = { ...how }
  const down = () => Promise.reject(new Error('The bucket does not answer.'))
  const inner: ArchiveBucket = {
    get: (key) => (state.get ? down() : bucket.get(key)),
    put: (key, text, options) =>
      state.put ? down() : bucket.put(key, state.alter?.(text) ?? text, options),
  }
  return Object.assign(inner, { state })
}

describe('a trail with an archive', () => {
  it('is exported from its first event, and verifies against an early and a late checkpoint', async () => {
    const host = await archived()
    expect(host.segments).toHaveLength(6)
    const late = await host.checkpoint(host.organization)
    const stored = await sequencesOf(host.organization)
    expect(stored.length).toBeLessThan(8)
    const lines = await host.exported(host.organization)
    expect(await verifyExport(lines, [host.early, late])).toEqual({
      organizationId: host.organization,
      horizon: 0,
      events: lines.length - 1,
      proven: late.size,
      finding: null,
    })
  })

  it('is listed whole in both orders and with every size of pages', async () => {
    const host = await archived()
    const last = (await sequencesOf(host.organization)).at(-1)!
    for (const limit of [1, 2, 3, 7, 500]) {
      expect(await everyPage(host, { limit, order: 'oldest' })).toEqual(upTo(last))
      expect(await everyPage(host, { limit })).toEqual(upTo(last).toReversed())
    }
  })

  it('answers every filter as D1 would', async () => {
    const host = await archived()
    const events = await streamed(host, {})
    expect(events.map(({ sequence }) => sequence)).toEqual(upTo(events.length))
    const middle = events[Math.floor(events.length / 2)]!
    const filters: readonly [AuditListInput, (event: (typeof events)[number]) => boolean][] = [
      [{ action: 'organization.update' }, ({ action }) => action === 'organization.update'],
      [{ action_prefix: 'organization.' }, ({ action }) => action.startsWith('organization.')],
      [{ target_id: host.member }, ({ targetId }) => targetId === host.member],
      [{ target_type: 'user' }, ({ targetType }) => targetType === 'user'],
      [{ actor_id: host.member }, ({ actorId }) => actorId === host.member],
      [{ outcome: 'failure' }, ({ outcome }) => outcome === 'failure'],
      [{ effective_user_id: null }, ({ effectiveUserId }) => effectiveUserId === null],
      [{ from: middle.insertedAt }, ({ insertedAt }) => insertedAt >= middle.insertedAt],
      [{ to: middle.insertedAt }, ({ insertedAt }) => insertedAt <= middle.insertedAt],
      [{ after_sequence: 5 }, ({ sequence }) => sequence > 5],
      [{ request_id: 'none' }, () => false],
      [{ trace_id: 'none' }, () => false],
    ]
    for (const [filter, matches] of filters) {
      const expected = events.filter(matches).map(({ sequence }) => sequence)
      expect(await everyPage(host, { ...filter, limit: 2, order: 'oldest' })).toEqual(expected)
      expect(await everyPage(host, { ...filter, limit: 3 })).toEqual(expected.toReversed())
      expect((await streamed(host, filter)).map(({ sequence }) => sequence)).toEqual(expected)
      const counted = unwrap(await countAuditEvents(host.seatgate, host.scope, filter))
      expect(counted).toEqual({ count: expected.length })
    }
  })

  it('proves an archived event against the latest checkpoint', async () => {
    const host = await archived()
    const proof = unwrap(await proveInclusion(host.seatgate, host.scope, { sequence: 2 }))
    const late = await host.checkpoint(host.organization)
    const bytes = (text: string) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0))
    const leaf = bytes(proof.leafHash)
    expect(verifyInclusion(leaf, 1, late, proof.hashes.map(bytes))).toBe(true)
  })

  it('has no personal data in its segments', async () => {
    const host = archiving()
    const organization = await organizationWith(host.seatgate, 0)
    const origin = { ipAddress: '192.0.2.7' }
    const scope = { ...host.scopeOf(organization), origin }
    unwrap(await addMember(host.seatgate, scope, { userId: await newUser(), role: 'member' }))
    const added = unwrap(await listAuditEvents(host.seatgate, scope, { limit: 1 })).data[0]
    expect(added).toMatchObject({ personal: { ipAddress: '192.0.2.7' } })
    await host.tended(organization, 'Second')
    host.daysLater(31)
    await host.purge(organization)
    const { objects } = await bucket.list({ prefix: organization })
    const text = await (await bucket.get(objects[0]!.key))!.text()
    expect(text).toContain('personalDigest')
    expect(text).not.toContain('192.0.2.7')
  })

  it('begins behind its first segment if it was purged before', async () => {
    const before = retaining(days(30))
    const organization = await before.sealedOne(5)
    before.daysLater(31)
    await before.tended(organization, 'Six')
    await before.purge(organization)
    const host = archiving()
    host.daysLater(31)
    await host.tended(organization, 'Seven')
    host.daysLater(31)
    const run = await host.purge(organization)
    expect(run.events).toBeGreaterThan(0)
    const scope = host.scopeOf(organization)
    const oldest = { order: 'oldest', after_sequence: 4 } as const
    expect(await listAuditEvents(host.seatgate, scope, oldest)).toMatchObject({
      error: { code: 'before_horizon', horizon: 5 },
    })
    const page = unwrap(await listAuditEvents(host.seatgate, scope, { order: 'oldest' }))
    expect(page.data[0]).toMatchObject({ sequence: 6 })
  })

  it('answers a stranger like an organization that does not exist', async () => {
    const { seatgate, organization } = await archived()
    const scope = { caller: { userId: await newUser() }, organization }
    expect(await listAuditEvents(seatgate, scope)).toMatchObject({
      error: { code: 'organization_not_found' },
    })
    expect(await countAuditEvents(seatgate, scope)).toMatchObject({
      error: { code: 'organization_not_found' },
    })
  })
})

describe('moving events to the archive', () => {
  it('deletes no event while the bucket does not answer, and reports it', async () => {
    const broken = failing({ put: true })
    const reports: string[] = []
    const host = retaining(days(30), [], {
      archive: broken,
      report: ({ event }) => reports.push(event),
    })
    const organization = await host.sealedOne(5)
    host.daysLater(31)
    const scope = host.scopeOf(organization)
    await expect(purgeAuditEvents(host.seatgate, scope)).rejects.toThrow(StoreUnavailable)
    await testEnv.DB.prepare(
      'UPDATE seatgate_audit_retention SET due_at = 0 WHERE organization_id = ?'
    )
      .bind(organization)
      .run()
    await sweepRetention(host.seatgate)
    expect(reports).toContain('archive_failed')
    expect(await sequencesOf(organization)).toEqual(upTo(5))
    broken.state.put = false
    expect(await host.purge(organization)).toMatchObject({ events: 5, horizon: 5 })
  })

  it('deletes no event if the bucket returns another text', async () => {
    const host = archiving(
      failing({ alter: (text) => text.replace('organization', 'organisation') })
    )
    const organization = await host.sealedOne(5)
    host.daysLater(31)
    const scope = host.scopeOf(organization)
    await expect(purgeAuditEvents(host.seatgate, scope)).rejects.toThrow(StoreUnavailable)
    expect(await sequencesOf(organization)).toEqual(upTo(5))
  })

  it('deletes no event if a hold is placed after the segment was written', async () => {
    const held = failing({})
    const host = archiving(held)
    const organization = await host.sealedOne(5)
    host.daysLater(31)
    const scope = host.scopeOf(organization)
    held.state.alter = (text) => text
    const put = held.put.bind(held)
    held.put = async (key, text, options) => {
      unwrap(await placeLegalHold(host.seatgate, scope, { reason: 'A lawsuit.' }))
      return put(key, text, options)
    }
    expect(await host.purge(organization)).toMatchObject({ events: 0, horizon: 0 })
    expect((await sequencesOf(organization)).slice(0, 5)).toEqual(upTo(5))
  })

  it('deletes no event if another run has deleted a part of its segment since the read', async () => {
    const other = archiving()
    const overtaken = failing({})
    const host = archiving(overtaken)
    const organization = await host.sealedOne(4)
    for (const name of ['Five', 'Six']) {
      host.daysLater(31)
      await host.tended(organization, name)
    }
    other.daysLater(31)
    const { put } = overtaken
    let due = true
    overtaken.put = async (key, text, options) => {
      if (due) {
        due = false
        expect((await other.purge(organization)).horizon).toBe(4)
      }
      return put(key, text, options)
    }
    expect(await host.purge(organization)).toMatchObject({ events: 0, horizon: 4 })
    const scope = host.scopeOf(organization)
    const { data } = unwrap(await listAuditEvents(host.seatgate, scope, { order: 'oldest' }))
    expect(data.map(({ sequence }) => sequence)).toEqual(upTo(data.length))
  })

  it('deletes only the events of its segment if more have become old since the read', async () => {
    const slow = failing({})
    const host = archiving(slow)
    const organization = await host.sealedOne(4)
    host.daysLater(31)
    await host.tended(organization, 'Five')
    const { put } = slow
    slow.put = async (key, text, options) => {
      host.daysLater(31)
      return put(key, text, options)
    }
    expect(await host.purge(organization)).toMatchObject({ events: 4, horizon: 4 })
  })

  it('writes one segment for two runs at once', async () => {
    const host = archiving()
    const organization = await host.sealedOne(5)
    host.daysLater(31)
    const runs = await Promise.all([host.purge(organization), host.purge(organization)])
    expect(runs.map(({ horizon }) => horizon)).toContain(5)
    const { objects } = await bucket.list({ prefix: organization })
    expect(objects).toHaveLength(1)
    const lines = await host.exported(organization)
    expect(JSON.parse(lines[0]!)).toMatchObject({ sequence: 1 })
  })

  it('refuses to read a segment that was altered or is missing', async () => {
    const host = await archived()
    const { objects } = await bucket.list({ prefix: host.organization })
    await bucket.put(objects[0]!.key, '{}\n')
    const oldest = { order: 'oldest' } as const
    await expect(listAuditEvents(host.seatgate, host.scope, oldest)).rejects.toThrow(
      StoreUnavailable
    )
    await bucket.delete(objects[0]!.key)
    await expect(listAuditEvents(host.seatgate, host.scope, oldest)).rejects.toThrow(
      StoreUnavailable
    )
  })

  it('reads only D1 for a page without archived events', async () => {
    const counted = { gets: 0 }
    const host = await archived({
      get: (key) => (counted.gets++, bucket.get(key)),
      put: (...all) => bucket.put(...all),
    })
    counted.gets = 0
    unwrap(await listAuditEvents(host.seatgate, host.scope, { limit: 2 }))
    expect(counted.gets).toBe(0)
  })

  it('only takes rows for runs, and keeps them', async () => {
    const { organization } = await archived()
    const run = (sql: string) => testEnv.DB.prepare(sql).bind(organization).run()
    for (const statement of [
      'UPDATE seatgate_audit_segments SET bytes = 1 WHERE organization_id = ?',
      'DELETE FROM seatgate_audit_segments WHERE organization_id = ?',
      `INSERT INTO seatgate_audit_segments SELECT organization_id, 9001, 9002, 0, digest, 1, 1, 1, 1
        FROM seatgate_audit_segments WHERE organization_id = ? LIMIT 1`,
      'INSERT OR REPLACE INTO seatgate_audit_segments SELECT * FROM seatgate_audit_segments WHERE organization_id = ?',
    ]) {
      await expect(run(statement), statement).rejects.toThrow('audit_immutable')
    }
  })

  it.each([null, {}, 'bucket'])('refuses %j as a bucket', (archive) => {
    expect(() => retention(days(30), { archive } as never)).toThrow(TypeError)
  })
})
