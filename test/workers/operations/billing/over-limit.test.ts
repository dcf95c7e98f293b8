import { describe, expect, it } from 'vitest'
import {
  addMember,
  billing,
  getBilling,
  listAuditEvents,
  removeMember,
  setEntitlement,
  suspendMember,
  type OverLimitPolicy,
} from '../../../../src/index.ts'
import { sweepHandler } from '../../../../src/worker/index.ts'
import {
  codeOf,
  createKit,
  enforcing,
  enforcingOr,
  organizationWithMembers,
  newUsers,
  testEnv,
  unwrap,
  type TestOrganization,
} from '../../../kit/index.ts'

const DAY = 24 * 60 * 60 * 1000
const START = Date.parse('2026-03-01T00:00:00Z')
const day = (days: number) => new Date(START + days * DAY).toISOString()

/** Organizations under a policy, with a clock that the test moves. */
function under(whenOver: OverLimitPolicy, provider: (typeof enforcing)[number] = 'd1') {
  let time = START
  let between: { readonly writes: RegExp; readonly act: () => Promise<void> } | null = null
  const kit = createKit({
    provider,
    async around({ asked }, run) {
      const now = between
      if (now === null || !asked.some((sql) => now.writes.test(sql))) return run()
      between = null
      await now.act()
      return run()
    },
    now: () => new Date(time),
    billing: billing({ plans: {}, baseSeats: 20, whenOver, overGraceDays: 14 }),
  })
  const set = async (organization: TestOrganization, included: number, until?: string) => {
    const input = { included, until, reason: 'test' }
    unwrap(await setEntitlement(kit.seatgate, organization.asOperator, input))
    await kit.settled()
  }
  return {
    kit,
    set,
    /** Does something just before the next batch that writes this, after it was planned. */
    before: (writes: RegExp, act: () => Promise<void>) => (between = { writes, act }),
    /** Moves the clock and runs the sweep. */
    async sweepAt(days: number) {
      time = START + days * DAY
      await sweepHandler(kit.seatgate)()
      await kit.settled()
    },
    /** An organization with members that joined a second apart, the oldest first. */
    async team(size: number) {
      const team = await organizationWithMembers(kit, size, () => (time += 1000))
      time = START
      return team
    },
    async add(organization: TestOrganization) {
      const [userId = ''] = await newUsers(1)
      const scope = organization.as(organization.owner)
      return codeOf(await addMember(kit.seatgate, scope, { userId, role: 'member' }))
    },
  }
}

/** The active members and the suspended ones, with the cause. */
async function standing({ id }: TestOrganization) {
  const { results } = await testEnv.DB.prepare(
    `SELECT user_id, role, status, suspended_by FROM seatgate_memberships
     WHERE organization_id = ? ORDER BY created_at, id`
  )
    .bind(id)
    .all<{ user_id: string; status: string; suspended_by: string | null }>()
  return {
    active: results.filter(({ status }) => status === 'active').map(({ user_id }) => user_id),
    suspended: results
      .filter(({ suspended_by }) => suspended_by === 'over_limit')
      .map(({ user_id }) => user_id),
  }
}

/** Grows with each change of what the limit is computed from. */
async function revisionOf(organizationId: string) {
  const row = await testEnv.DB.prepare(
    'SELECT revision FROM seatgate_entitlement_states WHERE organization_id = ?'
  )
    .bind(organizationId)
    .first<{ revision: number }>()
  return row?.revision ?? 0
}

