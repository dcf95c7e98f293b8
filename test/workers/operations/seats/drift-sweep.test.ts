import { beforeEach, describe, expect, it } from 'vitest'
import { createMeter, type Around } from '../../../../bench/meter.ts'
import {
  forwardOrganization,
  rebuildSeats,
  seatUsage,
  setSeatLimit,
  sweepSeats,
  verifySeats,
  type Report,
} from '../../../../src/index.ts'
import { sweepHandler } from '../../../../src/worker/index.ts'
import {
  differencesOf,
  expectRepaired,
  inD1,
  inLedger,
  insertMember,
  repairsOf,
  team,
  losing,
  moments,
  readLedger,
  readState,
  testEnv,
  add,
  unwrap,
  codeOf,
  createKit,
  join,
  largeOrganization,
  newUser,
  type Provider,
  type TestOrganization,
  type Kit,
} from '../../../kit/index.ts'

// Each test has the organizations that it makes, and no others.
beforeEach(async () => {
  await inD1('UPDATE seatgate_organizations SET deleted_at = 1 WHERE deleted_at IS NULL')
  await inD1('DELETE FROM seatgate_rotations')
  await inD1('DELETE FROM seatgate_seat_checks')
})

/** Whether every organization has had its turn. */
async function isRoundOver(): Promise<boolean> {
  const { results } = await testEnv.DB.prepare(
    "SELECT 1 FROM seatgate_rotations WHERE name = 'seats' AND place = ''"
  ).all()
  return results.length > 0
}

async function sweepAll({ seatgate }: Kit, sweep = () => sweepSeats(seatgate)): Promise<void> {
  do await sweep()
  while (!(await isRoundOver()))
}

/** The next in turn is this one. */
async function turnTo({ id }: TestOrganization): Promise<void> {
  await inD1(
    `INSERT INTO seatgate_rotations
     SELECT 'seats', coalesce(max(id), '') FROM seatgate_organizations WHERE id < ?`,
    id
  )
}

