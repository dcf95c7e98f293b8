import { describe, expect, it } from 'vitest'
import {
  loadActiveOrganization,
  loadOrganizationFromSlug,
  pageRefusals,
  refuseCrossSite,
  requireMembership,
  requireOrganizationMfa,
  requireSudo,
  seatgateRouter,
  organizationRoutes,
  invitationRoutes,
  auditRoutes,
} from '../../../src/hono/index.ts'
import {
  activateAtLogin,
  addMember,
  bucketSink,
  commitTogether,
  billing,
  countAuditEvents,
  createOrganization,
  createSeatgate,
  d1Seats,
  d1Sessions,
  exportAuditEvents,
  getMembership,
  invitations,
  joinRules,
  ledgerSeats,
  listAttempts,
  listAuditEvents,
  listDeadLetters,
  listDomains,
  listInvitations,
  listJoinableOrganizations,
  listJoinRequests,
  listMembers,
  listOrganizations,
  listOwnInvitations,
  listPlatformEvents,
  listSinks,
  prepareOrganization,
  selectActiveOrganization,
  setMfaPolicy,
  tenantDatabase,
  unlimitedSeats,
  webhookSink,
} from '../../../src/index.ts'
import {
  db,
  embedded,
  host,
  person,
  asUser,
  testEnv,
  createKit,
  newUser,
  operator,
  SECRET,
} from '../../kit/index.ts'

const kit = createKit()
const { seatgate } = kit
const needed = { database: db, seats: d1Seats(), sessions: d1Sessions() }
const authenticate = () => null
const factories: Record<string, (strange: object) => unknown> = {
  createSeatgate: (strange) => createSeatgate({ ...needed, ...strange }),
  ledgerSeats: (strange) => ledgerSeats(testEnv.SEATS, strange),
  d1Seats: (strange) => d1Seats(strange as never),
  unlimitedSeats: (strange) => unlimitedSeats(strange as never),
  d1Sessions: (strange) => d1Sessions(strange as never),
  joinRules: (strange) => joinRules({ verifyDomain: () => true, ...strange }),
  billing: (strange) => billing({ plans: {}, ...strange }),
  'joinRules: whenFull': (strange) => joinRules({ verifyDomain: () => true, whenFull: strange }),
  invitations: (strange) => invitations({ secret: SECRET, ...strange }),
  'invitations: limits': (strange) => invitations({ secret: SECRET, limits: strange }),
  webhookSink: (strange) =>
    webhookSink({ url: 'https://logs.example.com/', secret: null, ...strange }),
  bucketSink: (strange) => bucketSink({ bucket: testEnv.TEST_BUCKET, ...strange }),
  tenantDatabase: (strange) => tenantDatabase(db, strange),
  seatgateRouter: (strange) => seatgateRouter(seatgate, { authenticate, ...strange }),
  organizationRoutes: (strange) => organizationRoutes(seatgate, { authenticate, ...strange }),
  invitationRoutes: (strange) => invitationRoutes(seatgate, { authenticate, ...strange }),
  auditRoutes: (strange) => auditRoutes(seatgate, { authenticate, ...strange }),
  loadActiveOrganization: (strange) =>
    loadActiveOrganization(seatgate, { authenticate, ...strange }),
  loadOrganizationFromSlug: (strange) =>
    loadOrganizationFromSlug(seatgate, { authenticate, ...strange }),
  requireMembership: (strange) => requireMembership(seatgate, strange),
  requireOrganizationMfa: (strange) =>
    requireOrganizationMfa(seatgate, { mfaCheck: () => true, ...strange }),
  requireSudo: (strange) => requireSudo(seatgate, { isFresh: () => true, ...strange }),
  pageRefusals,
  refuseCrossSite,
}

