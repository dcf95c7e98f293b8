import { describe, expect, it } from 'vitest'
import {
  addMember,
  billing,
  getBilling,
  getEntitlement,
  seatUsage,
  setEntitlement,
  setSeatLimit,
  listAuditEvents,
  type EntitlementInput,
} from '../../../../src/index.ts'
import {
  testEnv,
  unwrap,
  codeOf,
  createKit,
  enforcing,
  newOrganization,
  newUser,
  type TestOrganization,
  type Kit,
  type KitOptions,
} from '../../../kit/index.ts'

const DAY = 24 * 60 * 60 * 1000
const START = Date.parse('2026-03-01T00:00:00Z')
const iso = (days: number) => new Date(START + days * DAY).toISOString()

/** A kit whose clock the test moves. */
function clockKit(options: KitOptions = {}) {
  let time = START
  const kit = createKit({ now: () => new Date(time), ...options })
  return { kit, advance: (days: number) => (time += days * DAY) }
}

const set = (kit: Kit, organization: TestOrganization, input: Partial<EntitlementInput>) =>
  setEntitlement(kit.seatgate, organization.asOperator, { reason: 'Contract 4711', ...input })

const join = async (kit: Kit, organization: TestOrganization) =>
  codeOf(
    await addMember(kit.seatgate, organization.as(organization.owner), {
      userId: await newUser(),
      role: 'member',
    })
  )

const eventsOf = async (kit: Kit, organization: TestOrganization, action: string) =>
  unwrap(await listAuditEvents(kit.seatgate, organization.as(organization.owner), { action })).data

describe.each(enforcing)('setEntitlement with %s seats', (provider) => {
  it('computes the limit in its batch, and the gate enforces it [BILL-26 BILL-35]', async () => {
    const { kit } = clockKit({ provider })
    const organization = await newOrganization(kit)
    const view = unwrap(await set(kit, organization, { included: 1, purchased: 1, cap: 5 }))
    expect(view).toMatchObject({
      included: 1,
      purchased: 1,
      addOns: 0,
      cap: 5,
      limit: 2,
      version: 1,
      override: { included: 1, purchased: 1, addOns: null, cap: 5, reason: 'Contract 4711' },
    })
    expect(await join(kit, organization)).toBe('ok')
    expect(await join(kit, organization)).toBe('seat_limit_reached')
    unwrap(await set(kit, organization, { included: 9, cap: 3 }))
    expect(await join(kit, organization)).toBe('ok')
    expect(await join(kit, organization)).toBe('seat_limit_reached')
  })

  it('records its author, reason and end [BILL-34]', async () => {
    const { kit } = clockKit({ provider })
    const organization = await newOrganization(kit)
    unwrap(await set(kit, organization, { included: 4, until: iso(30) }))
    const [event] = await eventsOf(kit, organization, 'seat.entitlement_set')
    expect(event).toMatchObject({
      actorType: 'operator',
      actorId: 'operator',
      metadata: { included: 4, until: iso(30), reason: 'Contract 4711', version: 1 },
    })
    const [changed] = await eventsOf(kit, organization, 'seat.limit_changed')
    expect(changed?.metadata).toMatchObject({ limit: 4, old_limit: null, version: 1 })
  })

  it('keeps every member at a limit below the seats in use, and stops growth [SEAT-44]', async () => {
    const { kit } = clockKit({ provider })
    const organization = await newOrganization(kit)
    for (const expected of ['ok', 'ok']) expect(await join(kit, organization)).toBe(expected)
    unwrap(await set(kit, organization, { included: 1 }))
    expect(unwrap(await seatUsage(kit.seatgate, organization.asOperator))).toMatchObject({
      held: 3,
      limit: 1,
      overLimit: true,
    })
    expect(await join(kit, organization)).toBe('seat_limit_reached')
    const view = unwrap(await getBilling(kit.seatgate, organization.as(organization.owner)))
    expect(view.overLimitSince).toBe(iso(0))
  })

  it('removes the earlier override, without any number [BILL-24]', async () => {
    const { kit } = clockKit({ provider })
    const organization = await newOrganization(kit)
    unwrap(await set(kit, organization, { included: 1 }))
    const view = unwrap(await set(kit, organization, {}))
    expect(view).toMatchObject({ limit: 'unlimited', version: 2, override: null })
    expect(await join(kit, organization)).toBe('ok')
  })

  it('gives several writers versions that rise without a gap [BILL-25]', async () => {
    const { kit } = clockKit({ provider })
    const organization = await newOrganization(kit)
    const written = await Promise.all(
      [3, 4, 5, 6].map((included) => set(kit, organization, { included }))
    )
    const versions = written.map((result) => unwrap(result).version)
    expect(new Set(versions)).toEqual(new Set([1, 2, 3, 4]))
    const last = written.map(unwrap).find(({ version }) => version === 4)!
    const usage = unwrap(await seatUsage(kit.seatgate, organization.asOperator))
    expect(usage).toMatchObject({ limit: last.limit, version: 4 })
  })

  it('holds the last known limit while the numbers are unknown [BILL-32]', async () => {
    const { kit } = clockKit({ provider })
    const organization = await newOrganization(kit, 2)
    const view = unwrap(await set(kit, organization, { included: 'unknown' }))
    expect(view).toMatchObject({ included: 'unknown', limit: 2, unknownSince: iso(0) })
    expect(view.nextChange).toBe(iso(3))
    expect(await join(kit, organization)).toBe('ok')
    expect(await join(kit, organization)).toBe('seat_limit_reached')
  })
})

