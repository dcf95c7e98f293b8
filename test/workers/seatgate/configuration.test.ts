import { describe, expect, it } from 'vitest'
import { readSettings, type Variables } from '../../../host/settings.ts'
import { seatgateRouter } from '../../../src/hono/index.ts'
import {
  createSeatgate,
  d1Seats,
  ledgerSeats,
  type SeatgateOptions,
  type Sink,
} from '../../../src/index.ts'
import { db, seatgateWith, testEnv } from '../../kit/index.ts'

const sink = (id: string): Sink => ({
  id,
  accepts: () => true,
  deliver: async () => ({ outcome: 'delivered' }),
})
const OWN_ROLES = { roles: ['chief', 'clerk'], ownerRole: 'chief', invitationAdminRoles: ['chief'] }

const verified = (email: string) => ({ userId: 'ada', email, emailVerifiedAt: new Date(1) })

describe('createSeatgate', () => {
  const make = (options: object) =>
    createSeatgate({
      database: db,
      seats: d1Seats(),
      sessions: 'none',
      ...options,
    } as SeatgateOptions)

  it('takes what it needs, and ORG-34: has owner, admin and member by default', () => {
    expect(make({}).roles).toEqual({
      all: ['owner', 'admin', 'member'],
      owner: 'owner',
      invitationAdmins: ['owner', 'admin'],
      memberAdmins: ['owner', 'admin'],
      organizationAdmins: ['owner', 'admin'],
    })
    expect(make(OWN_ROLES).roles.organizationAdmins).toEqual(['chief'])
  })

  it.each<[string, object, RegExp]>([
    ['no database', { database: undefined }, /createSeatgate: database/],
    ['a bare binding for a database', { database: {} }, /createSeatgate: database/],
    ['no seats', { seats: undefined }, /createSeatgate: seats/],
    ['a namespace for seats', { seats: testEnv.SEATS.idFromName('x') }, /createSeatgate: seats/],
    ['a negative default', { defaultSeatLimit: -1 }, /createSeatgate: defaultSeatLimit/],
    ['a fractional default', { defaultSeatLimit: 1.5 }, /createSeatgate: defaultSeatLimit/],
    ['a default of NaN', { defaultSeatLimit: Number.NaN }, /createSeatgate: defaultSeatLimit/],
    ['a default in words', { defaultSeatLimit: 'many' }, /createSeatgate: defaultSeatLimit/],
    ['a default as a text', { defaultSeatLimit: '5' }, /createSeatgate: defaultSeatLimit/],
    ['ORG-36: roles alone', { roles: ['chief'] }, /createSeatgate: roles/],
    ['ORG-35: a foreign owner', { ...OWN_ROLES, ownerRole: 'owner' }, /ownerRole has "owner"/],
    ['a foreign owner of the defaults', { ownerRole: 'chief' }, /ownerRole has "chief"/],
    [
      'ORG-37: foreign inviters',
      { invitationAdminRoles: ['viewer'] },
      /invitationAdminRoles has "viewer"/,
    ],
    ['ORG-37: no inviters', { invitationAdminRoles: [] }, /invitationAdminRoles must not be empty/],
    ['foreign admins', { memberAdminRoles: ['viewer'] }, /memberAdminRoles has "viewer"/],
    ['no admins', { memberAdminRoles: [] }, /memberAdminRoles must not be empty/],
    ['foreign renamers', { organizationAdminRoles: ['x'] }, /organizationAdminRoles has "x"/],
    ['no renamers', { organizationAdminRoles: [] }, /organizationAdminRoles must not be empty/],
    ['FWD-3: two sinks of one id', { sinks: [sink('a'), sink('a')] }, /two sinks have the id "a"/],
    [
      'a sink by the ledger’s name',
      { seats: ledgerSeats(testEnv.SEATS), sinks: [sink('seat_ledger')] },
      /two sinks have the id "seat_ledger"/,
    ],
  ])('throws for %s, naming the option', (_what, options, message) => {
    expect(() => make(options)).toThrow(TypeError)
    expect(() => make(options)).toThrow(message)
  })

  it.each([[0], [1], [10_000], ['unlimited'], [undefined]])(
    'takes the default limit %s',
    (limit) => {
      expect(() => make({ defaultSeatLimit: limit })).not.toThrow()
    }
  )
})