describe('the sweep', () => {
  it('repairs differences, recorded as acts of the system, and changes no other row [SEAT-32]', async () => {
    const kit = createKit()
    const { organization, seat } = await team(kit)
    const sound = await kit.organization({ seats: 3 })
    const before = await readState(sound.id)
    await inLedger(organization, 'DELETE FROM seats WHERE seat_id = ?', seat)
    await sweepAll(kit)
    await expectRepaired(organization)
    expect(await repairsOf(organization)).toMatchObject([
      {
        actor_id: null,
        metadata: { differences: { unknown_seat: 1 }, held: 3, reserved: 1, limit: 6 },
      },
    ])
    expect(await readState(sound.id)).toEqual(before)
    // Once is enough.
    const repaired = await readState(organization.id)
    await sweepAll(kit)
    expect(await readState(organization.id)).toEqual(repaired)
  })

  it.each<{ provider: Provider }>([
    { provider: 'ledger' },
    { provider: 'd1' },
    { provider: 'unlimited' },
  ])(
    'repairs counters and members without a seat, with $provider seats [SEAT-32]',
    async ({ provider }) => {
      const kit = createKit({ provider })
      const organization = await kit.organization()
      const userId = await newUser()
      await insertMember(organization, userId, null)
      await inD1(
        'UPDATE seatgate_member_counts SET active = 7 WHERE organization_id = ?',
        organization.id
      )
      expect(await differencesOf(kit, organization)).toEqual([
        'member_count',
        'member_without_seat',
      ])
      await sweepAll(kit)
      expect(await differencesOf(kit, organization)).toEqual([])
      await expectRepaired(organization)
      const { members, events } = await readState(organization.id)
      const { seat_id } = members.find(({ user_id }) => user_id === userId)!
      const assigned = events.filter(
        ({ action, target_id }) => action === 'seat.assigned' && target_id === seat_id
      )
      expect(assigned).toHaveLength(provider === 'unlimited' ? 0 : 1)
      const usage = await seatUsage(kit.seatgate, organization.as(organization.owner))
      expect(unwrap(usage)).toMatchObject({ held: 2, reserved: 0 })
    }
  )

  it('keeps every member: the organization is over its limit, and no other user is added', async () => {
    const kit = createKit()
    const organization = await kit.organization({ seats: 2 })
    await join(kit, organization)
    await insertMember(organization, await newUser(), crypto.randomUUID())
    await insertMember(organization, await newUser(), null)
    await sweepAll(kit)
    const usage = unwrap(await seatUsage(kit.seatgate, organization.asOperator))
    expect(usage).toMatchObject({ limit: 2, held: 4, available: 0, overLimit: true })
    expect(codeOf(await add(kit, organization))).toBe('seat_limit_reached')
    expect((await readState(organization.id)).members).toHaveLength(4)
  })

  it('starts no ledger, and repairs no ledger that has not started', async () => {
    const organization = await createKit({ provider: 'd1' }).organization({ seats: 3 })
    await insertMember(organization, await newUser(), crypto.randomUUID())
    const kit = createKit()
    await sweepAll(kit)
    expect(await readLedger(organization.id)).toBeNull()
    const verified = unwrap(await verifySeats(kit.seatgate, organization.asOperator))
    expect(verified).toMatchObject({ stored: { held: 2 }, ledger: null, differences: [] })
  })

  it('is a part of the cron handler', async () => {
    const kit = createKit()
    const organization = await kit.organization()
    await inD1(
      'UPDATE seatgate_member_counts SET seats = 9 WHERE organization_id = ?',
      organization.id
    )
    await sweepAll(kit, sweepHandler(kit.seatgate))
    expect(await repairsOf(organization)).toHaveLength(1)
  })

  it('visits all organizations in turn, a fixed number at a time', async () => {
    const kit = createKit()
    const organizations: TestOrganization[] = []
    for (let made = 0; made < 30; made++) organizations.push(await kit.organization())
    for (let round = 1; round <= 2; round++) {
      await inD1('UPDATE seatgate_member_counts SET seats = 9')
      const counts: number[] = []
      let before = 30 * (round - 1)
      do {
        await sweepSeats(kit.seatgate)
        const repairs = await Promise.all(organizations.map(repairsOf))
        const sum = repairs.flat().length
        counts.push(sum - before)
        before = sum
      } while (!(await isRoundOver()))
      expect(Math.max(...counts)).toBeLessThanOrEqual(25)
      expect(before).toBe(30 * round)
    }
  })

  it('takes no more seats at a time than 5,000, but for a single organization', async () => {
    const kit = createKit()
    const made = [await kit.organization(), await kit.organization()]
    const [first, second] = made.toSorted((a, b) => (a.id < b.id ? -1 : 1))
    for (const { id } of made) {
      await inD1('UPDATE seatgate_member_counts SET seats = 5001 WHERE organization_id = ?', id)
    }
    await turnTo(first!)
    await sweepSeats(kit.seatgate)
    expect(await repairsOf(first!)).toHaveLength(1)
    expect(await repairsOf(second!)).toHaveLength(0)
    await sweepAll(kit)
    expect(await repairsOf(second!)).toHaveLength(1)
  })

  it('runs one verification of two at once', async () => {
    const calm = createKit()
    const organization = await calm.organization({ seats: 3 })
    await turnTo(organization)
    let inspected = 0
    const counting: Around = ({ asked }, run) => {
      if (asked[0] === 'inspect') inspected += 1
      return run()
    }
    const first = createKit({ around: counting })
    const second = createKit({
      async around(trip, run) {
        if (trip.asked.some((sql) => sql.startsWith('insert into "seatgate_rotations"'))) {
          await sweepSeats(first.seatgate)
        }
        return counting(trip, run)
      },
    })
    await sweepSeats(second.seatgate)
    expect(inspected).toBe(1)
  })

  it('reports an organization that cannot be verified, and verifies the others', async () => {
    const reports: Report[] = []
    const calm = createKit()
    const [first, second] = [
      await calm.organization({ seats: 3 }),
      await calm.organization({ seats: 3 }),
    ]
    for (const { id } of [first, second]) {
      await inD1('UPDATE seatgate_member_counts SET seats = 9 WHERE organization_id = ?', id)
    }
    const broken = createKit({
      report: (report) => reports.push(report),
      namespace: {
        getByName: (id) => {
          if (id === first.id) throw new Error('There is no such object.')
          return testEnv.SEATS.getByName(id) as never
        },
      },
    })
    await sweepAll(broken)
    expect(
      new Set(reports.map(({ event, organizationId }) => `${event} ${organizationId}`))
    ).toEqual(new Set([`seat_verification_failed ${first.id}`]))
    expect(await repairsOf(first)).toHaveLength(0)
    expect(await repairsOf(second)).toHaveLength(1)
  })

  it.each(moments)('heals from the outbox if it dies %s it calls the ledger', async (moment) => {
    const calm = createKit()
    const { organization, seat } = await team(calm)
    await inLedger(organization, 'DELETE FROM seats WHERE seat_id = ?', seat)
    const deaf = createKit({
      async around({ asked }, run) {
        if (asked[0] !== 'close') return run()
        if (moment === 'after') await run()
        throw new Error('Network connection lost.')
      },
    })
    await sweepAll(deaf)
    expect(await repairsOf(organization)).toHaveLength(1)
    // What is on its way is no drift any more.
    expect(await differencesOf(calm, organization)).toEqual([])
    await sweepAll(calm)
    expect(await repairsOf(organization)).toHaveLength(1)
    await forwardOrganization(calm.seatgate, organization.id)
    expect(codeOf(await add(calm, organization))).toBe('ok')
    await calm.settled()
    await expectRepaired(organization)
  })

  it('asked for a repair again, the ledger that has started since stays', async () => {
    const kit = createKit()
    const { organization } = await team(kit)
    unwrap(await rebuildSeats(kit.seatgate, organization.asOperator))
    const { epoch } = (await readLedger(organization.id))!
    await forwardOrganization(kit.seatgate, organization.id)
    expect((await readLedger(organization.id))?.epoch).toBe(epoch)
  })

  it('reads two rows of each member and few others, and writes its place and its results', async () => {
    const meter = createMeter()
    const kit = createKit({ around: meter.around })
    const busy = await largeOrganization(kit, 1000)
    await turnTo(busy)
    const sweep = () => sweepSeats(kit.seatgate)
    const [, first] = await meter.measure(sweep, kit.settled)
    expect(first).toMatchObject({ d1Trips: 6, ledgerCalls: 1, rowsWritten: 2 })
    expect(first.rowsRead).toBeGreaterThan(2 * 1000)
    // The others are those of the tests before.
    expect(first.rowsRead).toBeLessThan(2 * 1000 + 500)
    // Without events since then there is no record to write.
    await inD1('DELETE FROM seatgate_rotations')
    await turnTo(busy)
    const [, second] = await meter.measure(sweep, kit.settled)
    expect(second).toMatchObject({ d1Trips: 5, ledgerCalls: 1, rowsWritten: 1 })
  })
})

