import { describe, expect, it } from 'vitest'
import {
  billing,
  getBilling,
  getEntitlement,
  joinRules,
  listAuditEvents,
  seatUsage,
  setEntitlement,
  setSeatLimit,
  type EntitlementInput,
} from '../../../../src/index.ts'
import { sweepHandler } from '../../../../src/worker/index.ts'
import {
  codeOf,
  createKit,
  enforcingOr,
  unwrap,
  type Kit,
  type KitOrganization,
  type TestOrganization,
} from '../../../kit/index.ts'

const SECOND = 1000
const DAY = 24 * 60 * 60 * SECOND
const START = Date.parse('2026-03-01T00:00:00Z')
const iso = (days: number, ms = 0) => new Date(START + days * DAY + ms).toISOString()

function clockKit(provider: 'ledger' | 'd1' = 'd1') {
  let time = START
  const kit = createKit({
    provider,
    now: () => new Date(time),
    joining: joinRules({ verifyDomain: () => true }),
  })
  return { kit, moveTo: (days: number, ms = 0) => (time = START + days * DAY + ms) }
}

const set = (kit: Kit, organization: TestOrganization, input: Partial<EntitlementInput>) =>
  setEntitlement(kit.seatgate, organization.asOperator, { reason: 'Contract 4711', ...input })

const swept = async (kit: Kit) => {
  await sweepHandler(kit.seatgate)()
  await kit.settled()
}

const limitOf = async (kit: Kit, organization: TestOrganization) =>
  unwrap(await seatUsage(kit.seatgate, organization.asOperator)).limit

const factsOf = async (kit: Kit, organization: KitOrganization, action: string) => {
  const scope = organization.as(organization.owner)
  return unwrap(await listAuditEvents(kit.seatgate, scope, { action })).data.map(
    ({ metadata }) => metadata
  )
}

