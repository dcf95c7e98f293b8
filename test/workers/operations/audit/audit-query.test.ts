import { beforeAll, describe, expect, it } from 'vitest'
import {
  countAuditEvents,
  listAuditEvents,
  logEvent,
  streamAuditEvents,
  StreamEnded,
  type AuditEvent,
  type AuditFilters,
  type AuditListInput,
} from '../../../../src/index.ts'
import {
  asUser,
  embedded,
  person,
  problem,
  seatgateWith,
  addEvents,
  organizationWith,
  owners,
  rename,
  upTo,
  testEnv,
} from '../../../kit/index.ts'

const seatgate = seatgateWith()
const system = { type: 'system' } as const
let organization = ''
const scope = () => ({ caller: system, organization })

async function listed(input: AuditListInput = {}, of = organization): Promise<AuditEvent[]> {
  const page = await listAuditEvents(seatgate, { caller: system, organization: of }, input)
  if (!page.ok) throw new Error(JSON.stringify(page.error))
  return [...page.value.data]
}
const sequences = async (input: AuditListInput = {}) =>
  (await listed({ limit: 500, order: 'oldest', ...input })).map(({ sequence }) => sequence)
const refusal = async (input: object) => {
  const page = await listAuditEvents(seatgate, scope(), input)
  return page.ok
    ? 'ok'
    : page.error.code === 'validation_error'
      ? page.error.errors
      : page.error.code
}

beforeAll(async () => {
  organization = await organizationWith(seatgate, 2)
  const log = (action: string, more = {}, caller: object = system, marks = {}) =>
    logEvent(seatgate, { caller: caller as never, organization, ...marks }, { action, ...more })
  // Sequences 5 to 9.
  await log('billing.charged', { outcome: 'failure' }, { userId: 'ada' }, { requestId: 'r1' })
  await log('billing_x.charged', {}, { userId: 'ada', impersonatedBy: 'ops' })
  await log('billing.charged', { target: { type: 'invoice', id: '7' } })
  await log('billingax.charged', { target: { type: 'invoice', id: '8' } }, { userId: 'bob' })
  await log('a.b', { outcome: 'error' }, system, { origin: { traceId: 't1' } })
})

describe('filters', () => {
  it.each<[string, AuditFilters, number[]]>([
    ['actor_id', { actor_id: 'ada' }, [5]],
    ['actor_id of an operator', { actor_id: 'ops' }, [6]],
    ['AUD-36: effective_user_id', { effective_user_id: 'ada' }, [5, 6]],
    ['AUD-36: effective_user_id null', { effective_user_id: null }, [7, 9]],
    ['action', { action: 'billing.charged' }, [5, 7]],
    ['action_prefix', { action_prefix: 'billing.' }, [5, 7]],
    ['AUD-38: action_prefix with _', { action_prefix: 'billing_' }, [6]],
    ['AUD-38: action_prefix with %', { action_prefix: 'billing%' }, []],
    ['AUD-38: action_prefix with \\', { action_prefix: String.raw`billing\_` }, []],
    ['AUD-38: action_prefix with *', { action_prefix: 'b*' }, []],
    ['outcome', { outcome: 'failure' }, [5]],
    ['outcome error', { outcome: 'error' }, [9]],
    ['target_type', { target_type: 'invoice' }, [7, 8]],
    ['target_id', { target_id: '7' }, [7]],
    ['request_id', { request_id: 'r1' }, [5]],
    ['trace_id', { trace_id: 't1' }, [9]],
    ['after_sequence', { after_sequence: 7 }, [8, 9]],
    ['several', { action: 'billing.charged', outcome: 'success' }, [7]],
    ['a value of no event', { actor_id: "' or 1=1 --" }, []],
  ])('%s', async (_name, filters, expected) => {
    expect(await sequences(filters)).toEqual(expected)
    const count = await countAuditEvents(seatgate, scope(), filters)
    expect(count).toEqual({ ok: true, value: { count: expected.length } })
    const streamed = await streamAuditEvents(seatgate, scope(), filters)
    const seen = []
    if (streamed.ok) for await (const event of streamed.value.events) seen.push(event.sequence)
    expect(seen).toEqual(expected)
  })

  it('from and to are inclusive [AUD-39]', async () => {
    const id = await organizationWith(seatgate)
    for (const [sequence, at] of [
      [3, 1000],
      [4, 2000],
      [5, 3000],
    ]) {
      await testEnv.DB.prepare(
        `INSERT INTO seatgate_audit_events (organization_id, sequence, id, action, outcome, actor_type, metadata, occurred_at, inserted_at)
         VALUES (?1, ?2, ?1 || ?2, 'test.event', 'success', 'system', '{}', 7, ?3)`
      )
        .bind(id, sequence, at)
        .run()
    }
    const between = async (from: number, to: number) =>
      (
        await listed({ from: new Date(from).toISOString(), to: new Date(to), order: 'oldest' }, id)
      ).map(({ sequence }) => sequence)
    expect(await between(1000, 3000)).toEqual([3, 4, 5])
    expect(await between(1001, 2999)).toEqual([4])
    expect(await between(2000, 2000)).toEqual([4])
  })

  it.each([
    ['AUD-40: an unknown filter', { actor: 'ada' }, ['actor']],
    ['AUD-40: one in another spelling', { actorId: 'ada' }, ['actorId']],
    ['AUD-40: one of an object’s own', { toString: 'x' }, ['toString']],
    ['AUD-40: an empty request id', { request_id: '' }, ['request_id']],
    ['AUD-40: a null request id', { request_id: null }, ['request_id']],
    ['AUD-40: an empty trace id', { trace_id: '' }, ['trace_id']],
    ['an unknown outcome', { outcome: 'ok' }, ['outcome']],
    ['a time that is none', { from: 'yesterday' }, ['from']],
    ['a sequence that is none', { after_sequence: '-1' }, ['after_sequence']],
    ['an unknown order', { order: 'random' }, ['order']],
    ['AUD-33: a limit of 0', { limit: 0 }, ['limit']],
    ['AUD-33: a negative limit', { limit: -1 }, ['limit']],
    ['AUD-33: a limit of 501', { limit: 501 }, ['limit']],
  ])('%s is an error', async (_what, input, fields) => {
    expect(Object.keys(await refusal(input))).toEqual(fields)
  })
})