describe('setEntitlement', () => {
  it.each([
    ['included', { included: -1 }],
    ['included', { included: 1.5 }],
    ['included', { included: Number.NaN }],
    ['included', { included: 2e9 }],
    ['included', { included: '5' as never }],
    ['purchased', { purchased: -1 }],
    ['purchased', { purchased: 'unlimited' as never }],
    ['addOns', { addOns: 0.1 }],
    ['cap', { cap: Number.POSITIVE_INFINITY }],
    ['cap', { cap: 'unknown' as never }],
    ['until', { until: 'tomorrow' }],
    ['until', { until: iso(0) }],
    ['until', { until: iso(-1) }],
    ['reason', { reason: '' }],
    ['reason', { reason: undefined as never }],
    ['reason', { reason: 'x'.repeat(501) }],
  ])('refuses a wrong %s: %o [BILL-23]', async (field, input) => {
    const { kit } = clockKit()
    const organization = await newOrganization(kit)
    const result = await setEntitlement(kit.seatgate, organization.asOperator, {
      reason: 'r',
      ...input,
    })
    expect(result).toMatchObject({ ok: false, error: { code: 'validation_error' } })
    expect(Object.keys((result as never as { error: { errors: object } }).error.errors)).toEqual([
      field,
    ])
  })

  it('answers members and strangers as for an organization that does not exist [SEAT-19]', async () => {
    const { kit } = clockKit()
    const organization = await newOrganization(kit, 5)
    for (const userId of [organization.owner, await newUser()]) {
      const scope = organization.as(userId)
      const input = { included: 99, reason: 'r' }
      expect(codeOf(await setEntitlement(kit.seatgate, scope, input))).toBe(
        'organization_not_found'
      )
      expect(codeOf(await getEntitlement(kit.seatgate, scope))).toBe('organization_not_found')
    }
    const found = unwrap(await getEntitlement(kit.seatgate, organization.asOperator))
    expect(found).toMatchObject({ limit: 5, version: 1 })
  })

  it('is refused where the seat provider does not limit seats', async () => {
    const { kit } = clockKit({ provider: 'unlimited' })
    const organization = await newOrganization(kit)
    expect(codeOf(await set(kit, organization, { included: 1 }))).toBe('validation_error')
  })
})

describe('setSeatLimit', () => {
  it('holds in place of every number, until setEntitlement replaces it [BILL-34]', async () => {
    const { kit } = clockKit()
    const organization = await newOrganization(kit)
    unwrap(await set(kit, organization, { included: 9, addOns: 4, cap: 10 }))
    unwrap(await setSeatLimit(kit.seatgate, organization.asOperator, { limit: 7 }))
    const found = unwrap(await getEntitlement(kit.seatgate, organization.asOperator))
    expect(found).toMatchObject({ included: 7, purchased: 0, addOns: 0, cap: null, limit: 7 })
    expect(unwrap(await set(kit, organization, { cap: 3 }))).toMatchObject({ limit: 3 })
  })
})

describe('getBilling', () => {
  it('has the seats of the default and no status without a subscription [BILL-24]', async () => {
    const { kit } = clockKit({ defaultSeatLimit: 4 })
    const organization = await newOrganization(kit)
    const scope = organization.as(organization.owner)
    expect(unwrap(await getBilling(kit.seatgate, scope))).toEqual({
      plan: null,
      status: 'none',
      granting: false,
      reason: 'none',
      seats: { included: 4, purchased: 0, addOns: 0, cap: null, limit: 4, used: 1 },
      currentPeriodEnd: null,
      trialEnd: null,
      graceEnd: null,
      overLimitSince: null,
      scheduled: null,
      provider: null,
      syncedAt: null,
    })
  })

  it('has the base seats of billing if no subscription grants any [BILL-24]', async () => {
    const rules = billing({ plans: {}, baseSeats: 2 })
    const { kit } = clockKit({ defaultSeatLimit: 4, billing: rules })
    const organization = await newOrganization(kit)
    const scope = organization.as(organization.owner)
    const { seats } = unwrap(await getBilling(kit.seatgate, scope))
    expect(seats).toMatchObject({ included: 2, limit: 2 })
    expect(await join(kit, organization)).toBe('ok')
    expect(await join(kit, organization)).toBe('seat_limit_reached')
    const none = clockKit({ billing: billing({ plans: {} }) }).kit
    expect(unwrap(await getBilling(none.seatgate, scope)).seats.limit).toBe(0)
  })

  it('reads no number for a caller who does not administer the organization [SEAT-19]', async () => {
    const { kit } = clockKit()
    const organization = await newOrganization(kit)
    const member = await newUser()
    unwrap(
      await addMember(kit.seatgate, organization.as(organization.owner), {
        userId: member,
        role: 'member',
      })
    )
    expect(codeOf(await getBilling(kit.seatgate, organization.as(member)))).toBe(
      'insufficient_role'
    )
    expect(codeOf(await getBilling(kit.seatgate, organization.as(await newUser())))).toBe(
      'organization_not_found'
    )
  })
})

it('writes the override, the state and the limit together or not at all', async () => {
  const { kit } = clockKit()
  const organization = await newOrganization(kit)
  await testEnv.DB.exec(
    "CREATE TRIGGER host_refuses BEFORE INSERT ON seatgate_entitlements BEGIN SELECT RAISE(ABORT, 'host says no'); END"
  )
  expect(codeOf(await set(kit, organization, { included: 3 }))).toBe('host_conflict')
  await testEnv.DB.exec('DROP TRIGGER host_refuses')
  const count = await testEnv.DB.prepare(
    `SELECT (SELECT count(*) FROM seatgate_entitlement_overrides WHERE organization_id = ?1)
      + (SELECT count(*) FROM seatgate_entitlement_states WHERE organization_id = ?1) AS n`
  )
    .bind(organization.id)
    .first('n')
  expect(count).toBe(0)
})
