import { describe, expect, it } from 'vitest'
import {
  addMember,
  auditCheckpoint,
  countAuditEvents,
  createInvitation,
  exportAuditEvents,
  listAuditEvents,
  logEvent,
  proveConsistency,
  proveInclusion,
  purgeAuditEvents,
  removeMember,
  resendInvitation,
  seatsAsOf,
  sealOrganization,
  setSeatLimit,
  streamAuditEvents,
  StreamEnded,
  type InclusionProof,
} from '../../../../src/index.ts'
import {
  eventLeaf,
  verifyConsistency,
  verifyExport,
  verifyInclusion,
} from '../../../../src/proof/index.ts'
import {
  organizationWith,
  owners,
  rename,
  upTo,
  violations,
  days,
  retaining,
  sequencesOf,
  system,
  writeEvent,
  testEnv,
  unwrap,
  newUser,
} from '../../../kit/index.ts'

const run = (sql: string, ...values: unknown[]) =>
  testEnv.DB.prepare(sql)
    .bind(...values)
    .run()
const bytes = (text: string) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0))

/** A trail of which 1 to 6 are gone; there are 7 to 9, the record of the run among them. */
async function shortened() {
  const host = retaining(days(30))
  const organization = await host.sealedOne(5)
  const whole = await host.exported(organization)
  const before = await host.checkpoint(organization)
  // The export is on record itself: it is 6, and goes as well.
  host.daysLater(20)
  await host.tended(organization, 'Seven')
  host.daysLater(11)
  const young = await host.checkpoint(organization)
  expect(await host.purge(organization)).toMatchObject({ events: 6, horizon: 6 })
  await host.tended(organization, 'Nine')
  expect(await sequencesOf(organization)).toEqual([7, 8, 9])
  return { ...host, organization, whole, before, young, scope: host.scopeOf(organization) }
}

