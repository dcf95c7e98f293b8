import { describe, expect, it } from 'vitest'
import { readSettings, type Variables } from '../../../host/settings.ts'
import { seatgateRouter } from '../../../src/hono/index.ts'
import {
  createSeatgate,
  d1Seats,
  forwarding,
  invitations,
  joinRules,
  ledgerSeats,
  retention,
  type SeatgateOptions,
  type Sink,
} from '../../../src/index.ts'
import { users } from '../../../host/identity/schema.ts'
import { db, SECRET, seatgateWith, testEnv } from '../../kit/index.ts'

const sink = (id: string): Sink => ({
  id,
  accepts: () => true,
  deliver: async () => ({ outcome: 'delivered' }),
})
const OWN_PERMISSIONS = [
  'members:invite',
  'members:manage',
  'organization:update',
  'billing:manage',
  'audit:read',
]
const OWN_ROLES = { all: ['chief', 'clerk'], owner: 'chief', invitationAdmins: ['chief'] }

const verified = (email: string) => ({ userId: 'ada', email, emailVerifiedAt: new Date(1) })

describe('createSeatgate', () => {
  const make = (options: object) =>
    createSeatgate({
      database: db,
      seats: d1Seats(),
      sessions: 'none',
      ...options,
    } as SeatgateOptions)

  it('takes its options, and ORG-34: has owner, admin and member by default', () => {
    expect(make({}).roles).toEqual({
      all: ['owner', 'admin', 'member'],
      owner: 'owner',
      invitationAdmins: ['owner', 'admin'],
      memberAdmins: ['owner', 'admin'],
      organizationAdmins: ['owner', 'admin'],
      billingAdmins: ['owner', 'admin'],
      auditReaders: ['owner', 'admin'],
      permissions: OWN_PERMISSIONS,
      grants: new Map([
        ['owner', OWN_PERMISSIONS],
        ['admin', OWN_PERMISSIONS],
        ['member', []],
      ]),
      bounded: false,
      extend: null,
      seatless: [],
      seatTypes: new Map(),
    })
    expect(make({ roles: OWN_ROLES }).roles.organizationAdmins).toEqual(['chief'])
  })

  it.each<[string, object, RegExp]>([
    ['no database', { database: undefined }, /createSeatgate: database/],
    ['a bare binding for a database', { database: {} }, /createSeatgate: database/],
    ['no seats', { seats: undefined }, /createSeatgate: seats/],
    ['a namespace for seats', { seats: testEnv.SEATS.idFromName('x') }, /createSeatgate: seats/],
    ['roles alone [ORG-36]', { roles: { all: ['chief'] } }, /createSeatgate: roles\.all needs/],
    [
      'a foreign owner [ORG-35]',
      { roles: { ...OWN_ROLES, owner: 'owner' } },
      /createSeatgate: roles\.owner has "owner", which is not in roles\.all/,
    ],
    ['a foreign owner of the defaults', { roles: { owner: 'chief' } }, /roles\.owner has "chief"/],
    ...['invitationAdmins', 'memberAdmins', 'organizationAdmins'].flatMap(
      (name): [string, object, RegExp][] => [
        [
          `a foreign role in ${name} [ORG-37]`,
          { roles: { [name]: ['viewer'] } },
          new RegExp(`createSeatgate: roles\\.${name} has "viewer"`),
        ],
        [
          `no role in ${name} [ORG-37]`,
          { roles: { [name]: [] } },
          new RegExp(`createSeatgate: roles\\.${name} must not be empty`),
        ],
      ]
    ),
    [
      'a sink by the ledger’s name',
      {
        seats: ledgerSeats(testEnv.SEATS),
        audit: { forwarding: forwarding({ sinks: [sink('seat_ledger')] }) },
      },
      /createSeatgate: two consumers of the trail have the id "seat_ledger"/,
    ],
    [
      'a group that is no object',
      { identity: 'ada' },
      /createSeatgate: identity must be an object/,
    ],
    ['a group that is a list', { runtime: [] }, /createSeatgate: runtime must be an object/],
    ['a group that is null', { audit: null }, /createSeatgate: audit must be an object/],
    [
      'a proof',
      { identity: { stepUp: true } },
      /createSeatgate: identity\.stepUp must be a function/,
    ],
    [
      'a verification',
      { identity: { emailVerification: 'yes' } },
      /createSeatgate: identity\.emailVerification must be "always"/,
    ],
    ['a queue', { runtime: { queue: {} } }, /createSeatgate: runtime\.queue must have send/],
    ['a clock', { runtime: { now: 7 } }, /createSeatgate: runtime\.now must be a function/],
    [
      'a metric',
      { runtime: { measure: 7 } },
      /createSeatgate: runtime\.measure must be a function/,
    ],
    ['a secret', { audit: { cursorSecret: 'short' } }, /createSeatgate: audit\.cursorSecret must/],
    [
      'a prefix',
      { audit: { reservedPrefixes: ['auth'] } },
      /createSeatgate: audit\.reservedPrefixes must be/,
    ],
    [
      'a size',
      { audit: { metadataBytes: 9000 } },
      /createSeatgate: audit\.metadataBytes must be a whole number from 2 to 8192/,
    ],
    [
      'a time',
      { idempotency: { retentionDays: 0 } },
      /createSeatgate: idempotency\.retentionDays must be/,
    ],
    [
      'a part by another name',
      { audit: { log: forwarding({ sinks: [] }) } },
      /createSeatgate: audit\.log must be auditLog\(\{ … \}\)\./,
    ],
    [
      'a part that is options',
      { joining: { verifyDomain: () => true } },
      /createSeatgate: joining must be joinRules\(/,
    ],
    [
      'joining without users',
      { joining: joinRules({ verifyDomain: () => true }) },
      /createSeatgate: joining needs identity\.users and identity\.emailVerification/,
    ],
    [
      'a role of joining that is the owner’s',
      {
        joining: joinRules({ verifyDomain: () => true, role: 'owner' }),
        identity: { users, emailVerification: 'always' },
      },
      /createSeatgate: the role of joinRules\(\) is "owner"/,
    ],
    [
      'a registration where every address counts as verified',
      {
        invitations: invitations({ secret: SECRET, registerUser: async () => ({}) as never }),
        identity: { emailVerification: 'always' },
      },
      /createSeatgate: registerUser of invitations needs identity\.emailVerification/,
    ],
    [
      'retention without a log',
      { audit: { retention: retention([{ days: 1 }]) } },
      /createSeatgate: audit\.retention needs audit\.log/,
    ],
    [
      'a sink for a queue without one',
      { audit: { forwarding: forwarding({ sinks: [{ ...sink('a'), dispatch: 'async' }] }) } },
      /createSeatgate: the sink "a" is async, and there is no queue/,
    ],
  ])('throws for %s, naming the option', (_what, options, message) => {
    expect(() => make(options)).toThrow(TypeError)
    expect(() => make(options)).toThrow(message)
  })

  it('has the roles and actions of its parts, each once', () => {
    const { consumers, listeners, sweeps } = make({
      seats: ledgerSeats(testEnv.SEATS),
      audit: { forwarding: forwarding({ sinks: [sink('a')] }) },
    })
    expect(consumers.map(({ id }) => id)).toEqual(['seat_ledger', 'a'])
    expect(sweeps.map(({ name }) => name)).toEqual(['events'])
    expect(listeners).toHaveLength(1)
    const bare = make({})
    expect([...bare.consumers, ...bare.listeners, ...bare.sweeps]).toEqual([])
  })
})

describe('an option that does not exist', () => {
  const make = (options: object) => () => createSeatgate(options as SeatgateOptions)

  it.each(['users', 'ownerRole', 'sinks', 'queue', 'mailer', 'retention'])(
    'is refused, since it would have no effect: %s',
    (name) => {
      expect(make({ [name]: undefined })).toThrow(`createSeatgate: there is no option "${name}".`)
    }
  )

  it('is refused if a group is a list', () => {
    expect(make({ roles: ['owner'] })).toThrow(TypeError)
  })
})

describe('a default limit', () => {
  const providers = {
    d1Seats,
    ledgerSeats: (options: object) => ledgerSeats(testEnv.SEATS, options),
  }

  it.each(Object.entries(providers))('is an option of %s', (name, provider) => {
    for (const defaultLimit of [0, 1, 10_000, 'unlimited', undefined]) {
      expect(() => provider({ defaultLimit } as object)).not.toThrow()
    }
    for (const defaultLimit of [-1, 1.5, Number.NaN, 'many', '5', null]) {
      expect(() => provider({ defaultLimit } as object)).toThrow(`${name}: defaultLimit must be`)
    }
    expect(provider({ defaultLimit: 7 }).defaultLimit).toEqual({ kind: 'finite', seats: 7 })
  })
})

describe('forwarding', () => {
  it('refuses two sinks of one id, and a value that is no list of sinks [FWD-3]', () => {
    const wrong = (sinks: unknown) => () => forwarding({ sinks: sinks as Sink[] })
    expect(wrong([sink('a'), sink('a')])).toThrow('forwarding: two sinks have the id "a".')
    expect(wrong([{ id: 'a' }])).toThrow('forwarding: the sink "a" is not a sink')
    expect(wrong(sink('a'))).toThrow('forwarding: sinks must be a list.')
  })
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
    [{ ...hook, AUDIT_WEBHOOK_URL: 'logs' }, /^AUDIT_WEBHOOK_URL or .*url is not a URL/],
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