describe('pages', () => {
  it('of 50 unless more are asked for; the last one has no cursor [AUD-32 AUD-33]', async () => {
    const id = await organizationWith(seatgate)
    await addEvents(id, 120)
    const at = { caller: system, organization: id }
    const first = await listAuditEvents(seatgate, at)
    expect(first.ok && [first.value.data.length, typeof first.value.nextCursor]).toEqual([
      50,
      'string',
    ])
    const all = await listAuditEvents(seatgate, at, { limit: 500 })
    expect(all.ok && [all.value.data.length, all.value.nextCursor]).toEqual([122, null])
    const exact = await listAuditEvents(seatgate, at, { limit: 122 })
    expect(exact.ok && exact.value.nextCursor).toBeNull()
  })

  it.each(['newest', 'oldest'] as const)(
    '%s first has each event once while further ones are written [AUD-42]',
    async (order) => {
      const id = await organizationWith(seatgate)
      await addEvents(id, 30)
      const at = { caller: system, organization: id }
      const seen: number[] = []
      let cursor: string | undefined
      for (let page = 0; page < 20; page++) {
        const read = await listAuditEvents(seatgate, at, {
          order,
          limit: 7,
          ...(cursor && { cursor }),
        })
        if (!read.ok) throw new Error(read.error.code)
        seen.push(...read.value.data.map(({ sequence }) => sequence))
        if (page < 3) await rename(seatgate, id, `Other ${page}`)
        if (read.value.nextCursor === null) break
        cursor = read.value.nextCursor
      }
      const expected = order === 'newest' ? upTo(32).reverse() : upTo(35)
      expect(seen).toEqual(expected)
    }
  )

  it('a cursor that is not of this list is invalid_cursor [AUD-35]', async () => {
    const page = await listAuditEvents(seatgate, scope(), { limit: 2 })
    const cursor = (page.ok && page.value.nextCursor) || ''
    expect(await listed({ limit: 2, cursor })).toHaveLength(2)
    const [place, mac] = cursor.split('.') as [string, string]
    const other = btoa('9999').replaceAll('=', '')
    const bad = [
      '',
      '.',
      'x',
      place,
      `${place}.`,
      `.${mac}`,
      `${other}.${mac}`,
      `${place}.${mac.slice(0, -1)}`,
      `${place}.${mac}.${mac}`,
      `${place}.${mac} `,
      ...cursor
        .split('')
        .map((char, at) => cursor.slice(0, at) + (char === 'A' ? 'B' : 'A') + cursor.slice(at + 1)),
      null,
      7,
      'x'.repeat(10_000),
    ]
    for (const wrong of bad.filter((each) => each !== cursor)) {
      expect(await refusal({ limit: 2, cursor: wrong }), String(wrong)).toBe('invalid_cursor')
    }
    expect(await refusal({ cursor, order: 'oldest' })).toBe('invalid_cursor')
    expect(await refusal({ cursor, actor_id: 'ada' })).toBe('invalid_cursor')
    const elsewhere = { caller: system, organization: await organizationWith(seatgate) }
    expect(await listAuditEvents(seatgate, elsewhere, { cursor })).toMatchObject({
      error: { code: 'invalid_cursor' },
    })
    const keyed = seatgateWith({ secret: 'another secret of at least thirty-two characters' })
    expect(await listAuditEvents(keyed, scope(), { cursor })).toMatchObject({
      error: { code: 'invalid_cursor' },
    })
  })

  it('over HTTP a page has 200 at most [AUD-33]', async () => {
    const token = asUser({ userId: owners.get(organization)! })
    const get = (query: string) =>
      embedded().get(`/organizations/${organization}/audit?${query}`, token)
    expect((await get('limit=200')).status).toBe(200)
    expect(await problem(await get('limit=201'))).toMatchObject({ status: 422, fields: ['limit'] })
    expect(await problem(await get('cursor='))).toMatchObject({ code: 'invalid_cursor' })
    expect(await problem(await get('actor=ada'))).toMatchObject({ fields: ['actor'] })
    const found = await (
      await get('action_prefix=billing.&order=oldest')
    ).json<{ data: AuditEvent[] }>()
    expect(found.data.map(({ sequence }) => sequence)).toEqual([5, 7])
  })
})

