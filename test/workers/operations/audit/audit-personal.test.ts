/**
 * To whom the personal data of an event belong, and what an erasure finds.
 *
 * @module
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { reset } from 'cloudflare:test'
import {
  commitTogether,
  erasePersonalData,
  listAuditEvents,
  logEvent,
  prepareEvents,
  type HostEvent,
  type Principal,
  type Scope,
} from '../../../../src/index.ts'
import { freshStores, organizationWith, seatgateWith, testEnv, unwrap } from '../../../kit/index.ts'

const ORIGIN = { ipAddress: '203.0.113.9', userAgent: 'curl' }
const system = { type: 'system' } as const
const seatgate = seatgateWith()

const erase = (userId: string, caller: Scope['caller'] = system) =>
  erasePersonalData(seatgate, { caller }, userId)

async function eventsOf(organization: string) {
  const list = await listAuditEvents(
    seatgate,
    { caller: system, organization },
    { order: 'oldest' }
  )
  return unwrap(list).data
}

/** The addresses that the events with an action have. */
async function addressesOf(organization: string, prefix = 'host.') {
  const events = await eventsOf(organization)
  return events
    .filter(({ action }) => action.startsWith(prefix))
    .map(({ personal }) => personal?.ipAddress ?? null)
}

async function rowsOf(organization: string) {
  const { results } = await testEnv.DB.prepare(
    'SELECT user_id, digest, salt FROM seatgate_audit_personal WHERE organization_id = ? ORDER BY user_id'
  )
    .bind(organization)
    .all<{ user_id: string; digest: string; salt: string }>()
  return results
}

const by = (id: string): HostEvent => ({ action: 'host.done', actor: { type: 'user', id } })

describe('the personal data of an event', () => {
  const CALLERS: readonly [what: string, Principal, HostEvent['actor'], user: string][] = [
    ['of the caller', { userId: 'ada' }, undefined, 'ada'],
    [
      'of an operator who acts as a user',
      { userId: 'ada', impersonatedBy: 'ops' },
      undefined,
      'ops',
    ],
    [
      'of a service account',
      { type: 'service_account', serviceAccountId: 'ci' } as Principal,
      undefined,
      'ci',
    ],
    ['of a stranger', { type: 'anonymous' }, undefined, ''],
    ['of a user whom the host names', system, { type: 'user', id: 'ben' }, 'ben'],
    [
      'of a user whom another user’s request names',
      { userId: 'ada' },
      { type: 'user', id: 'ben' },
      'ben',
    ],
    ['of the host, for a user', { userId: 'ada' }, { type: 'system', id: null }, 'ada'],
  ]

  it.each(CALLERS)(
    '%s belong to that user, and are erased with them',
    async (_what, caller, actor, user) => {
      const organization = await organizationWith(seatgate)
      const scope = { caller, organization, origin: ORIGIN }
      unwrap(await logEvent(seatgate, scope, { action: 'host.done', ...(actor && { actor }) }))
      expect(await rowsOf(organization)).toMatchObject([{ user_id: user }])
      expect(await addressesOf(organization)).toEqual([ORIGIN.ipAddress])
      unwrap(await erase('bystander'))
      expect(await addressesOf(organization)).toEqual([ORIGIN.ipAddress])
      if (user === '') return
      expect(await erase(user)).toMatchObject({ value: { erased: expect.any(Number) } })
      expect(await addressesOf(organization)).toEqual([null])
      expect(await rowsOf(organization)).toEqual([])
      expect((await eventsOf(organization)).at(-1)).toMatchObject({
        action: 'audit.erasure',
        targetId: user,
        metadata: { records: 1 },
      })
    }
  )

  it.each([3, 30])(
    'of %i users in one batch stand apart, each with a salt, and one is erased alone',
    async (size) => {
      const organization = await organizationWith(seatgate)
      const scope = { caller: system, organization, origin: ORIGIN }
      const users = ['ada', 'ben', 'ada']
      const events = Array.from({ length: size }, (_, index) => by(users[index % 3]!))
      unwrap(await commitTogether(seatgate, unwrap(prepareEvents(seatgate, scope, events))))
      const rows = await rowsOf(organization)
      expect(rows).toMatchObject([{ user_id: 'ada' }, { user_id: 'ben' }])
      expect(new Set(rows.map(({ salt }) => salt)).size).toBe(2)
      expect(new Set(rows.map(({ digest }) => digest)).size).toBe(2)
      expect(await addressesOf(organization)).toEqual(events.map(() => ORIGIN.ipAddress))
      unwrap(await erase('ada'))
      const left = events.map(({ actor }) => (actor?.id === 'ben' ? ORIGIN.ipAddress : null))
      expect(await addressesOf(organization)).toEqual(left)
    }
  )

  it('of no user are not erased under an empty id, which is refused', async () => {
    const organization = await organizationWith(seatgate)
    const scope = { caller: { type: 'anonymous' }, organization, origin: ORIGIN } as const
    unwrap(await logEvent(seatgate, scope, { action: 'host.done' }))
    expect(await erase('')).toEqual({
      ok: false,
      error: { code: 'validation_error', errors: { userId: ['Must not be empty.'] } },
    })
    expect(await erase(undefined as never)).toMatchObject({ error: { code: 'validation_error' } })
    expect(await erase('', { userId: 'ada' })).toMatchObject({
      error: { code: 'insufficient_role' },
    })
    expect(await addressesOf(organization)).toEqual([ORIGIN.ipAddress])
  })
})