describe('the trail after a run', () => {
  it('verifies from the checkpoint, and reports where it begins [AUD-63]', async () => {
    const { organization, exported, checkpoint, young } = await shortened()
    const latest = await checkpoint(organization)
    expect([young.size, latest.size]).toEqual([7, 9])
    expect(await verifyExport(await exported(organization), [young, latest])).toEqual({
      organizationId: organization,
      horizon: 6,
      events: 3,
      proven: 3,
      finding: null,
    })
  })

  it('is found out if anything of it is altered, deleted, or its beginning invented [AUD-63]', async () => {
    const { organization, exported, checkpoint } = await shortened()
    const latest = await checkpoint(organization)
    const lines = await exported(organization)
    const found = async (changed: readonly string[]) =>
      (await verifyExport(changed, [latest])).finding
    const horizon = JSON.parse(lines[0]!)
    const begin = (change: object) => lines.with(0, JSON.stringify({ ...horizon, ...change }))
    expect(horizon).toMatchObject({ type: 'seatgate.audit.horizon', sequence: 6 })
    expect(await found(lines)).toBeNull()
    expect(await found(lines.slice(1))).toMatchObject({ kind: 'sequence', line: 1 })
    expect(await found(lines.toSpliced(1, 1))).toMatchObject({ kind: 'sequence', sequence: 7 })
    const altered = lines.with(2, lines[2]!.replace('"success"', '"failure"'))
    expect(await found(altered)).toMatchObject({ kind: 'altered', sequence: 8 })
    const [first, second] = horizon.hashes
    expect(await found(begin({ hashes: [second, first] }))).toMatchObject({ kind: 'root' })
    for (const change of [
      { hashes: [first] },
      { hashes: 'x' },
      { sequence: 0 },
      { sequence: -6 },
      { sequence: '6' },
      { sequence: 1e300 },
    ]) {
      expect(await found(begin(change)), JSON.stringify(change)).toMatchObject({
        kind: 'unreadable',
        line: 1,
      })
    }
  })

  it('fails to verify unless it records that its beginning was purged [AUD-63]', async () => {
    const { organization, exported, checkpoint, seatgate, scope } = await shortened()
    const latest = await checkpoint(organization)
    const lines = await exported(organization)
    // Whoever cuts off more than was purged has no run on record for it.
    const inclusion = unwrap(await proveInclusion(seatgate, scope, { sequence: 7 }))
    const forged = { type: 'seatgate.audit.horizon', version: 1, sequence: 7 }
    const { hashes } = JSON.parse(lines[0]!)
    const cut = [
      JSON.stringify({ ...forged, hashes: [...hashes, inclusion.leafHash] }),
      ...lines.slice(2),
    ]
    const end = JSON.parse(cut.pop()!)
    cut.push(JSON.stringify({ ...end, events: end.events - 1 }))
    expect((await verifyExport(cut, [latest])).finding).toMatchObject({ kind: 'horizon' })
  })

  it('an older checkpoint than the horizon proves no part of it [AUD-63]', async () => {
    const { organization, exported, before, checkpoint } = await shortened()
    const lines = await exported(organization)
    expect(before.size).toBe(5)
    expect((await verifyExport(lines, [before])).finding).toMatchObject({ kind: 'horizon' })
    const latest = await checkpoint(organization)
    expect((await verifyExport(lines, [before, latest])).finding).toBeNull()
  })

  it('every proof stays valid, also of purged events [AUD-63]', async () => {
    const { organization, seatgate, scope, whole, before, checkpoint } = await shortened()
    const latest = await checkpoint(organization)
    for (const sequence of upTo(9)) {
      const proof: InclusionProof = unwrap(await proveInclusion(seatgate, scope, { sequence }))
      const leaf = bytes(proof.leafHash)
      if (sequence <= 5) expect(eventLeaf(JSON.parse(whole[sequence - 1]!))).toEqual(leaf)
      expect(verifyInclusion(leaf, sequence - 1, latest, proof.hashes.map(bytes))).toBe(true)
    }
    const { hashes } = unwrap(await proveConsistency(seatgate, scope, { from: 5, to: 9 }))
    expect(verifyConsistency(before, latest, hashes.map(bytes))).toBe(true)
    expect(unwrap(await auditCheckpoint(seatgate, scope))).toMatchObject({ horizon: 6, size: 9 })
  })

  it('is listed, counted and streamed, and a reader with a gap is refused', async () => {
    const { seatgate, scope } = await shortened()
    const gone = { ok: false, error: { code: 'before_horizon', horizon: 6 } }
    for (const ask of [listAuditEvents, countAuditEvents, streamAuditEvents, exportAuditEvents]) {
      expect(await ask(seatgate, scope, { after_sequence: 5 })).toEqual(gone)
      expect(await ask(seatgate, scope, { after_sequence: 6 })).toMatchObject({ ok: true })
      expect(await ask(seatgate, scope, {})).toMatchObject({ ok: true })
    }
    expect(unwrap(await countAuditEvents(seatgate, scope))).toEqual({ count: 5 })
    const newest = unwrap(await listAuditEvents(seatgate, scope, { limit: 3 }))
    expect(newest.data.map(({ sequence }) => sequence)).toEqual([11, 10, 9])
    const rest = unwrap(
      await listAuditEvents(seatgate, scope, { limit: 3, cursor: newest.nextCursor! })
    )
    expect([rest.data.length, rest.nextCursor]).toEqual([2, null])
  })

  it('a reader from the oldest on is overtaken, and refused [AUD-42]', async () => {
    const { seatgate, sealedOne, daysLater, purge, scopeOf } = retaining(days(30))
    const organization = await sealedOne(8)
    const scope = scopeOf(organization)
    const page = { order: 'oldest', limit: 3 } as const
    const first = unwrap(await listAuditEvents(seatgate, scope, page))
    const stream = unwrap(await streamAuditEvents(seatgate, scope))
    daysLater(31)
    await purge(organization)
    const next = await listAuditEvents(seatgate, scope, { ...page, cursor: first.nextCursor! })
    expect(next).toEqual({ ok: false, error: { code: 'before_horizon', horizon: 8 } })
    const reading = async () => {
      for await (const event of stream.events) expect(event.sequence).toBeGreaterThan(8)
    }
    await expect(reading()).rejects.toThrow(StreamEnded)
  })

  it('continues the sequence, even if no event is left', async () => {
    const { seatgate, sealedOne, daysLater, purge } = retaining(days(30))
    const organization = await sealedOne(3)
    daysLater(31)
    await purge(organization)
    await rename(seatgate, organization, 'Next')
    expect(await sequencesOf(organization)).toEqual([4, 5])
    expect(await sealOrganization(seatgate, organization)).toBe(5)
  })

  it('the key of a purged event can name another event', async () => {
    const { seatgate, sealedOne, daysLater, purge, scopeOf } = retaining(days(30))
    const organization = await sealedOne(2)
    const scope = { ...scopeOf(organization), caller: system }
    const event = { action: 'billing.paid', idempotencyKey: 'once' }
    const first = unwrap(await logEvent(seatgate, scope, event))
    expect(unwrap(await logEvent(seatgate, scope, event))).toEqual(first)
    await sealOrganization(seatgate, organization)
    daysLater(31)
    await purge(organization)
    expect(unwrap(await logEvent(seatgate, scope, event))).not.toEqual(first)
  })
})