describe('ledgerSeats', () => {
  it.each<[unknown, object, RegExp]>([
    [undefined, {}, /ledgerSeats: the Durable Object namespace/],
    [{}, {}, /ledgerSeats: the Durable Object namespace/],
    [testEnv.SEATS, { reservationSeconds: 0 }, /ledgerSeats: reservationSeconds/],
    [testEnv.SEATS, { reservationSeconds: Number.NaN }, /ledgerSeats: reservationSeconds/],
    [testEnv.SEATS, { reservationSeconds: Number.POSITIVE_INFINITY }, /reservationSeconds/],
    [testEnv.SEATS, { reservationSeconds: '30' }, /ledgerSeats: reservationSeconds/],
    [testEnv.SEATS, { timeoutSeconds: -1 }, /ledgerSeats: timeoutSeconds/],
  ])('throws for case %#, naming the option', (namespace, options, message) => {
    expect(() => ledgerSeats(namespace as never, options)).toThrow(message)
  })
})

describe('seatgateRouter', () => {
  it.each([[{}], [{ authenticate: 'bearer' }], [{ authenticate: null }]])(
    'throws for %j, naming authenticate',
    (options) => {
      expect(() => seatgateRouter(seatgateWith(), options as never)).toThrow(
        /seatgateRouter: authenticate/
      )
    }
  )
})