describe('the personal data of an older database', () => {
  const digest = (letter: string) => letter.repeat(64)
  let organization = ''

  beforeAll(async () => {
    const { DB, TEST_MIGRATIONS } = testEnv
    const at = TEST_MIGRATIONS.findIndex(({ name }) => name.endsWith('_audit_personal_by_user.sql'))
    const apply = (migrations: typeof TEST_MIGRATIONS) =>
      DB.prepare(migrations.flatMap(({ queries }) => queries).join(';\n')).run()
    await reset()
    await apply(TEST_MIGRATIONS.slice(0, at))
    organization = crypto.randomUUID()
    const event = DB.prepare(
      `INSERT INTO seatgate_audit_events (organization_id, sequence, id, action, outcome, actor_type, actor_id,
         effective_user_id, personal_digest, occurred_at, inserted_at)
       VALUES (?1, ?2, ?1 || ?2, 'host.done', 'success', ?3, ?4, ?5, ?6, 1, 1)`
    )
    const row = DB.prepare(
      `INSERT INTO seatgate_audit_personal (organization_id, digest, user_id, salt, ip_address)
       VALUES (?1, ?2, ?3, ?2, '203.0.113.9')`
    )
    await DB.batch([
      DB.prepare(
        `INSERT INTO seatgate_organizations (id, name, slug, owner_user_id, created_at, updated_at)
         VALUES (?, 'Acme', 'acme', 'owner', 1, 1)`
      ).bind(organization),
      row.bind(organization, digest('a'), 'ada'),
      event.bind(organization, 1, 'user', 'ada', 'ada', digest('a')),
      event.bind(organization, 2, 'user', 'ada', 'ada', digest('a')),
      // The host has named an actor: the row is under nobody, or under the caller.
      row.bind(organization, digest('b'), null),
      event.bind(organization, 3, 'user', 'ben', null, digest('b')),
      row.bind(organization, digest('c'), 'ada'),
      event.bind(organization, 4, 'user', 'cid', 'ada', digest('c')),
      event.bind(organization, 5, 'system', null, 'ada', digest('c')),
    ])
    await apply(TEST_MIGRATIONS.slice(at))
  })
  afterAll(freshStores)

  it('are found, and erased with their user', async () => {
    const there = ORIGIN.ipAddress
    expect(await addressesOf(organization)).toEqual([there, there, there, there, there])
    expect(await erase('ben')).toMatchObject({ value: { erased: 1 } })
    expect(await addressesOf(organization)).toEqual([there, there, null, there, there])
    expect(await erase('ada')).toMatchObject({ value: { erased: 2 } })
    expect(await addressesOf(organization)).toEqual([null, null, null, there, null])
    expect(await erase('cid')).toMatchObject({ value: { erased: 1 } })
    expect(await rowsOf(organization)).toEqual([])
  })
})