describe('among 10,000 organizations', () => {
  const ORGANIZATIONS = 10_000

  /** Organizations with an owner and an event each, as if all had been verified an hour ago. */
  async function manyOrganizations(owner: string): Promise<void> {
    const numbers = 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)'
    await inD1(
      `INSERT INTO seatgate_organizations
         (id, name, slug, owner_user_id, created_at, updated_at)
       ${numbers} SELECT format('00000000-0000-4000-8000-%012d', i), 'Many', 'many-' || i, 'nobody', 0, 0 FROM n`,
      ORGANIZATIONS
    )
    await inD1(
      `INSERT INTO seatgate_memberships
         (id, organization_id, user_id, role, seat_id, created_at, updated_at)
       ${numbers} SELECT 'many-' || i, format('00000000-0000-4000-8000-%012d', i), ?, 'owner', 'many-' || i, 0, 0 FROM n`,
      ORGANIZATIONS,
      owner
    )
    await inD1(
      `INSERT INTO seatgate_audit_events
         (organization_id, sequence, id, action, outcome, actor_type, occurred_at, inserted_at)
       ${numbers} SELECT format('00000000-0000-4000-8000-%012d', i), 1, 'many-' || i, 'organization.create', 'success', 'system', 0, 0 FROM n`,
      ORGANIZATIONS
    )
    await inD1(
      `INSERT INTO seatgate_seat_checks ${numbers} SELECT format('00000000-0000-4000-8000-%012d', i), 1, ? FROM n`,
      ORGANIZATIONS,
      Date.now() - 3_600_000
    )
  }

  const scopeOf = (organization: string) => ({
    caller: { userId: 'an operator', operator: true },
    organization,
  })

  it('a drift in one with new events is found by the third sweep, at a bounded cost a minute', async () => {
    const calm = createKit({ provider: 'd1' })
    const owner = await newUser()
    await manyOrganizations(owner)
    // The comparison has to go on for these, the turn would reach them after six hours.
    const drifted = ['4321', '9876'].map((end) => `00000000-0000-4000-8000-00000000${end}`)
    for (const id of drifted) {
      unwrap(await setSeatLimit(calm.seatgate, scopeOf(id), { limit: 10 }))
      await inD1('UPDATE seatgate_member_counts SET seats = 7 WHERE organization_id = ?', id)
    }
    const meter = createMeter()
    let now = Date.now()
    const kit = createKit({ provider: 'd1', around: meter.around, now: () => new Date(now) })
    const found: Record<string, number> = {}
    for (let minute = 1; minute <= 3; minute++) {
      now += 60_000
      const [, cost] = await meter.measure(() => sweepSeats(kit.seatgate), kit.settled)
      // Four rows to compare each of 5,000, and some for each of 25.
      expect(cost.rowsRead).toBeLessThan(5 * 5000 + 25 * 40)
      expect(cost.rowsWritten).toBeLessThan(60)
      for (const id of drifted) {
        const verified = unwrap(await verifySeats(kit.seatgate, scopeOf(id)))
        if (verified.differences.length === 0) found[id] ??= minute
      }
    }
    expect(Object.keys(found)).toEqual(drifted)
  }, 120_000)
})

