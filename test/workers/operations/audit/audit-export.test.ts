import { describe, expect, it } from 'vitest'
import { csvRow } from '../../../../src/operations/audit/export.ts'
import {
  exportAuditEvents,
  listAuditEvents,
  logEvent,
  type AuditEvent,
} from '../../../../src/index.ts'
import {
  asUser,
  bySession,
  embedded,
  postOrganization,
  person,
  problem,
  seatgateWith,
  addEvents,
  organizationWith,
  owners,
  upTo,
  testEnv,
} from '../../../kit/index.ts'

const seatgate = seatgateWith()
const system = { type: 'system' } as const

async function exported(organization: string, input: object = {}): Promise<string> {
  const file = await exportAuditEvents(seatgate, { caller: system, organization }, input)
  if (!file.ok) throw new Error(JSON.stringify(file.error))
  return new Response(file.value.body).text()
}
const parsed = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as AuditEvent & { type?: string })

describe('an export', () => {
  it('as NDJSON has the rows of the list, and is marked as complete [AUD-47]', async () => {
    const organization = await organizationWith(seatgate, 3)
    const filters = { action_prefix: 'organization.' }
    const scope = { caller: system, organization }
    const list = await listAuditEvents(seatgate, scope, { ...filters, order: 'oldest' })
    const lines = parsed(await exported(organization, filters))
    // And of each its place in a log, where one is kept.
    const rows = list.ok && list.value.data.map((row) => ({ ...row, leafHash: null }))
    expect(lines.slice(0, -1)).toEqual(rows)
    expect(lines.at(-1)).toEqual({
      type: 'seatgate.audit.export',
      version: 1,
      events: 4,
      truncated: false,
      throughSequence: 5,
    })
  })

  it('is recorded after its events, with only the names of its filters [AUD-47]', async () => {
    const organization = await organizationWith(seatgate)
    const lines = parsed(await exported(organization, { actor_id: 'somebody', format: 'ndjson' }))
    expect(lines).toHaveLength(1)
    const last = parsed(await exported(organization)).at(-2)
    expect(last).toMatchObject({
      sequence: 3,
      action: 'audit.export',
      actorType: 'system',
      metadata: { format: 'ndjson', filters: 'actor_id' },
    })
  })

  it('is marked as cut off if it was [AUD-47]', async () => {
    const organization = await organizationWith(seatgate, 3)
    const end = async (limit: number) => parsed(await exported(organization, { limit })).at(-1)
    expect(await end(2)).toMatchObject({ events: 2, truncated: true })
    expect(await end(100)).toMatchObject({ events: 6, truncated: false })
    const [header, ...rows] = (await exported(organization, { format: 'csv' })).split('\r\n')
    const csv = (limit: number) => exported(organization, { limit, format: 'csv' })
    const cut = [header, rows[0], '"# end: 1 events, truncated"', ''].join('\r\n')
    expect(await csv(1)).toBe(cut)
    expect(await csv(rows.length - 2)).toMatch(/\r\n"# end: 7 events, truncated"\r\n$/)
    const own = { action: 'organization.create', limit: 1, format: 'csv' }
    expect(await exported(organization, own)).toMatch(/\r\n"# end: 1 events, complete"\r\n$/)
  })

  it('as JSON is one document with a version [AUD-47]', async () => {
    const organization = await organizationWith(seatgate, 2)
    const document = JSON.parse(await exported(organization, { format: 'json' }))
    expect(document).toMatchObject({ version: 1, end: { events: 4, truncated: false } })
    expect(document.events.map((event: AuditEvent) => event.sequence)).toEqual(upTo(4))
    const none = JSON.parse(await exported(organization, { format: 'json', actor_id: 'nobody' }))
    expect(none.events).toEqual([])
  })

  it('reads only the requested pages, and holds little in memory', async () => {
    const organization = await organizationWith(seatgate)
    await addEvents(organization, 20_000)
    let reads = 0
    const counting = seatgateWith({
      database: new Proxy(seatgate.db, {
        get(target, key) {
          if (key === 'batch') reads += 1
          const value: unknown = Reflect.get(target, key)
          return typeof value === 'function' ? value.bind(target) : value
        },
      }),
    })
    const file = await exportAuditEvents(counting, { caller: system, organization })
    if (!file.ok) throw new Error(file.error.code)
    const reader = file.value.body.getReader()
    const before = reads
    let bytes = 0
    let largest = 0
    const first = await reader.read()
    largest = first.value!.byteLength
    // One chunk is one page of events, or two.
    expect(reads - before).toBeLessThanOrEqual(3)
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      bytes += value.byteLength
      largest = Math.max(largest, value.byteLength)
    }
    expect(bytes).toBeGreaterThan(5_000_000)
    expect(largest).toBeLessThan(130_000)
  })

  it('breaks off without an end if D1 does', async () => {
    const organization = await organizationWith(seatgate)
    await addEvents(organization, 2000)
    let left = 5
    const failing = seatgateWith({
      database: new Proxy(seatgate.db, {
        get(target, key) {
          if (key === 'batch' && left-- <= 0) return () => Promise.reject(new Error('down'))
          const value: unknown = Reflect.get(target, key)
          return typeof value === 'function' ? value.bind(target) : value
        },
      }),
    })
    const file = await exportAuditEvents(failing, { caller: system, organization })
    if (!file.ok) throw new Error(file.error.code)
    await expect(new Response(file.value.body).text()).rejects.toThrow(
      'The database did not answer.'
    )
  })

  it('over HTTP is for owners and admins, asked at that moment, and not kept [AUD-49]', async () => {
    const organization = await organizationWith(seatgate)
    const path = `/organizations/${organization}/audit/export`
    const owner = asUser({ userId: owners.get(organization)! })
    const response = await embedded().get(`${path}?format=csv`, owner)
    expect(response.status).toBe(200)
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'text/csv; charset=utf-8',
      'content-disposition': 'attachment; filename="audit.csv"',
      'cache-control': 'no-store',
    })
    expect((await response.text()).split('\r\n')).toHaveLength(5)
    const stranger = asUser({ userId: crypto.randomUUID() })
    expect((await embedded().get(path, stranger)).status).toBe(404)
    expect(await problem(await embedded().get(`${path}?format=pdf`, owner))).toMatchObject({
      fields: ['format'],
    })
    expect(await problem(await embedded().get(`${path}?actor=x`, owner))).toMatchObject({
      fields: ['actor'],
    })
  })

  it('its address is no key: it ends with the session, and breaks off with the right [AUD-49]', async () => {
    const reader = await person()
    const { id } = await postOrganization(await person())
    await addEvents(id, 1200)
    const membership = (sql: string) => testEnv.DB.prepare(sql).bind(reader.userId, id).run()
    await membership(
      `INSERT INTO seatgate_memberships (id, organization_id, user_id, role, created_at, updated_at)
       VALUES (?1, ?2, ?1, 'admin', 1, 1)`
    )
    const client = embedded({}, bySession)
    const download = (token: string | null) =>
      client.get(`/organizations/${id}/audit/export`, token)
    expect((await download(null)).status).toBe(401)
    expect((await (await download(reader.token)).text()).split('\n')).toHaveLength(1204)

    const begun = await download(reader.token)
    expect(begun.status).toBe(200)
    await membership(
      "UPDATE seatgate_memberships SET role = 'member' WHERE id = ?1 AND organization_id = ?2"
    )
    await expect(begun.text()).rejects.toThrow('insufficient_role')
    expect((await download(reader.token)).status).toBe(403)
    await testEnv.DB.prepare('UPDATE seatgate_sessions SET expires_at = 1 WHERE user_id = ?')
      .bind(reader.userId)
      .run()
    expect((await download(reader.token)).status).toBe(401)
  })
})

