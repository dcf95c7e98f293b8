import { beforeAll, describe, expect, it } from 'vitest'
import {
  auditCheckpoint,
  d1Seats,
  exportAuditEvents,
  forwardOrganization,
  generateLogKey,
  sealOrganization,
  sweepAudit,
  StoreUnavailable,
  type PublishedCheckpoint,
} from '../../../../src/index.ts'
import {
  type FlatOptions,
  asUser,
  embedded,
  problem,
  seatgateWith,
  addEvents,
  isInOutbox,
  organizationWith,
  owners,
  rename,
  sinkOf,
  freshStores,
  testEnv,
  unwrap,
} from '../../../kit/index.ts'
import {
  eventLeaf,
  openCheckpoint,
  verifyConsistency,
  verifyExport,
  verifyInclusion,
} from '../../../../src/proof/index.ts'

const keys = await generateLogKey('audit.example.com')
const published: PublishedCheckpoint[] = []
const options: Partial<FlatOptions> = {
  auditLogKey: keys.privateKey,
  publishCheckpoint: async (checkpoint) => void published.push(checkpoint),
}
const seatgate = seatgateWith(options)
const system = { type: 'system' } as const
const run = (sql: string, ...values: unknown[]) =>
  testEnv.DB.prepare(sql)
    .bind(...values)
    .run()

const scopeOf = (organization: string) => ({ caller: system, organization })
const bytes = (text: string) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0))

async function exported(organization: string): Promise<string[]> {
  const file = unwrap(await exportAuditEvents(seatgate, scopeOf(organization)))
  return (await new Response(file.body).text()).trimEnd().split('\n')
}
async function checkpointOf(organization: string) {
  const { checkpoint } = unwrap(await auditCheckpoint(seatgate, scopeOf(organization)))
  return (await openCheckpoint(checkpoint!, [keys.publicKey]))!
}