describe('a stream', () => {
  it('has pages, and ends at the last event of its start [AUD-32]', async () => {
    const id = await organizationWith(seatgate)
    await addEvents(id, 1200)
    const stream = await streamAuditEvents(seatgate, { caller: system, organization: id })
    if (!stream.ok) throw new Error(stream.error.code)
    await rename(seatgate, id, 'Later')
    const seen: number[] = []
    for await (const event of stream.value.events) seen.push(event.sequence)
    expect(stream.value.throughSequence).toBe(1202)
    expect(seen).toEqual(upTo(1202))
  })

  it('ends for a user who loses the right to read before the next page [AUD-41]', async () => {
    const id = await organizationWith(seatgate)
    await addEvents(id, 700)
    const reader = await person()
    await testEnv.DB.prepare(
      `INSERT INTO seatgate_memberships (id, organization_id, user_id, role, created_at, updated_at)
       VALUES (?1, ?2, ?1, 'admin', 1, 1)`
    )
      .bind(reader.userId, id)
      .run()
    const stream = await streamAuditEvents(seatgate, {
      caller: { userId: reader.userId },
      organization: id,
    })
    if (!stream.ok) throw new Error(stream.error.code)
    const seen: number[] = []
    const reading = async () => {
      for await (const event of stream.value.events) {
        seen.push(event.sequence)
        if (event.sequence === 1) {
          await testEnv.DB.prepare("UPDATE seatgate_memberships SET role = 'member' WHERE id = ?")
            .bind(reader.userId)
            .run()
        }
      }
    }
    await expect(reading()).rejects.toThrow(StreamEnded)
    expect(seen).toEqual(upTo(500))
  })

  it.each([['member'], ['stranger']])(
    'is refused to a %s, and so is a count [AUD-41]',
    async (who) => {
      const userId = crypto.randomUUID()
      if (who === 'member') {
        await testEnv.DB.prepare(
          `INSERT INTO seatgate_memberships (id, organization_id, user_id, role, created_at, updated_at)
         VALUES (?1, ?2, ?1, 'member', 1, 1)`
        )
          .bind(userId, organization)
          .run()
      }
      const asking = { caller: { userId }, organization }
      const code = who === 'member' ? 'insufficient_role' : 'organization_not_found'
      for (const ask of [listAuditEvents, countAuditEvents, streamAuditEvents]) {
        expect(await ask(seatgate, asking)).toMatchObject({ ok: false, error: { code } })
        // Not even that the question was wrong.
        expect(await ask(seatgate, asking, { wrong: 1 } as never)).toMatchObject({
          error: { code },
        })
      }
    }
  )
})
