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
})

/** Whether every organization has had its turn. */
async function isRoundOver(): Promise<boolean> {
  const { results } = await testEnv.DB.prepare(
    "SELECT 1 FROM seatgate_rotations WHERE place = ''"
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
  it('repairs what it finds, on record as no user’s doing, and leaves the rest alone [SEAT-32]', async () => {
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

  it('keeps every member: what is too much is over the limit, and no other user comes in', async () => {
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

  it('goes round all organizations, so many at a time, and round again', async () => {
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

  it('of two at once, one has the turn', async () => {
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

  it('what cannot be verified is reported, and keeps no other from its turn', async () => {
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
    expect(reports).toMatchObject([{ event: 'seat_verification_failed', organizationId: first.id }])
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

  it('reads two rows of each member and few others, and writes its place alone', async () => {
    const meter = createMeter()
    const kit = createKit({ around: meter.around })
    await turnTo(await largeOrganization(kit, 1000))
    const sweep = () => sweepSeats(kit.seatgate)
    const [, cost] = await meter.measure(sweep, kit.settled)
    expect(cost).toMatchObject({ d1Trips: 5, ledgerCalls: 1, rowsWritten: 1 })
    expect(cost.rowsRead).toBeGreaterThan(2 * 1000)
    expect(cost.rowsRead).toBeLessThan(2 * 1000 + 100)
  })
})

describe('who may', () => {
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

  it('learns that the ledger does not answer', async () => {
    const organization = await createKit().organization({ seats: 3 })
    const deaf = createKit({ around: losing('ledger') })
    for (const act of [verifySeats, rebuildSeats]) {
      expect(codeOf(await act(deaf.seatgate, organization.asOperator))).toBe('seats_unavailable')
    }
    expect(await repairsOf(organization)).toHaveLength(0)
  })

  it('of two repairs of one thing, one is on record', async () => {
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

  it('rebuilds what is sound, too: under a new epoch, with the same seats', async () => {
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