describe('the triggers', () => {
  const immutable = /audit_immutable.*SQLITE_CONSTRAINT_TRIGGER/
  const purgeRow = (organization: string, change: Record<string, unknown> = {}) => {
    const row = {
      organization_id: organization,
      first_sequence: 1,
      last_sequence: 3,
      checkpoint_size: 5,
      personal_records: 0,
      dead_letters: 0,
      forced: 0,
      started_at: 1,
      ...change,
    }
    const hash = `(SELECT hash FROM seatgate_audit_nodes WHERE organization_id = ?1 AND level = 0
      AND position = ${row.last_sequence - 1})`
    const marks = Object.keys(row).map((_name, index) => `?${index + 1}`)
    return run(
      `INSERT INTO seatgate_audit_purges (${Object.keys(row).join(', ')}, last_hash)
       SELECT ${marks.join(', ')}, ${hash}`,
      ...Object.values(row)
    )
  }

  it('permit only deletions that a recorded run covers, in sequence [AUD-64]', async () => {
    const { sealedOne } = retaining([])
    const organization = await sealedOne(5)
    const gone = (where: string) =>
      run(`DELETE FROM seatgate_audit_events WHERE organization_id = ? AND ${where}`, organization)
    await expect(gone('sequence = 1')).rejects.toThrow(immutable)
    await purgeRow(organization)
    for (const where of ['sequence = 2', 'sequence = 4', 'sequence <= 4', 'true']) {
      await expect(gone(where), where).rejects.toThrow(immutable)
    }
    await gone('sequence <= 3')
    expect(await sequencesOf(organization)).toEqual([4, 5])
  })

  it.each<[string, Record<string, unknown>]>([
    ['that leaves a gap', { first_sequence: 2 }],
    ['that no checkpoint covers', { checkpoint_size: 4 }],
    ['with a checkpoint that there is not', { checkpoint_size: 9 }],
    ['of more than is sealed', { last_sequence: 6, checkpoint_size: 6 }],
  ])('take no run %s [AUD-64]', async (_what, change) => {
    const { sealedOne } = retaining([])
    const organization = await sealedOne(5)
    await expect(purgeRow(organization, change)).rejects.toThrow(/constraint/i)
  })

  it('purge no event under a legal hold, and no event twice [AUD-61 AUD-64]', async () => {
    const { sealedOne } = retaining([])
    const organization = await sealedOne(5)
    const hold = (at: number | null) =>
      run(
        'UPDATE seatgate_audit_retention SET held_at = ?2, held_reason = ?2 WHERE organization_id = ?1',
        organization,
        at
      )
    await hold(1)
    await expect(purgeRow(organization)).rejects.toThrow(immutable)
    await hold(null)
    await purgeRow(organization)
    await expect(purgeRow(organization)).rejects.toThrow(immutable)
    await purgeRow(organization, { first_sequence: 4, last_sequence: 4 })
  })

  it('let no record of a run be altered or deleted [AUD-65]', async () => {
    const { sealedOne, daysLater, purge } = retaining(days(30))
    const organization = await sealedOne(3)
    daysLater(31)
    await purge(organization)
    for (const sql of [
      'DELETE FROM seatgate_audit_purges WHERE organization_id = ?',
      'UPDATE seatgate_audit_purges SET last_sequence = last_sequence + 1 WHERE organization_id = ?',
      'UPDATE seatgate_audit_purges SET forced = 0 WHERE organization_id = ?',
      'REPLACE INTO seatgate_audit_purges SELECT * FROM seatgate_audit_purges WHERE organization_id = ?',
    ]) {
      await expect(run(sql, organization), sql).rejects.toThrow(immutable)
    }
  })

  it('restore no purged event [AUD-57]', async () => {
    const { organization } = await shortened()
    for (const verb of ['INSERT', 'REPLACE', 'INSERT OR IGNORE']) {
      for (const sequence of [1, 6]) {
        await expect(writeEvent(organization, sequence, { verb })).rejects.toThrow(immutable)
      }
    }
  })

  it('a run with a failed batch deletes no event and leaves no record [AUD-9]', async () => {
    const { seatgate, sealedOne, daysLater, purge, scopeOf, status } = retaining(days(30))
    const organization = await sealedOne(5)
    daysLater(31)
    await testEnv.DB.exec(
      "CREATE TRIGGER refuse_letters BEFORE DELETE ON seatgate_audit_events BEGIN SELECT RAISE(ABORT, 'down'); END"
    )
    const failed = await purgeAuditEvents(seatgate, scopeOf(organization))
    await testEnv.DB.exec('DROP TRIGGER refuse_letters')
    expect(failed).toMatchObject({ error: { code: 'host_conflict' } })
    expect(await sequencesOf(organization)).toEqual(upTo(5))
    expect(await status(organization)).toMatchObject({ horizon: 0, runs: [] })
    expect(await purge(organization)).toMatchObject({ events: 5 })
  })
})