describe('CSV', () => {
  const event = (changes: Partial<AuditEvent>): AuditEvent => ({
    id: 'id',
    organizationId: 'o',
    sequence: 1,
    action: 'a.b',
    outcome: 'success',
    actorType: 'user',
    actorId: 'u',
    effectiveUserId: null,
    targetType: null,
    targetId: null,
    metadata: {},
    requestId: null,
    traceId: null,
    causeEventId: null,
    idempotencyKey: null,
    schemaVersion: 1,
    occurredAt: 't',
    insertedAt: 't',
    personalDigest: null,
    personal: null,
    ...changes,
  })

  it.each([
    '=1+1',
    '+1',
    '-1',
    '@SUM(A1)',
    '\t=1',
    '\r=1',
    '\n=1',
    '  =1',
    '\u00a0=1',
    '\u200b=1',
    '＝1',
    '＋1',
    '－1',
    '＠x',
    '|calc',
  ])('%j is no formula any more [AUD-48]', (value) => {
    const [, quoted] =
      /,"?('[^]*?)"?,,/.exec(csvRow(event({ targetId: value, metadata: {} }))) ?? []
    expect(csvRow(event({ actorId: value }))).toContain(`'${value}`)
    expect(csvRow(event({ personal: { salt: '', ipAddress: null, userAgent: value } }))).toContain(
      `'${value}`
    )
    expect(quoted ?? `'${value}`).toContain(value)
  })

  it.each([
    ['a comma', 'a,b', '"a,b"'],
    ['a quote', 'a"b', '"a""b"'],
    ['a line end', 'a\nb', '"a\nb"'],
    ['a formula with a quote', '="x"', `"'=""x"""`],
    ['an innocent minus', 'a-b', 'a-b'],
    ['C11 a semicolon', 'x;=1+1', '"x;=1+1"'],
    ['C11 a tab', 'x\t=1+1', '"x\t=1+1"'],
    ['C11 a carriage return', 'x\r=1+1', '"x\r=1+1"'],
    ['C11 a formula with a semicolon', '=1;2', `"'=1;2"`],
    ['C11 a formula with a comma', '@SUM(1,2)', `"'@SUM(1,2)"`],
  ])('quotes %s', (_what, value, cell) => {
    expect(csvRow(event({ actorId: value }))).toContain(`,${cell},`)
  })

  it('begins with a byte order mark if that is asked for [C11]', async () => {
    const owner = await person()
    const { id } = await postOrganization(owner, { name: 'Öl' })
    const bytes = async (query: string) => {
      const path = `/organizations/${id}/audit/export?${query}`
      const response = await embedded({}, bySession).get(path, owner.token)
      return [response.status, ...new Uint8Array(await response.arrayBuffer()).slice(0, 3)]
    }
    expect(await bytes('format=csv&bom=true')).toEqual([200, 0xef, 0xbb, 0xbf])
    const header = [...new TextEncoder().encode('seq')]
    expect(await bytes('format=csv&bom=false')).toEqual([200, ...header])
    expect(await bytes('format=csv')).toEqual([200, ...header])
    const file = await exportAuditEvents(
      seatgate,
      { caller: system, organization: id },
      { format: 'csv', bom: true, limit: 1 }
    )
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
      await new Response(file.ok ? file.value.body : null).arrayBuffer()
    )
    expect(text.split('\ufeff')).toHaveLength(2)
    expect(text).toMatch(/^\ufeffsequence,/)
  })

  it('refuses a byte order mark in other formats, and a value that is neither true nor false [C11]', async () => {
    const owner = await person()
    const { id } = await postOrganization(owner)
    for (const query of [
      'bom=true',
      'format=json&bom=true',
      'format=csv&bom=1',
      'format=csv&bom=',
    ]) {
      const path = `/organizations/${id}/audit/export?${query}`
      expect(await problem(await embedded({}, bySession).get(path, owner.token))).toMatchObject({
        status: 422,
        fields: ['bom'],
      })
    }
    expect((await exported(id, { bom: false })).startsWith('{')).toBe(true)
  })

  it('has as many cells as its header in every row', async () => {
    const organization = await organizationWith(seatgate)
    await logEvent(
      seatgate,
      { caller: { userId: '=cmd' }, organization, origin: { userAgent: '=HYPERLINK("x")' } },
      { action: 'a.b', metadata: { note: 'a,"b"\n' } }
    )
    const lines = (await exported(organization, { format: 'csv' })).split(/\r\n/)
    const commas = (line: string) => line.replaceAll(/"(?:[^"]|"")*"/g, '').split(',').length
    const [head, ...rows] = lines
    expect(commas(head!)).toBe(21)
    for (const line of rows.slice(0, 3)) expect(commas(line)).toBe(21)
    expect(rows[2]).toContain(`,'=cmd,`)
    expect(rows[2]).toContain(`"'=HYPERLINK(""x"")"`)
  })
})