describe('an option that is not known', () => {
  it.each(Object.entries(factories))('throws at start: %s [B14]', (name, make) => {
    const message = `${name}: there is no option "colour".`
    expect(() => make({ colour: 'red' })).toThrow(TypeError)
    expect(() => make({ colour: 'red' })).toThrow(message)
    expect(() => make({})).not.toThrow()
  })

  it.each([
    ['biling', {}, /"billing"/],
    ['authAdapter', {}, /Did you mean "\w+"\?/],
    ['session', {}, /"sessions"/],
    ['runTime', {}, /"runtime"/],
  ])('throws with the nearest that is: %s [B14]', (name, value, message) => {
    expect(() => createSeatgate({ ...needed, [name]: value })).toThrow(message)
  })

  it('throws with the nearest that is, of a part [B14]', () => {
    expect(() => invitations({ secret: SECRET, ttlseconds: 1 } as never)).toThrow(
      'invitations: there is no option "ttlseconds". Did you mean "ttlSeconds"?'
    )
  })

  it('of a function throws before anything is done [B14]', async () => {
    const organization = await kit.organization()
    const scope = organization.as(organization.owner)
    const strange = { operationID: 'x' } as never
    const userId = await newUser()
    const calls: Record<string, () => Promise<unknown>> = {
      addMember: () => addMember(seatgate, scope, { userId, role: 'member' }, strange),
      createOrganization: () => createOrganization(seatgate, scope, { name: 'Acme' }, strange),
      prepareOrganization: () =>
        prepareOrganization(seatgate, { caller: { userId } }, { name: 'Acme' }, strange),
      commitTogether: () => commitTogether(seatgate, {} as never, strange),
      getMembership: () => getMembership(seatgate, userId, organization.id, strange),
      listAuditEvents: () => listAuditEvents(seatgate, scope, {}, strange),
      exportAuditEvents: () => exportAuditEvents(seatgate, scope, {}, strange),
      setMfaPolicy: () => setMfaPolicy(seatgate, scope, { enabled: false }, strange),
      selectActiveOrganization: () => selectActiveOrganization(seatgate, userId, strange),
      activateAtLogin: () =>
        activateAtLogin(seatgate, userId, { id: 'x', activeOrganizationId: null }, strange),
    }
    for (const [name, call] of Object.entries(calls)) {
      await expect(call(), name).rejects.toThrow(/there is no option "operationID"/)
    }
    expect(await getMembership(seatgate, userId, organization.id)).toBeNull()
  })
})

describe('a parameter of a list that is not known', () => {
  it('is refused by the functions, with those that are [B14]', async () => {
    const sink = { id: 'log', deliver: async () => ({ outcome: 'delivered' }) as const }
    const { seatgate: own } = createKit({ sinks: [sink] })
    const organization = await kit.organization()
    const scope = organization.as(organization.owner)
    const { caller } = scope
    const strange = { offset: 10 } as never
    const lists: Record<string, () => Promise<unknown>> = {
      listMembers: () => listMembers(own, scope, strange),
      listOrganizations: () => listOrganizations(own, { caller }, strange),
      listInvitations: () => listInvitations(own, scope, strange),
      listOwnInvitations: () => listOwnInvitations(own, { caller }, strange),
      listJoinRequests: () => listJoinRequests(own, scope, strange),
      listDomains: () => listDomains(own, scope, strange),
      listJoinableOrganizations: () => listJoinableOrganizations(own, { caller }, strange),
      listSinks: () => listSinks(own, scope, strange),
      listDeadLetters: () => listDeadLetters(own, scope, 'log', strange),
      listAttempts: () => listAttempts(own, scope, 'log', strange),
      listAuditEvents: () => listAuditEvents(own, scope, strange),
      countAuditEvents: () => countAuditEvents(own, scope, strange),
      exportAuditEvents: () => exportAuditEvents(own, scope, strange),
      listPlatformEvents: () => listPlatformEvents(own, { caller: operator }, strange),
    }
    for (const [name, call] of Object.entries(lists)) {
      expect(await call(), name).toMatchObject({
        error: { code: 'validation_error', errors: { offset: [expect.stringMatching(/known/)] } },
      })
    }
  })
})