describe('the reference host’s variables', () => {
  const hook = { AUDIT_WEBHOOK_URL: 'https://logs.example.com/', AUDIT_WEBHOOK_SECRET: 'secret' }

  it('have defaults: no limit, thirty seconds, no operator, no sink', () => {
    for (const variables of [
      {},
      { DEFAULT_SEAT_LIMIT: '', OPERATOR_EMAILS: '', AUDIT_WEBHOOK_URL: '' },
    ]) {
      const settings = readSettings(variables)
      expect(settings).toMatchObject({
        defaultSeatLimit: 'unlimited',
        reservationSeconds: 30,
        sinks: [],
      })
      for (const email of ['', 'ada@example.com', ' '])
        expect(settings.isOperator(verified(email))).toBe(false)
    }
  })

  it('keep audit events permanently, or as many days as they say [AUD-58]', () => {
    const days = (variables: Variables) => readSettings(variables).auditRetentionDays
    expect([days({}), days({ AUDIT_RETENTION_DAYS: '' })]).toEqual([null, null])
    expect(days({ AUDIT_RETENTION_DAYS: '400', AUDIT_LOG_KEY: 'key' })).toBe(400)
    expect(days({ AUDIT_RETENTION_DAYS: '1', ENVIRONMENT: 'development' })).toBe(1)
  })

  it('name operators in any case, with spaces and stray commas', () => {
    const { isOperator } = readSettings({ OPERATOR_EMAILS: ' Ops@Example.com ,, b@example.com,' })
    const asked = [
      'ops@example.com',
      'b@example.com',
      'c@example.com',
      '',
      'ops@example.com.evil.com',
    ]
    expect(asked.map((email) => isOperator(verified(email)))).toEqual([
      true,
      true,
      false,
      false,
      false,
    ])
  })

  it.each([
    ['0', 0],
    ['5', 5],
    ['unlimited', 'unlimited'],
  ])('read DEFAULT_SEAT_LIMIT %s', (text, limit) => {
    expect(readSettings({ DEFAULT_SEAT_LIMIT: text }).defaultSeatLimit).toBe(limit)
  })

  it.each<[Variables, string | null]>([
    [{}, null],
    [{ PUBLIC_URL: '' }, null],
    [{ ENVIRONMENT: 'development' }, 'http://127.0.0.1:8787'],
    [{ ENVIRONMENT: 'development', PUBLIC_URL: 'http://127.0.0.1:8833' }, 'http://127.0.0.1:8833'],
    [{ PUBLIC_URL: 'https://seats.example.com' }, 'https://seats.example.com'],
    [{ PUBLIC_URL: 'https://example.com/seats/' }, 'https://example.com/seats'],
  ])('have the address for links: %j gives %s', (variables, url) => {
    expect(readSettings(variables).publicUrl).toBe(url)
  })

  it('have a secret for invitations and print mail in development alone', () => {
    const local = readSettings({ ENVIRONMENT: 'development' })
    expect([typeof local.secret, local.printsMail]).toEqual(['string', true])
    const live = readSettings({})
    expect([live.secret, live.printsMail]).toEqual([null, false])
    const given = { INVITATION_SECRET: 'x'.repeat(32), INVITATIONS_HOLD_SEATS: 'false' }
    expect(readSettings(given)).toMatchObject({
      secret: given.INVITATION_SECRET,
      invitationsHoldSeats: false,
    })
  })

  it.each<[Variables, RegExp]>([
    ...[
      '-1',
      '1.5',
      'many',
      '1e3',
      ' 5',
      '0x10',
      'NaN',
      'Infinity',
      '9007199254740993',
      'Unlimited',
    ].map((text): [Variables, RegExp] => [
      { DEFAULT_SEAT_LIMIT: text },
      /^DEFAULT_SEAT_LIMIT must be/,
    ]),
    ...['0', '-1', 'soon', '3601', 'Infinity'].map((text): [Variables, RegExp] => [
      { SEAT_RESERVATION_SECONDS: text },
      /^SEAT_RESERVATION_SECONDS must be/,
    ]),
    ...[
      'seats.example.com',
      '/invitations',
      'ftp://seats.example.com',
      'https://',
      'https://x/?a',
    ].map((text): [Variables, RegExp] => [{ PUBLIC_URL: text }, /^PUBLIC_URL must be/]),
    [{ INVITATIONS_HOLD_SEATS: 'yes' }, /^INVITATIONS_HOLD_SEATS must be/],
    ...['0', '-1', '1.5', 'soon', 'Infinity'].map((text): [Variables, RegExp] => [
      { AUDIT_RETENTION_DAYS: text, AUDIT_LOG_KEY: 'key' },
      /^AUDIT_RETENTION_DAYS must be/,
    ]),
    [{ AUDIT_RETENTION_DAYS: '30' }, /^AUDIT_LOG_KEY must be set/],
    [{ AUDIT_WEBHOOK_URL: hook.AUDIT_WEBHOOK_URL }, /^AUDIT_WEBHOOK_SECRET must be set/],
    [
      { ...hook, AUDIT_WEBHOOK_SECRET: 'whsec_%' },
      /^AUDIT_WEBHOOK_URL or AUDIT_WEBHOOK_SECRET .*secret/,
    ],
    [{ ...hook, AUDIT_WEBHOOK_URL: 'logs' }, /^AUDIT_WEBHOOK_URL or .*url is not an address/],
    [{ ...hook, AUDIT_WEBHOOK_URL: 'http://logs.example.com' }, /^AUDIT_WEBHOOK_URL or .*https/],
    [{ ...hook, AUDIT_WEBHOOK_URL: 'http://127.0.0.1:9900' }, /^AUDIT_WEBHOOK_URL or .*https/],
    [
      { ...hook, AUDIT_WEBHOOK_URL: 'http://logs.example.com', ENVIRONMENT: 'development' },
      /^AUDIT_WEBHOOK_URL or .*https/,
    ],
  ])('throw for %j, naming the variable', (variables, message) => {
    expect(() => readSettings(variables)).toThrow(TypeError)
    expect(() => readSettings(variables)).toThrow(message)
  })

  it.each([['test'], ['Development'], ['staging'], [''], [undefined]])(
    'count the environment %s as production [BILL-3]',
    (ENVIRONMENT) => {
      const variables = { ...hook, AUDIT_WEBHOOK_URL: 'http://127.0.0.1:9900/', ENVIRONMENT }
      expect(() => readSettings(variables as Variables)).toThrow(/https/)
    }
  )

  it('take a webhook on this machine, signed or not, in development', () => {
    const local = { AUDIT_WEBHOOK_URL: 'http://127.0.0.1:9900/hook', ENVIRONMENT: 'development' }
    expect(readSettings(local).sinks.map(({ id }) => id)).toEqual(['webhook'])
    expect(readSettings({ ...local, AUDIT_WEBHOOK_SECRET: 'secret' }).sinks).toHaveLength(1)
    expect(readSettings(hook).sinks).toHaveLength(1)
  })
})