describe('sealing', () => {
  it('all that was recorded is in the log, and an export of it verifies [AUD-54]', async () => {
    const organization = await organizationWith(seatgate, 3)
    expect(unwrap(await auditCheckpoint(seatgate, scopeOf(organization)))).toEqual({
      checkpoint: null,
      size: 0,
      unsealed: 5,
      horizon: 0,
      publicKey: keys.publicKey,
    })
    expect(await sealOrganization(seatgate, organization)).toBe(5)
    const checkpoint = await checkpointOf(organization)
    expect(checkpoint).toMatchObject({ origin: `audit.example.com/${organization}`, size: 5 })
    expect(await verifyExport(await exported(organization), [checkpoint])).toEqual({
      organizationId: organization,
      horizon: 0,
      events: 5,
      proven: 5,
      finding: null,
    })
    // The export is on record too, and not sealed yet.
    expect(unwrap(await auditCheckpoint(seatgate, scopeOf(organization)))).toMatchObject({
      size: 5,
      unsealed: 1,
    })
  })

  it('continues after the last page, a page at a time, each with a checkpoint', async () => {
    const organization = await organizationWith(seatgate)
    await addEvents(organization, 1100)
    expect(await sealOrganization(seatgate, organization)).toBe(1102)
    await rename(seatgate, organization, 'More')
    expect(await sealOrganization(seatgate, organization)).toBe(1103)
    expect(await sealOrganization(seatgate, organization)).toBe(1103)
    const notes = published.filter((each) => each.organizationId === organization)
    expect(notes.map(({ size }) => size)).toEqual([500, 1000, 1102, 1103])
    const opened = await Promise.all(
      notes.map(({ note }) => openCheckpoint(note, [keys.publicKey]))
    )
    const lines = await exported(organization)
    expect(
      await verifyExport(
        lines,
        opened.map((each) => each!)
      )
    ).toMatchObject({
      proven: 1103,
      finding: null,
    })
  })

  it('of the same events by ten at once makes one log', async () => {
    const organization = await organizationWith(seatgate)
    await addEvents(organization, 700)
    await Promise.all(Array.from({ length: 10 }, () => sealOrganization(seatgate, organization)))
    await sealOrganization(seatgate, organization)
    const lines = await exported(organization)
    expect(await verifyExport(lines, [await checkpointOf(organization)])).toMatchObject({
      proven: 702,
      finding: null,
    })
  })

  it('is done by the sweep, and the outbox keeps an organization until it is', async () => {
    const organization = await organizationWith(seatgate)
    expect(await isInOutbox(organization)).toBe(true)
    await sweepAudit(seatgate)
    expect(await isInOutbox(organization)).toBe(false)
    expect((await checkpointOf(organization)).size).toBe(2)
  })

  it('keeps an organization in the outbox after all events are forwarded [D9]', async () => {
    // Without a publisher: nothing but the sealing is waited for.
    const sink = sinkOf('log')
    const both = seatgateWith({ auditLogKey: keys.privateKey, sinks: [sink] })
    const organization = await organizationWith(both)
    await forwardOrganization(both, organization)
    expect(sink.sequences()).toEqual([1, 2])
    expect(await isInOutbox(organization)).toBe(true)
    await sealOrganization(both, organization)
    expect(await isInOutbox(organization)).toBe(false)
  })

  it('keeps an organization in the outbox until its events are sealed, even if a sink has them all [D1]', async () => {
    const sink = sinkOf('prompt')
    const failing = async () => {
      throw new Error('the object does not answer')
    }
    const { auditLogKey } = options
    const [broken, whole] = [{ sealer: { getByName: () => ({ seal: failing }) } }, {}].map(
      (sealing) =>
        seatgateWith({ auditLogKey: auditLogKey!, sinks: [sink], seats: d1Seats(), ...sealing })
    )
    const organization = await organizationWith(broken!)
    await expect(sealOrganization(broken!, organization)).rejects.toThrow(StoreUnavailable)
    await forwardOrganization(broken!, organization)
    expect(sink.sequences()).toEqual([1, 2])
    expect(await isInOutbox(organization)).toBe(true)
    expect(await sealOrganization(whole!, organization)).toBe(2)
    expect(await isInOutbox(organization)).toBe(false)
  })

  it('and forwarding clear the outbox together, in either order', async () => {
    // A sweep shares its deliveries among all organizations: those above have more events than that.
    await freshStores()
    let down = true
    const sink = sinkOf('flaky', () =>
      down ? { outcome: 'retry', reason: 'down' } : { outcome: 'delivered' }
    )
    const both = seatgateWith({ ...options, sinks: [sink] })
    const organization = await organizationWith(both)
    await sealOrganization(both, organization)
    expect(await isInOutbox(organization)).toBe(true)
    down = false
    await sweepAudit(both)
    expect(await isInOutbox(organization)).toBe(false)
  })

  it('costs no call without a key, and no event is proven then', async () => {
    const plain = seatgateWith({ seats: d1Seats() })
    const organization = await organizationWith(plain)
    expect(await isInOutbox(organization)).toBe(false)
    await expect(sealOrganization(plain, organization)).rejects.toThrow(/the part log/)
    await expect(auditCheckpoint(plain, scopeOf(organization))).rejects.toThrow(/the part log/)
  })

  it('does not fail if its checkpoint cannot be published', async () => {
    const reports: string[] = []
    const broken = seatgateWith({
      ...options,
      publishCheckpoint: () => Promise.reject(new Error('no bucket')),
      report: ({ event }) => reports.push(event),
    })
    const organization = await organizationWith(broken)
    expect(await sealOrganization(broken, organization)).toBe(2)
    expect(reports).toEqual(['checkpoint_not_published'])
  })

  it.each(['seatgate_audit_nodes', 'seatgate_audit_checkpoints'])(
    '%s only grows [AUD-50 AUD-51]',
    async (table) => {
      const organization = await organizationWith(seatgate)
      await sealOrganization(seatgate, organization)
      for (const sql of [
        `UPDATE ${table} SET organization_id = 'x'`,
        `DELETE FROM ${table}`,
        `INSERT OR REPLACE INTO ${table} SELECT * FROM ${table}`,
      ]) {
        await expect(run(sql)).rejects.toThrow(/audit_immutable/)
      }
    }
  )

  it.each([
    ['auditLog: key', { auditLogKey: 'secret' }],
    ['auditLog: publishCheckpoint', { ...options, publishCheckpoint: 'bucket' as never }],
    ['auditLog: sealer', { ...options, sealer: {} as never }],
  ])('refuses a wrong %s at start', (name, wrong) => {
    expect(() => seatgateWith(wrong)).toThrow(name)
  })
})

describe('proofs over HTTP', () => {
  let organization = ''
  let get: (path: string) => Promise<Response>

  beforeAll(async () => {
    organization = await organizationWith(seatgate, 4)
    await sealOrganization(seatgate, organization)
    await addEvents(organization, 0)
    for (const name of ['A', 'B', 'C']) await rename(seatgate, organization, name)
    await sealOrganization(seatgate, organization)
    const client = embedded(options)
    const token = asUser({ userId: owners.get(organization)! })
    get = (path) => client.get(`/organizations/${organization}/audit${path}`, token)
  })

  it('every event is proven to be in the log [AUD-56]', async () => {
    const list = await (await get('?order=oldest&limit=200')).json<{ data: object[] }>()
    expect(list.data).toHaveLength(9)
    for (const [index, event] of list.data.entries()) {
      const proof = await (
        await get(`/proof?sequence=${index + 1}`)
      ).json<{ leafHash: string; hashes: string[]; checkpoint: string; size: number }>()
      const checkpoint = (await openCheckpoint(proof.checkpoint, [keys.publicKey]))!
      expect(checkpoint.size).toBe(9)
      expect(eventLeaf(event)).toEqual(bytes(proof.leafHash))
      const hashes = proof.hashes.map(bytes)
      expect(verifyInclusion(eventLeaf(event), index, checkpoint, hashes)).toBe(true)
      const altered = eventLeaf({ ...event, actorId: 'eve' })
      expect(verifyInclusion(altered, index, checkpoint, hashes)).toBe(false)
    }
  })

  it('an earlier checkpoint is proven to be the beginning of the present one [AUD-56]', async () => {
    const [older, newer] = await Promise.all(
      published
        .filter((each) => each.organizationId === organization)
        .map(async ({ note }) => (await openCheckpoint(note, [keys.publicKey]))!)
    )
    expect([older!.size, newer!.size]).toEqual([6, 9])
    const { hashes } = await (await get('/consistency?from=6&to=9')).json<{ hashes: string[] }>()
    expect(verifyConsistency(older!, newer!, hashes.map(bytes))).toBe(true)
  })

  it('are refused for an event that is not sealed, for no number, and for a foreign trail', async () => {
    expect((await get('/proof?sequence=10')).status).toBe(404)
    expect((await get('/consistency?from=6&to=10')).status).toBe(404)
    expect((await get('/consistency?from=7&to=6')).status).toBe(404)
    for (const query of [
      '/proof',
      '/proof?sequence=0',
      '/proof?sequence=x',
      '/consistency?from=1',
    ]) {
      expect((await problem(await get(query))).status, query).toBe(422)
    }
    const stranger = asUser({ userId: crypto.randomUUID() })
    for (const path of ['checkpoint', 'proof?sequence=1', 'consistency?from=1&to=2']) {
      const url = `/organizations/${organization}/audit/${path}`
      expect((await embedded(options).get(url, stranger)).status).toBe(404)
    }
  })
})

