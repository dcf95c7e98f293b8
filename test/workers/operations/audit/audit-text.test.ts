import { describe, expect, it } from 'vitest'
import {
  auditCheckpoint,
  bucketSink,
  d1Seats,
  exportAuditEvents,
  forwardOrganization,
  generateLogKey,
  listAttempts,
  listAuditEvents,
  listDeadLetters,
  logEvent,
  renameOrganization,
  sealOrganization,
} from '../../../../src/index.ts'
import { exportLines, openCheckpoint, verifyExport } from '../../../../src/proof/index.ts'
import { shortened } from '../../../../src/proof/encoding.ts'
import {
  host,
  postOrganization,
  person,
  seatgateWith,
  clocked,
  organizationWith,
  sinkOf,
  seeded,
  unwrap,
} from '../../../kit/index.ts'

const keys = await generateLogKey('audit.example.com')
const seatgate = seatgateWith({ seats: d1Seats(), auditLogKey: keys.privateKey })
const system = { type: 'system' } as const

// What a text may have that a store, a digest or a reader of lines takes for something else.
const PARTS = Array.from(
  'a\u00e9\u{1f4ba}\ufffd\ufeff\uffff\u2028\u2029\u0085"\\\u007f\t\0'
).concat('\ud83d', '\udcba')
const EVERY_LINE_END = /\r\n|[\n\r\v\f\u0085\u2028\u2029]/

async function exported(organization: string): Promise<string> {
  const file = unwrap(await exportAuditEvents(seatgate, { caller: system, organization }))
  return new Response(file.body).text()
}

/** Seals and exports a trail, and verifies it line by line. */
async function verified(organization: string) {
  await sealOrganization(seatgate, organization)
  const { checkpoint } = unwrap(await auditCheckpoint(seatgate, { caller: system, organization }))
  const opened = await openCheckpoint(checkpoint ?? '', [keys.publicKey])
  const text = await exported(organization)
  expect(text.trimEnd().split(EVERY_LINE_END)).toHaveLength(text.split('\n').length - 1)
  return verifyExport(exportLines([new TextEncoder().encode(text)]), [opened!])
}

describe('an export verifies for any headers of a request [A5]', () => {
  it('with a surrogate pair at every position where a text is cut [A5]', async () => {
    const organization = await organizationWith(seatgate)
    for (const before of [61, 62, 63, 64, 253, 254, 255, 256, 509, 510, 511, 512, 513]) {
      const mark = `${'a'.repeat(before)}\u{1f4ba}\u{1f4ba}`
      const origin = { ipAddress: mark, userAgent: mark, traceId: mark }
      const scope = { caller: system, organization, requestId: mark, origin }
      unwrap(await renameOrganization(seatgate, scope, { name: `Acme ${before}` }))
    }
    expect(await verified(organization)).toMatchObject({ proven: 15, finding: null })
    const { data } = unwrap(await listAuditEvents(seatgate, { caller: system, organization }))
    const [last, , ...earlier] = data.filter(({ action }) => action === 'organization.rename')
    expect(last?.personal?.userAgent).toBe('a'.repeat(512))
    expect(earlier[0]?.personal?.userAgent).toBe(`${'a'.repeat(511)}\u{1f4ba}`)
    expect(earlier.at(-1)?.personal?.ipAddress).toBe(`${'a'.repeat(61)}\u{1f4ba}\u{1f4ba}`)
    expect(last?.requestId).toBe('a'.repeat(255))
  })

  it('with texts of any characters, of any length, 60 times [A5]', async () => {
    const organization = await organizationWith(seatgate)
    const drawn = seeded(511)
    const random = (below: number) => Math.floor(drawn() * below)
    const text = (longest: number) =>
      Array.from({ length: 1 + random(longest) }, () => PARTS[random(PARTS.length)]).join('')
    for (let run = 0; run < 60; run++) {
      const origin = { ipAddress: text(80), userAgent: text(600), traceId: text(40) }
      const scope = { caller: system, organization, requestId: text(300), origin }
      unwrap(await renameOrganization(seatgate, scope, { name: `Acme ${run}` }))
    }
    expect(await verified(organization)).toMatchObject({ proven: 62, finding: null })
  })

  it('with the user agent of a plain member who switches their active organization [A5]', async () => {
    const owner = await person()
    const { id } = await postOrganization(owner)
    for (const tail of ['\u{1f4ba}\u{1f4ba}', '\u2028x', '\u0085x']) {
      const headers = { 'user-agent': `${'a'.repeat(511)}${tail}` }
      for (const organizationId of [id, null]) {
        const put = await host.put('/active-organization', { organizationId }, owner.token, headers)
        expect(put.status).toBe(200)
      }
    }
    const { events, finding } = await verified(id)
    expect([events > 6, finding]).toEqual([true, null])
    const { data } = unwrap(await listAuditEvents(seatgate, { caller: system, organization: id }))
    const agents = data.flatMap(({ personal }) => personal?.userAgent ?? [])
    expect(agents).toContain(`${'a'.repeat(511)}\u{1f4ba}`)
    expect(agents).toContain(`${'a'.repeat(511)}\u2028`)
  })
})

describe('texts that are cut before they are stored [A5]', () => {
  it('a reason of a sink ends between characters [A5]', async () => {
    const reason = `\ud83d${'a'.repeat(498)}\u{1f4ba}\u{1f4ba}`
    const { seatgate } = clocked([sinkOf('s', () => ({ outcome: 'permanent', reason }))])
    const organization = await organizationWith(seatgate)
    await forwardOrganization(seatgate, organization)
    const scope = { caller: system, organization }
    const letters = unwrap(await listDeadLetters(seatgate, scope, 's', {}))
    expect(letters.data[0]?.reason).toBe(`\ufffd${'a'.repeat(498)}\u{1f4ba}`)
    const attempts = unwrap(await listAttempts(seatgate, scope, 's', {}))
    expect(attempts.data[0]?.reason).toBe(letters.data[0]?.reason)
  })

  it.each([
    ['aaa', 2, 'aa'],
    ['\u{1f4ba}\u{1f4ba}\u{1f4ba}', 2, '\u{1f4ba}\u{1f4ba}'],
    ['a\ud83d', 5, 'a\ufffd'],
    ['\udcbaa', 2, '\ufffda'],
    ['', 2, ''],
  ])('shortened(%j, %i) [A5]', (text, most, cut) => {
    expect(shortened(text, most)).toBe(cut)
  })

  it('lines in a bucket end only at line feeds [A5]', async () => {
    const bodies: string[] = []
    const bucket = { put: async (_key: string, body: string) => void bodies.push(body) }
    const organization = await organizationWith(seatgate)
    await logEvent(
      seatgate,
      { caller: system, organization },
      { action: 'a.b', metadata: { text: 'x\u2028y\u2029z\u0085' } }
    )
    const { data } = unwrap(
      await listAuditEvents(seatgate, { caller: system, organization }, { order: 'oldest' })
    )
    await bucketSink({ bucket }).deliverMany!(data)
    const lines = bodies.join('').trimEnd().split(EVERY_LINE_END)
    expect(lines.map((line) => JSON.parse(line))).toEqual(data)
  })
})