describe.each(enforcingOr('ledger'))('over the limit, with %s seats', (provider) => {
  it('block_change keeps every member without an end and refuses growth [SEAT-45 SEAT-46]', async () => {
    const { set, sweepAt, team, add } = under('block_change', provider)
    const { organization, members } = await team(3)
    await set(organization, 2)
    await sweepAt(400)
    expect(await standing(organization)).toEqual({
      active: [organization.owner, ...members],
      suspended: [],
    })
    expect(await add(organization)).toBe('seat_limit_reached')
  })

  it('suspend_excess suspends the newest members, as many as are in excess [SEAT-46 SEAT-47]', async () => {
    const { set, sweepAt, team, add } = under('suspend_excess', provider)
    const { organization, members } = await team(4)
    await set(organization, 3)
    await sweepAt(0.01)
    expect(await standing(organization)).toEqual({
      active: [organization.owner, ...members.slice(0, 2)],
      suspended: members.slice(2),
    })
    expect(await add(organization)).toBe('seat_limit_reached')
    await sweepAt(1)
    expect((await standing(organization)).suspended).toEqual(members.slice(2))
  })

  it('suspend_excess never suspends an owner, even at a limit of 0 [SEAT-47]', async () => {
    const { kit, set, sweepAt, team } = under('suspend_excess', provider)
    const { organization, members } = await team(2)
    const scope = organization.as(organization.owner)
    const [second = ''] = await newUsers(1)
    unwrap(await addMember(kit.seatgate, scope, { userId: second, role: 'owner' }))
    await set(organization, 0)
    await sweepAt(0.01)
    const { active, suspended } = await standing(organization)
    expect(new Set(active)).toEqual(new Set([organization.owner, second]))
    expect(suspended).toEqual(members)
  })

  it('a raise restores the members that it suspended, and not those of an admin [SEAT-49]', async () => {
    const { kit, set, sweepAt, team } = under('suspend_excess', provider)
    const { organization, members } = await team(4)
    const [, blocked = ''] = members
    unwrap(await suspendMember(kit.seatgate, organization.as(organization.owner), blocked))
    await kit.settled()
    await set(organization, 2)
    await sweepAt(0.01)
    expect((await standing(organization)).suspended).toEqual([members[2], members[3]])
    await set(organization, 3)
    expect((await standing(organization)).suspended).toEqual([members[3]])
    await set(organization, 20)
    const { active, suspended } = await standing(organization)
    expect(suspended).toEqual([])
    expect(active).not.toContain(blocked)
    expect(active).toHaveLength(4)
  })

  it('a seat that becomes free restores the oldest suspended member [SEAT-47]', async () => {
    const { kit, set, sweepAt, team } = under('suspend_excess', provider)
    const { organization, members } = await team(3)
    await set(organization, 2)
    await sweepAt(0.01)
    expect((await standing(organization)).suspended).toEqual([members[1], members[2]])
    const scope = organization.as(organization.owner)
    unwrap(await removeMember(kit.seatgate, scope, members[0] ?? ''))
    await kit.settled()
    expect((await standing(organization)).suspended).toEqual([members[2]])
  })

  it('allow_with_grace suspends at the end of the grace, once [SEAT-46 SEAT-48]', async () => {
    const { kit, set, sweepAt, team, add } = under('allow_with_grace', provider)
    const { organization, members } = await team(3)
    await set(organization, 2)
    const scope = organization.as(organization.owner)
    expect(unwrap(await getBilling(kit.seatgate, scope)).overLimitSince).toBe(day(0))
    await sweepAt(13.99)
    expect((await standing(organization)).suspended).toEqual([])
    expect(await add(organization)).toBe('seat_limit_reached')
    await sweepAt(14)
    expect((await standing(organization)).suspended).toEqual([members[1], members[2]])
    await sweepAt(15)
    await sweepAt(30)
    const events = unwrap(
      await listAuditEvents(kit.seatgate, scope, { action: 'organization.member_suspend' })
    ).data
    expect(events).toHaveLength(2)
    expect(events[0]?.metadata).toMatchObject({ by: 'over_limit' })
  })

  it('a raise within the grace ends it, and a later decrease begins another [SEAT-48 SEAT-49]', async () => {
    const { kit, set, sweepAt, team } = under('allow_with_grace', provider)
    const { organization, members } = await team(3)
    await set(organization, 2)
    await sweepAt(10)
    await set(organization, 9)
    await sweepAt(15)
    expect((await standing(organization)).suspended).toEqual([])
    await set(organization, 2)
    const scope = organization.as(organization.owner)
    expect(unwrap(await getBilling(kit.seatgate, scope)).overLimitSince).toBe(day(15))
    await sweepAt(28)
    expect((await standing(organization)).suspended).toEqual([])
    await sweepAt(29)
    expect((await standing(organization)).suspended).toEqual([members[1], members[2]])
  })

  it('the sweep ends an override at its instant [BILL-34 BILL-49]', async () => {
    const { kit, set, sweepAt, team } = under('block_change', provider)
    const { organization } = await team(1)
    await set(organization, 5, day(30))
    const limit = async () =>
      unwrap(await getBilling(kit.seatgate, organization.as(organization.owner))).seats.limit
    await sweepAt(29.99)
    expect(await limit()).toBe(5)
    await sweepAt(30)
    expect(await limit()).toBe(20)
    const { data } = unwrap(
      await listAuditEvents(kit.seatgate, organization.as(organization.owner), {
        action: 'seat.limit_changed',
      })
    )
    expect(data.map(({ metadata }) => metadata['limit'])).toEqual([20, 5])
  })

  it('a raise just before the suspension keeps every member [SEAT-52]', async () => {
    const { set, sweepAt, team, before } = under('suspend_excess', provider)
    const { organization, members } = await team(3)
    await set(organization, 2)
    const raised = { is: false }
    before(/^update "seatgate_memberships" set .*"suspended_by"/, async () => {
      raised.is = true
      await set(organization, 9)
    })
    await sweepAt(0.01)
    expect(raised.is).toBe(true)
    expect(await standing(organization)).toEqual({
      active: [organization.owner, ...members],
      suspended: [],
    })
  })

  it('an override that is extended while the sweep ends it stays in force [BILL-34]', async () => {
    const { kit, set, sweepAt, team, before } = under('block_change', provider)
    const { organization } = await team(1)
    await set(organization, 5, day(30))
    const extended = { is: false }
    before(/^insert into "seatgate_entitlement_states"/, async () => {
      extended.is = true
      await set(organization, 5, day(60))
    })
    await sweepAt(30)
    expect(extended.is).toBe(true)
    const scope = organization.as(organization.owner)
    expect(unwrap(await getBilling(kit.seatgate, scope)).seats.limit).toBe(5)
    await sweepAt(60)
    expect(unwrap(await getBilling(kit.seatgate, scope)).seats.limit).toBe(20)
  })

  it('a sweep passes over an organization before its next change is due', async () => {
    const { kit, set, sweepAt, team } = under('block_change', provider)
    const { organization } = await team(1)
    await set(organization, 5, day(30))
    await sweepAt(1)
    const others: string[] = []
    const { id } = organization
    const tripsAt = async (days: number) => {
      const [before, versions] = [kit.trips(), await revisionOf(id)]
      await sweepAt(days)
      others.push(`${versions} ${await revisionOf(id)}`)
      return kit.trips() - before
    }
    const quiet = [await tripsAt(2), await tripsAt(3)]
    expect(new Set(quiet).size).toBe(1)
    expect(new Set(others).size).toBe(1)
    expect(await tripsAt(30)).toBeGreaterThan(quiet[0] ?? 0)
  })

  it('the sweep makes a limit unknown when its last known value is too old, and suspends no member [BILL-32]', async () => {
    const { kit, sweepAt, team, add } = under('suspend_excess', provider)
    const { organization, members } = await team(1)
    const unknown = { included: 'unknown' as const, reason: 'test' }
    unwrap(await setEntitlement(kit.seatgate, organization.asOperator, unknown))
    await sweepAt(2.99)
    expect(await add(organization)).toBe('ok')
    await sweepAt(3)
    expect(await add(organization)).toBe('seats_unavailable')
    expect((await standing(organization)).suspended).toEqual([])
    expect((await standing(organization)).active).toContain(members[0])
  })
})