describe('how seats stood', () => {
  it('covers every instant since the horizon, and no instant before [AUD-43 AUD-44]', async () => {
    const host = retaining(days(30))
    const { seatgate, clock, daysLater, purge } = host
    const organization = await organizationWith(seatgate)
    const scope = { caller: { userId: owners.get(organization)! }, organization }
    const [one, two, three] = await Promise.all([newUser(), newUser(), newUser()])
    const invite = async (email: string) =>
      unwrap(await createInvitation(seatgate, scope, { email, role: 'member' })).id
    const join = async (userId: string) =>
      unwrap(await addMember(seatgate, scope, { userId, role: 'member' }))
    const asOf = async (at: number) =>
      unwrap(await seatsAsOf(seatgate, host.scopeOf(organization), { at: new Date(at) }))

    unwrap(await setSeatLimit(seatgate, host.scopeOf(organization), { limit: 9 }))
    await join(one)
    await join(two)
    const resent = await invite('resent@example.com')
    await invite('lapses@example.com')
    daysLater(5)
    unwrap(await resendInvitation(seatgate, scope, resent))
    unwrap(await removeMember(seatgate, scope, one))
    const early = clock.now
    daysLater(1)
    await rename(seatgate, organization, 'Between')
    const instants = [clock.now]
    for (const act of [() => join(three), () => removeMember(seatgate, scope, two)]) {
      daysLater(3)
      await act()
      instants.push(clock.now)
    }
    await sealOrganization(seatgate, organization)
    const told = await Promise.all(instants.map(asOf))
    expect(told).toMatchObject([
      { held: 2, reserved: 2, limit: 9 },
      { held: 3, reserved: 1, limit: 9 },
      { held: 2, reserved: 0, limit: 9 },
    ])
    // Up to the resent invitation and the member who left.
    clock.now = early + 30 * 24 * 60 * 60 * 1000 + 1
    expect(await purge(organization)).toMatchObject({ horizon: expect.any(Number) })
    expect((await sequencesOf(organization))[0]).toBeGreaterThan(10)
    expect(await Promise.all(instants.map(asOf))).toEqual(told)
    expect(await asOf(early)).toEqual({ status: 'before_horizon' })
    expect(await asOf(0)).toEqual({ status: 'before_horizon' })
    // A second run carries on what the first one left.
    await sealOrganization(seatgate, organization)
    clock.now = instants[1]! + 30 * 24 * 60 * 60 * 1000 + 1
    await purge(organization)
    expect(await asOf(instants[1]!)).toEqual({ status: 'before_horizon' })
    expect(await asOf(instants[2]!)).toEqual(told[2])
  })

  it('a deleted organization was deleted, also after its deletion event was purged [AUD-44]', async () => {
    const { seatgate, clock, sealedOne, daysLater, purge, scopeOf } = retaining(days(30))
    const organization = await sealedOne(2)
    await writeEvent(organization, 3, { action: 'organization.delete', at: clock.now })
    await sealOrganization(seatgate, organization)
    daysLater(31)
    await purge(organization)
    const at = new Date(Date.now() + 4000 * 24 * 60 * 60 * 1000)
    expect(unwrap(await seatsAsOf(seatgate, scopeOf(organization), { at }))).toEqual({
      status: 'deleted',
    })
  })
})

describe('the checker of trails', () => {
  it('reports the rest, and finds differences', async () => {
    const { seatgate, clock, daysLater, purge } = retaining(days(30))
    const organization = await organizationWith(seatgate)
    const scope = { caller: { userId: owners.get(organization)! }, organization }
    const member = await newUser()
    unwrap(await addMember(seatgate, scope, { userId: member, role: 'member' }))
    await sealOrganization(seatgate, organization)
    daysLater(20)
    unwrap(await removeMember(seatgate, scope, member))
    await rename(seatgate, organization, 'Later')
    clock.now += 11 * 24 * 60 * 60 * 1000
    expect(await purge(organization)).toMatchObject({ horizon: 4 })
    const wrong = () => violations(organization, { quiet: false })
    expect(await wrong()).toEqual([])
    await run("UPDATE seatgate_organizations SET name = 'Other' WHERE id = ?", organization)
    expect(await wrong()).toEqual(['name is on record as Later'])
  })

  it('finds a gap behind the horizon', async () => {
    const { organization } = await shortened()
    expect(await violations(organization, { quiet: false })).toEqual([])
    await writeEvent(organization, 11, { action: 'organization.update' })
    expect(await violations(organization, { quiet: false })).toContain(
      'event 11 organization.update: expected sequence 10'
    )
  })
})