describe('the right to verify', () => {
  it('verify and rebuild: operators and the host itself', async () => {
    const kit = createKit()
    const organization = await kit.organization({ seats: 3 })
    const member = await join(kit, organization)
    const system = { caller: { type: 'system' } as const, organization: organization.id }
    for (const act of [verifySeats, rebuildSeats]) {
      const as = async (scope: typeof organization.asOperator) =>
        codeOf(await act(kit.seatgate, scope))
      expect(await as(organization.as(await newUser()))).toBe('organization_not_found')
      expect(await as(organization.as(member))).toBe('insufficient_role')
      expect(await as(organization.as(organization.owner))).toBe('insufficient_role')
      expect(await as(organization.asOperator)).toBe('ok')
      expect(await as(system)).toBe('ok')
      expect(await as({ ...system, organization: 'nowhere' })).toBe('organization_not_found')
    }
    expect(await repairsOf(organization)).toHaveLength(2)
  })

  it('is refused if the ledger does not answer', async () => {
    const organization = await createKit().organization({ seats: 3 })
    const deaf = createKit({ around: losing('ledger') })
    for (const act of [verifySeats, rebuildSeats]) {
      expect(codeOf(await act(deaf.seatgate, organization.asOperator))).toBe('seats_unavailable')
    }
    expect(await repairsOf(organization)).toHaveLength(0)
  })

  it('records one of two repairs of the same difference', async () => {
    const calm = createKit()
    const { organization, seat } = await team(calm)
    await inLedger(organization, 'DELETE FROM seats WHERE seat_id = ?', seat)
    const overtaken = createKit({
      async around({ asked }, run) {
        if (asked.some((sql) => sql.startsWith('insert into "seatgate_audit_events"'))) {
          unwrap(await rebuildSeats(calm.seatgate, organization.asOperator))
        }
        return run()
      },
    })
    const rebuilt = unwrap(await rebuildSeats(overtaken.seatgate, organization.asOperator))
    expect(rebuilt.repaired).toEqual([])
    expect(await repairsOf(organization)).toHaveLength(1)
    await expectRepaired(organization)
  })

  it('rebuilds a sound ledger, too: under a new epoch, with the same seats', async () => {
    const kit = createKit()
    const { organization } = await team(kit)
    const before = await readLedger(organization.id)
    const rebuilt = unwrap(await rebuildSeats(kit.seatgate, organization.asOperator))
    expect(rebuilt).toMatchObject({ held: 3, reserved: 1, repaired: [] })
    const after = await readLedger(organization.id)
    expect(after?.seats).toEqual(before?.seats)
    expect(after?.epoch).toBeGreaterThan(before!.epoch)
    unwrap(await setSeatLimit(kit.seatgate, organization.asOperator, { limit: 4 }))
    expect(codeOf(await add(kit, organization))).toBe('seat_limit_reached')
  })
})