describe('a user who administers the database', () => {
  /** Takes the triggers away, as only they can, and puts them back. */
  async function unguarded(table: string, act: () => Promise<unknown>): Promise<void> {
    const { results } = await testEnv.DB.prepare(
      "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?"
    )
      .bind(table)
      .all<{ name: string; sql: string }>()
    for (const { name } of results) await testEnv.DB.exec(`DROP TRIGGER ${name}`)
    await act()
    for (const { sql } of results) await testEnv.DB.prepare(sql).run()
  }
  const found = async (organization: string) =>
    (await verifyExport(await exported(organization), [await checkpointOf(organization)])).finding
  const sealedOne = async () => {
    const organization = await organizationWith(seatgate, 8)
    await sealOrganization(seatgate, organization)
    return organization
  }

  const update = (what: string, sequence: number) =>
    `UPDATE seatgate_audit_events SET ${what} WHERE organization_id = ? AND sequence = ${sequence}`
  const remove = (which: string) =>
    `DELETE FROM seatgate_audit_events WHERE organization_id = ? AND ${which}`

  it.each<[what: string, statements: string[], kind: string, sequence: number]>([
    ['alters an event', [update("actor_id = 'eve'", 4)], 'altered', 4],
    ['alters a time', [update('inserted_at = inserted_at - 1', 7)], 'altered', 7],
    ['deletes an event', [remove('sequence = 4')], 'sequence', 4],
    ['closes the gap', [remove('sequence = 4'), update('sequence = 4', 5)], 'altered', 4],
    ['cuts off the end', [remove('sequence > 6')], 'truncated', 7],
  ])('is found at the exact place: %s [AUD-54]', async (_what, statements, kind, sequence) => {
    const organization = await sealedOne()
    await unguarded('seatgate_audit_events', async () => {
      for (const sql of statements) await run(sql, organization)
    })
    expect(await found(organization)).toMatchObject({ kind, sequence })
  })

  it('is found by a published checkpoint after rewriting everything, log and checkpoints [AUD-55]', async () => {
    const organization = await sealedOne()
    const outside = published.findLast((each) => each.organizationId === organization)!
    await unguarded('seatgate_audit_events', () =>
      run(
        "UPDATE seatgate_audit_events SET actor_id = 'eve' WHERE organization_id = ?1 AND sequence = 4",
        organization
      )
    )
    for (const table of ['seatgate_audit_nodes', 'seatgate_audit_checkpoints']) {
      await unguarded(table, () =>
        run(`DELETE FROM ${table} WHERE organization_id = ?`, organization)
      )
    }
    await sealOrganization(seatgate, organization)
    expect(await found(organization)).toBeNull()
    const kept = (await openCheckpoint(outside.note, [keys.publicKey]))!
    const { finding } = await verifyExport(await exported(organization), [kept])
    expect(finding).toMatchObject({ kind: 'root' })
  })

  it('breaks no proof by erasing a person’s data [AUD-66]', async () => {
    const organization = await organizationWith(seatgate)
    const scope = { caller: { userId: owners.get(organization)! }, organization }
    const client = embedded(options)
    await client.patch(`/organizations/${organization}`, { name: 'X' }, asUser(scope.caller), {
      'cf-connecting-ip': '203.0.113.9',
    })
    await sealOrganization(seatgate, organization)
    const before = await exported(organization)
    expect(before.join('')).toContain('203.0.113.9')
    await run('DELETE FROM seatgate_audit_personal WHERE organization_id = ?', organization)
    const after = await exported(organization)
    expect(after.join('')).not.toContain('203.0.113.9')
    for (const lines of [before, after]) {
      expect(await verifyExport(lines, [await checkpointOf(organization)])).toMatchObject({
        proven: 3,
        finding: null,
      })
    }
  })
})