describe.each(enforcingOr('d1'))('a contract with a start, with %s seats', (provider) => {
  it('applies from its start on, exactly, by the sweep and by reading [BILL-34]', async () => {
    const { kit, moveTo } = clockKit(provider)
    const organization = await kit.organization({ seats: 2, members: 2 })
    const view = unwrap(
      await set(kit, organization, { included: 4, from: iso(10), until: iso(40) })
    )
    expect(view).toMatchObject({
      limit: 2,
      nextChange: iso(10),
      override: { included: 4, from: iso(10), until: iso(40), before: { included: 2, from: null } },
    })
    const read = async () =>
      unwrap(await getEntitlement(kit.seatgate, organization.asOperator)).limit
    const billed = async () =>
      unwrap(await getBilling(kit.seatgate, organization.as(organization.owner)))
    expect((await billed()).scheduled).toEqual({
      change: 'override_start',
      at: iso(10),
      limit: 4,
    })
    moveTo(10, -1)
    await swept(kit)
    expect([await read(), await limitOf(kit, organization)]).toEqual([2, 2])
    expect(codeOf(await organization.add())).toBe('seat_limit_reached')
    moveTo(10)
    expect(await read()).toBe(4)
    await swept(kit)
    expect(await limitOf(kit, organization)).toBe(4)
    unwrap(await organization.add())
    expect((await billed()).scheduled).toMatchObject({ change: 'override_end', at: iso(40) })
    moveTo(40, -1)
    await swept(kit)
    expect([await read(), await limitOf(kit, organization)]).toEqual([4, 4])
    moveTo(40)
    expect(await read()).toBe('unlimited')
    await swept(kit)
    expect(await limitOf(kit, organization)).toBe('unlimited')
  })

  it('leaves the contract before it in force, until its own end [BILL-34]', async () => {
    const { kit, moveTo } = clockKit(provider)
    const organization = await kit.organization()
    unwrap(await set(kit, organization, { included: 3, until: iso(5) }))
    unwrap(await set(kit, organization, { included: 9, from: iso(7) }))
    // Set again, the scheduled one is replaced, and the one in force stays.
    unwrap(await set(kit, organization, { included: 8, from: iso(8), reason: 'Contract 4712' }))
    const limits: unknown[] = []
    for (const [days, ms] of [
      [0, 0],
      [5, -1],
      [5, 0],
      [7, 0],
      [8, -1],
      [8, 0],
    ] as const) {
      moveTo(days, ms)
      await swept(kit)
      limits.push(await limitOf(kit, organization))
    }
    expect(limits).toEqual([3, 3, 'unlimited', 'unlimited', 'unlimited', 8])
    expect(await factsOf(kit, organization, 'seat.entitlement_set')).toEqual([
      expect.objectContaining({ included: 8, from: iso(8), reason: 'Contract 4712' }),
      expect.objectContaining({ included: 9, from: iso(7) }),
      expect.objectContaining({ included: 3, until: iso(5) }),
    ])
  })

  it('set after the end of another, and before the sweep, does not keep its limit [BILL-34]', async () => {
    const { kit, moveTo } = clockKit(provider)
    const organization = await kit.organization()
    unwrap(await set(kit, organization, { included: 3, until: iso(5) }))
    moveTo(6)
    const view = unwrap(await set(kit, organization, { included: 9, from: iso(8) }))
    expect(view).toMatchObject({ limit: 'unlimited', nextChange: iso(8) })
    await swept(kit)
    expect(await limitOf(kit, organization)).toBe('unlimited')
  })

  it('keeps the limit from billing in force until its start, also after billing was removed [BILL-34]', async () => {
    const billed = createKit({
      provider,
      now: () => new Date(START),
      billing: billing({ plans: {}, baseSeats: 4 }),
    })
    const organization = await billed.organization()
    unwrap(await set(billed, organization, { included: 7 }))
    unwrap(await set(billed, organization, {}))
    await billed.settled()
    const { kit, moveTo } = clockKit(provider)
    const view = unwrap(await set(kit, organization, { included: 9, from: iso(7) }))
    expect(view).toMatchObject({ limit: 4, nextChange: iso(7) })
    moveTo(7, -1)
    await swept(kit)
    expect(await limitOf(kit, organization)).toBe(4)
    moveTo(7)
    await swept(kit)
    expect(await limitOf(kit, organization)).toBe(9)
  })

  it('is replaced by a contract without a start, by a limit, and removed [BILL-34]', async () => {
    const { kit, moveTo } = clockKit(provider)
    const later = { included: 9, from: iso(7) }
    const replacing = {
      contract: (organization: TestOrganization) => set(kit, organization, { included: 5 }),
      limit: (organization: TestOrganization) =>
        setSeatLimit(kit.seatgate, organization.asOperator, { limit: 5 }),
      removal: (organization: TestOrganization) => set(kit, organization, {}),
    }
    const organizations = []
    for (const replace of Object.values(replacing)) {
      const organization = await kit.organization()
      organizations.push(organization)
      unwrap(await set(kit, organization, later))
      const answer = await replace(organization)
      expect(answer.ok).toBe(true)
    }
    moveTo(8)
    await swept(kit)
    const limits = await Promise.all(organizations.map((each) => limitOf(kit, each)))
    expect(limits).toEqual([5, 5, 'unlimited'])
  })

  it('is in every admission as the version of the limit [BILL-25]', async () => {
    const { kit, moveTo } = clockKit(provider)
    const organization = await kit.organization()
    await organization.join()
    unwrap(await set(kit, organization, { included: 5 }))
    await organization.join()
    unwrap(await set(kit, organization, { included: 6, from: iso(1) }))
    await organization.join()
    moveTo(1)
    await swept(kit)
    await organization.join()
    const versions = (await factsOf(kit, organization, 'seat.assigned')).map((metadata) => [
      metadata['limit'],
      metadata['limit_version'],
    ])
    expect(versions.toReversed()).toEqual([
      ['unlimited', 0],
      ['unlimited', 0],
      [5, 1],
      [5, 1],
      [6, 2],
    ])
  })
})

describe('a contract', () => {
  const { kit } = clockKit()

  it.each([
    ['from', { included: 5, from: iso(0, -1) }, 'Must not be in the past.'],
    ['until', { included: 5, from: iso(2), until: iso(2) }, 'Must be after `from`.'],
    ['until', { included: 5, from: iso(3), until: iso(2) }, 'Must be after `from`.'],
    ['until', { included: 5, from: iso(2), until: iso(0) }, 'Must be in the future.'],
    ['from', { from: iso(2) }, 'Must be with a number that starts then.'],
    ['from', { included: 5, from: 'soon' }, expect.any(String)],
  ])('is refused with validation_error on %s for %j [BILL-34]', async (field, input, message) => {
    const organization = await kit.organization({ seats: 2 })
    const answer = await set(kit, organization, input)
    expect(answer.ok || answer.error).toEqual({
      code: 'validation_error',
      errors: { [field]: [message] },
    })
    expect(await limitOf(kit, organization)).toBe(2)
  })

  it('that starts now is in force at once [BILL-34]', async () => {
    const organization = await kit.organization({ seats: 2 })
    const view = unwrap(await set(kit, organization, { included: 5, from: iso(0) }))
    expect(view).toMatchObject({ limit: 5, override: { from: null, before: null } })
  })
})
