import { describe, expect, it } from 'vitest'
import { testEnv } from '../../../kit/index.ts'

describe('the table of events', () => {
  const columns =
    'organization_id, sequence, id, action, outcome, actor_type, actor_id, metadata, occurred_at, inserted_at'
  const event = {
    organization_id: 'table',
    sequence: 1,
    id: 'event-1',
    action: 'test.event',
    outcome: 'success',
    actor_type: 'user',
    actor_id: 'ada',
    metadata: '{}',
    occurred_at: 1,
    inserted_at: 1,
  }
  const write = (verb: string, changes: Partial<Record<keyof typeof event, unknown>>, end = '') => {
    const row = { ...event, ...changes }
    const marks = Object.keys(row).fill('?').join(', ')
    return testEnv.DB.prepare(
      `${verb} INTO seatgate_audit_events (${columns}) VALUES (${marks}) ${end}`
    )
      .bind(...Object.values(row))
      .run()
  }
  const all = async () =>
    (
      await testEnv.DB.prepare(
        'SELECT * FROM seatgate_audit_events ORDER BY organization_id, sequence'
      ).all()
    ).results
  const fresh = () => ({ organization_id: crypto.randomUUID(), id: crypto.randomUUID() })

  it.each([
    ['UPDATE of a column', "UPDATE seatgate_audit_events SET actor_id = 'eve'"],
    ['UPDATE to the same value', 'UPDATE seatgate_audit_events SET action = action'],
    ['UPDATE OR REPLACE', 'UPDATE OR REPLACE seatgate_audit_events SET sequence = 1'],
    ['UPDATE OR IGNORE', 'UPDATE OR IGNORE seatgate_audit_events SET sequence = 9'],
    [
      'AUD-57: a move to another organization',
      "UPDATE seatgate_audit_events SET organization_id = 'other'",
    ],
    [
      'AUD-57: a move to another sequence',
      'UPDATE seatgate_audit_events SET sequence = sequence + 1000',
    ],
    ['DELETE of one', 'DELETE FROM seatgate_audit_events WHERE sequence = 1'],
    ['DELETE of all', 'DELETE FROM seatgate_audit_events'],
    ['DELETE with RETURNING', 'DELETE FROM seatgate_audit_events RETURNING *'],
  ])('refuses %s [AUD-50]', async (_what, statement) => {
    await write('INSERT', fresh())
    const before = await all()
    await expect(testEnv.DB.prepare(statement).run()).rejects.toThrow(
      /audit_immutable.*SQLITE_CONSTRAINT_TRIGGER/
    )
    expect(await all()).toEqual(before)
  })

  it.each([
    ['INSERT'],
    ['INSERT OR REPLACE'],
    ['REPLACE'],
    ['INSERT OR IGNORE'],
    ['INSERT OR ABORT'],
  ])('refuses %s over an event, by organization and sequence [AUD-51]', async (verb) => {
    const there = fresh()
    await write('INSERT', there)
    const before = await all()
    const byPlace = { ...there, id: crypto.randomUUID(), actor_id: 'eve' }
    for (const row of [byPlace, { ...there, actor_id: 'eve' }]) {
      await expect(write(verb, row)).rejects.toThrow(/audit_immutable/)
    }
    expect(await all()).toEqual(before)
  })

  // An id is random and is no key: another row with it is an event of its own.
  it.each([['INSERT OR REPLACE'], ['REPLACE']])(
    'alters no event by %s with its id at another place [AUD-51]',
    async (verb) => {
      const there = fresh()
      await write('INSERT', there)
      const before = await all()
      const elsewhere = crypto.randomUUID()
      await write(verb, { ...there, organization_id: elsewhere, actor_id: 'eve' })
      const after = (await all()).filter((row) => row['organization_id'] !== elsewhere)
      expect(after).toEqual(before)
    }
  )

  it.each([
    ['ON CONFLICT (organization_id, sequence) DO UPDATE SET actor_id = excluded.actor_id'],
    ["ON CONFLICT DO UPDATE SET organization_id = 'other'"],
  ])('refuses an upsert %s [AUD-51]', async (end) => {
    const there = fresh()
    await write('INSERT', there)
    const before = await all()
    await expect(write('INSERT', { ...there, actor_id: 'eve' }, end)).rejects.toThrow(
      /audit_immutable/
    )
    expect(await all()).toEqual(before)
  })

  it.each([
    ['INSERT'],
    ['INSERT OR REPLACE'],
    ['REPLACE'],
    ['INSERT OR IGNORE'],
    ['INSERT OR ABORT'],
  ])('refuses %s over an event of the same idempotency key [AUD-51]', async (verb) => {
    const { organization_id } = fresh()
    const insert = (first: string, sequence: number) =>
      testEnv.DB.prepare(
        `${first} INTO seatgate_audit_events (${columns}, idempotency_key) VALUES (?, ?, ?, 'test.event', 'success', 'system', NULL, '{}', 1, 1, 'key')`
      )
        .bind(organization_id, sequence, crypto.randomUUID())
        .run()
    await insert('INSERT', 1)
    const before = await all()
    await expect(insert(verb, 2)).rejects.toThrow(/audit_immutable.*SQLITE_CONSTRAINT_TRIGGER/)
    expect(await all()).toEqual(before)
  })

  it('refuses to replace an event by two keys at once [AUD-51]', async () => {
    const [one, two] = [fresh(), fresh()]
    await write('INSERT', one)
    await write('INSERT', two)
    const before = await all()
    await expect(write('REPLACE', { ...one, id: two.id })).rejects.toThrow(/audit_immutable/)
    expect(await all()).toEqual(before)
  })

  it('the personal part can be erased, and neither changed nor replaced [AUD-50]', async () => {
    const salt = 'a'.repeat(64)
    const insert = (verb: string, user: string | null = null) =>
      testEnv.DB.prepare(
        `${verb} INTO seatgate_audit_personal (user_id, organization_id, digest, salt) VALUES (?2, 'table', ?1, ?1)`
      )
        .bind(salt, user)
        .run()
    // Code of an older version writes NULL for no user.
    await insert('INSERT')
    await insert('INSERT', 'ada')
    for (const user of [null, '', 'ada']) {
      await expect(insert('REPLACE', user)).rejects.toThrow(/audit_immutable/)
    }
    await expect(
      testEnv.DB.prepare("UPDATE seatgate_audit_personal SET ip_address = '::1'").run()
    ).rejects.toThrow(/audit_immutable/)
    await testEnv.DB.prepare('DELETE FROM seatgate_audit_personal').run()
    await expect(insert('INSERT')).resolves.toBeTruthy()
  })

  it.each([
    [
      'action',
      ['Auth.Login', 'foo', 'foo.', '.foo', 'FOO.BAR', '1foo.bar', '', 'a b.c', 'x'.repeat(256)],
    ],
    ['outcome', ['ok', '', null]],
    ['actor_type', ['robot', '', null]],
    ['actor_id', [null]],
    ['sequence', [0, -1, null]],
    ['metadata', ['{', '[]', 'null', '7', `{"x":"${'x'.repeat(8192)}"}`, null]],
    ['organization_id', [null]],
    ['id', [null]],
    ['occurred_at', [null]],
  ] as const)('refuses a wrong %s [AUD-3 AUD-4 AUD-15]', async (column, values) => {
    await expect(write('INSERT', fresh())).resolves.toBeTruthy()
    const before = (await all()).length
    for (const value of values) {
      await expect(write('INSERT', { ...fresh(), [column]: value })).rejects.toThrow(/constraint/i)
    }
    expect(await all()).toHaveLength(before)
  })

  it.each([['auth.login.success'], ['billing.charge_failed.retry'], ['a.b'], ['foo_bar.baz_qux']])(
    'takes the action %s [AUD-2]',
    async (action) => {
      await expect(write('INSERT', { ...fresh(), action })).resolves.toBeTruthy()
    }
  )

  it.each([['foo..bar'], ['foo.bar.']])('refuses the action %s [AUD-3]', async (action) => {
    await expect(write('INSERT', { ...fresh(), action })).rejects.toThrow(/CHECK/)
  })

  it('takes an actor without an id only as system or anonymous [AUD-15]', async () => {
    for (const actor_type of ['system', 'anonymous']) {
      await expect(
        write('INSERT', { ...fresh(), actor_type, actor_id: null })
      ).resolves.toBeTruthy()
    }
    for (const actor_type of ['operator', 'service_account', 'webhook', 'job']) {
      await expect(write('INSERT', { ...fresh(), actor_type, actor_id: null })).rejects.toThrow(
        /CHECK/
      )
      await expect(write('INSERT', { ...fresh(), actor_type })).resolves.toBeTruthy()
    }
  })
})