describe('a query', () => {
  const client = embedded({
    sinks: [webhookSink({ url: 'https://logs.example.com/', secret: null })],
  })

  async function team() {
    const { userId, token } = await person()
    const response = await host.post('/organizations', { name: 'Queries' }, token)
    const { id } = await response.json<{ id: string }>()
    return { id, token: asUser({ userId }) }
  }

  const lists = [
    '/organizations',
    '/organizations/ID/members',
    '/organizations/ID/invitations',
    '/invitations',
    '/organizations/ID/domains',
    '/organizations/ID/join-requests',
    '/joinable-organizations',
    '/organizations/ID/audit',
    '/organizations/ID/audit/count',
    '/organizations/ID/audit/export',
    '/organizations/ID/audit/sinks',
    '/organizations/ID/audit/sinks/webhook/dead-letters',
    '/organizations/ID/audit/sinks/webhook/attempts',
  ]

  it('with an unknown parameter is 422 on every list, and says which there are [B14]', async () => {
    const { id, token } = await team()
    for (const list of lists) {
      const path = list.replace('ID', id)
      expect((await client.get(path, token)).status, path).toBe(200)
      const response = await client.get(`${path}?offset=10&actor=x`, token)
      expect(response.status, path).toBe(422)
      expect(await response.json()).toMatchObject({
        code: 'validation_error',
        errors: { offset: [expect.stringMatching(/known/)], actor: [expect.any(String)] },
      })
    }
    const response = await client.get(`/organizations/${id}/audit?actor=x`, token)
    const { errors } = await response.json<{ errors: { actor: string[] } }>()
    expect(errors.actor.join()).toMatch(/action_prefix, actor_id, after_sequence, cursor/)
  })

  it('has numbers of decimal digits alone, everywhere [B7]', async () => {
    const { id, token } = await team()
    const numbers = ['0x5', '1e1', '%205', '5%20', '%2B5', '5.0', '', '-1', '0', '٥', '1&NAME=2']
    const fields = [
      ...lists
        .filter((list) => !/domains|joinable|count|sinks$/.test(list))
        .map((list) => [list, 'limit'] as const),
      ['/organizations/ID/audit/sinks/webhook/attempts', 'sequence'],
    ] as const
    for (const [list, name] of fields) {
      for (const number of numbers) {
        const path = `${list.replace('ID', id)}?${name}=${number.replace('NAME', name)}`
        const response = await client.get(path, token)
        expect(response.status, path).toBe(422)
        expect(Object.keys((await response.json<{ errors: object }>()).errors)).toEqual([name])
      }
      expect((await client.get(`${list.replace('ID', id)}?${name}=5`, token)).status).toBe(200)
    }
    for (const number of numbers.filter((each) => each !== '0')) {
      const path = `/organizations/${id}/audit?after_sequence=${number.replace('NAME', 'after_sequence')}`
      expect((await client.get(path, token)).status, path).toBe(422)
    }
  })

  it('has times of RFC 3339 alone, everywhere [B6]', async () => {
    const { id, token } = await team()
    const times = ['1', '2026-02-31', '2026-02-31T00:00:00Z', '11/12/2026', '2026-06-30T24:00:00Z']
    const fields = [
      ['audit', 'from'],
      ['audit', 'to'],
      ['audit/count', 'from'],
      ['audit/count', 'to'],
      ['audit/export', 'from'],
      ['audit/seats', 'at'],
      ['audit/sinks/webhook/dead-letters', 'from'],
      ['audit/sinks/webhook/dead-letters', 'to'],
    ]
    for (const [list, name] of fields) {
      for (const time of [
        ...times,
        '2026-06-30T23:59:60Z',
        '2026-06-30T23:59:59',
        '2026-06-30',
        '',
      ]) {
        const response = await client.get(`/organizations/${id}/${list}?${name}=${time}`, token)
        expect(response.status, `${list} ${name} ${time}`).toBe(422)
        expect(Object.keys((await response.json<{ errors: object }>()).errors)).toEqual([name])
      }
      const good = await client.get(
        `/organizations/${id}/${list}?${name}=2026-06-30T23:59:59%2B02:00`,
        token
      )
      expect(good.status, `${list} ${name}`).toBe(200)
    }
    const requeue = `/organizations/${id}/audit/sinks/webhook/dead-letters/requeue`
    for (const time of [...times, 1, null]) {
      const response = await client.post(requeue, { from: time }, token)
      expect(response.status, String(time)).toBe(422)
    }
  })
})
