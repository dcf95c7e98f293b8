import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { aroundDatabase, type Around } from '../../bench/meter.ts'
import {
  addMember,
  changeRole,
  createOrganization,
  forwardOrganization,
  getOrganization,
  listMembers,
  removeMember,
  seatUsage,
  setSeatLimit,
  sweepAudit,
  type LedgerCalls,
  type LedgerNamespace,
  type Result,
} from '../../src/index.ts'
import { readLedger, readState, violations, violationsIn } from './invariants.ts'
import { testEnv } from './setup.ts'
import {
  answered,
  codeOf,
  createWorld,
  join,
  newBusyOrganization,
  newOrganization,
  newUser,
  type TestOrganization,
  type World,
} from './world.ts'

/** `failure`: the step is answered with an error. `death`: nobody lives to do anything more. */
type Kind = 'failure' | 'death'
type Moment = 'before' | 'after'

const kinds: Kind[] = ['failure', 'death']
const moments: Moment[] = ['before', 'after']
const eachFault = kinds.flatMap((kind) => moments.map((moment) => ({ kind, moment })))

// Behind the deadline of a reservation, the lease of a forwarder and its first pauses.
const LONG_ENOUGH_MS = 61_000

afterEach(() => {
  vi.useRealTimers()
})

describe('a crash at every step', () => {
  interface Scene {
    readonly organizationId: () => Promise<string | null>
    act(world: World): Promise<Result<unknown>>
    /** What an answer of success promised. */
    kept(): Promise<boolean>
    /** How the same thing, asked for again, may be answered. */
    readonly again: readonly string[]
  }
  type Staging = (calm: World, operationId: string | undefined) => Promise<Scene>

  const addingTheLast: Staging = async (calm, operationId) => {
    const organization = await newOrganization(calm, 2)
    const userId = await newUser()
    return {
      organizationId: async () => organization.id,
      act: ({ seatgate }) =>
        addMember(
          seatgate,
          organization.as(organization.owner),
          { userId, role: 'member' },
          operation(operationId)
        ),
      kept: () => isMember(organization, userId),
      again: ['ok'],
    }
  }
  const creating: Staging = async (_calm, operationId) => {
    const owner = await newUser()
    const slug = `t${crypto.randomUUID().replaceAll('-', '')}`
    const organizationId = () =>
      testEnv.DB.prepare('SELECT id FROM organizations WHERE slug = ?')
        .bind(slug)
        .first<string>('id')
    return {
      organizationId,
      act: ({ seatgate }) =>
        createOrganization(
          seatgate,
          { caller: { userId: owner } },
          { name: 'Test', slug },
          operation(operationId)
        ),
      kept: async () => (await organizationId()) !== null,
      again: operationId === undefined ? ['ok', 'validation_error'] : ['ok'],
    }
  }
  const removing: Staging = async (calm, operationId) => {
    const organization = await newOrganization(calm, 2)
    const userId = await join(calm, organization)
    return {
      organizationId: async () => organization.id,
      act: ({ seatgate }) =>
        removeMember(seatgate, organization.as(organization.owner), userId, operation(operationId)),
      kept: async () => !(await isMember(organization, userId)),
      again: operationId === undefined ? ['ok', 'not_found'] : ['ok'],
    }
  }
  const lowering: Staging = async (calm) => {
    const organization = await newOrganization(calm, 9)
    return {
      organizationId: async () => organization.id,
      act: ({ seatgate }) => setSeatLimit(seatgate, organization.asOperator, { limit: 2 }),
      kept: async () => (await readState(organization.id)).entitlement?.limit_seats === 2,
      again: ['ok'],
    }
  }

  const stagings = [
    { what: 'adding a member', stage: addingTheLast, keyed: false, steps: 5 },
    { what: 'adding a member under an operation id', stage: addingTheLast, keyed: true, steps: 5 },
    { what: 'creating an organization', stage: creating, keyed: false, steps: 3 },
    { what: 'creating an organization under an id', stage: creating, keyed: true, steps: 3 },
    { what: 'removing a member', stage: removing, keyed: false, steps: 4 },
    { what: 'removing a member under an operation id', stage: removing, keyed: true, steps: 4 },
    { what: 'lowering a limit', stage: lowering, keyed: false, steps: 4 },
  ]
  const cases = stagings.flatMap((staging) => eachFault.map((fault) => ({ ...staging, ...fault })))

  it.each(cases)(
    'SEAT-14 SEAT-15 SEAT-23 FWD-14 MUSEUM-29: $what heals ($kind $moment each step)',
    async ({ stage, keyed, kind, moment, steps }) => {
      let reached = true
      let step = 0
      while (reached) {
        step += 1
        const calm = createWorld()
        const operationId = keyed ? crypto.randomUUID() : undefined
        const scene = await stage(calm, operationId)
        const fault = faultAt(step, kind, moment)
        const world = createWorld({ around: fault.around })
        const answer = await Promise.race([scene.act(world), fault.died])
        await Promise.race([world.settled(), fault.died])
        reached = fault.reached()

        const at = `${kind} ${moment} step ${step}`
        const acknowledged = answer !== null && answer.ok
        if (acknowledged) expect(await scene.kept(), at).toBe(true)
        await expectSound(await scene.organizationId(), false, at)

        await muchLater(await scene.organizationId())
        await expectSound(await scene.organizationId(), true, at)
        if (acknowledged) expect(await scene.kept(), at).toBe(true)

        const again = await scene.act(calm)
        await calm.settled()
        expect(scene.again, `${at}: ${JSON.stringify(again)}`).toContain(codeOf(again))
        if (acknowledged && keyed) expect(again, at).toEqual(answer)
        expect(await scene.kept(), at).toBe(true)
        await expectSound(await scene.organizationId(), true, at)
        vi.useRealTimers()
      }
      // The last turn met no fault any more: so many steps there are, and each had its crash.
      expect(step - 1).toBe(steps)
    }
  )

  it.each(eachFault)(
    'SEAT-23 FWD-14 FWD-16: a forwarder that crashes loses no release ($kind $moment each step)',
    async ({ kind, moment }) => {
      let reached = true
      let step = 0
      while (reached) {
        step += 1
        const calm = createWorld()
        const organization = await newOrganization(calm, 2)
        const userId = await join(calm, organization)
        await forwardOrganization(calm.seatgate, organization.id)
        const deaf = createWorld({ around: losing('ledger') })
        answered(await removeMember(deaf.seatgate, organization.as(organization.owner), userId))
        expect((await readLedger(organization.id))?.held).toBe(2)

        const fault = faultAt(step, kind, moment)
        const { seatgate } = createWorld({ around: fault.around })
        await Promise.race([
          forwardOrganization(seatgate, organization.id).catch(() => null),
          fault.died,
        ])
        reached = fault.reached()
        await muchLater(organization.id)
        await expectSound(organization.id, true, `${kind} ${moment} step ${step}`)
        vi.useRealTimers()
      }
      // The lease, the release, the lease given back.
      expect(step - 1).toBe(3)
    }
  )

  it.each(moments)(
    'SEAT-17: D1 failing %s it settled a deadline keeps the seat until it answers',
    async (moment) => {
      const { organization, calm } = await abandonedAdd()
      passTime(31_000)
      const restore = await spoilDatabase(organization, async (run) => {
        if (moment === 'after') await run()
        throw new Error('D1_ERROR: Network connection lost.')
      })
      // The platform drops an alarm that failed six times; this one comes back by itself.
      for (let attempt = 0; attempt < 8; attempt++) {
        expect(await runDurableObjectAlarm(ledgerOf(organization))).toBe(true)
        expect(await readLedger(organization.id)).toMatchObject({ held: 1, reserved: 1 })
      }
      expect(await add(calm, organization)).toMatchObject({
        error: { code: 'seat_limit_reached', limit: 2, used: 2 },
      })

      await restore()
      expect(await runDurableObjectAlarm(ledgerOf(organization)), 'armed again').toBe(true)
      await expectSound(organization.id, true)
      expect(codeOf(await add(calm, organization))).toBe('ok')
    }
  )
})

describe('the deadline and the late write', () => {
  it('SEAT-16: a write that comes after its fence is refused, and admitted on a new seat', async () => {
    const { organization, joining, letGo } = await slowAdd()
    const [slow] = await reservedSeats(organization)
    await muchLater(organization.id)
    expect((await readState(organization.id)).fences).toEqual([slow])
    expect(await readLedger(organization.id)).toMatchObject({ held: 1, reserved: 0 })

    letGo()
    expect(codeOf(await joining())).toBe('ok')
    const state = await readState(organization.id)
    expect(violationsIn(state, { quiet: true })).toEqual([])
    expect(state.members.map(({ seat_id }) => seat_id)).not.toContain(slow)
  })

  it('SEAT-16: a write that comes after its fence meets the limit like everybody', async () => {
    const { organization, calm, joining, letGo } = await slowAdd()
    await muchLater(organization.id)
    expect(codeOf(await add(calm, organization))).toBe('ok')
    letGo()
    expect(await joining()).toEqual({
      ok: false,
      error: { code: 'seat_limit_reached', limit: 2, used: 2 },
    })
    await calm.settled()
    await expectSound(organization.id, true)
  })

  it('SEAT-16: a membership that came first is confirmed at the deadline', async () => {
    const calm = createWorld()
    const organization = await newOrganization(calm, 2)
    answered(await add(createWorld({ around: losing('confirm') }), organization))
    expect(await readLedger(organization.id)).toMatchObject({ held: 1, reserved: 1 })
    await muchLater(organization.id)
    const state = await readState(organization.id)
    expect(state.fences).toEqual([])
    expect(state.ledger).toMatchObject({ held: 2, reserved: 0 })
    expect(violationsIn(state, { quiet: true })).toEqual([])
  })

  it('SEAT-16: a batch that lands while the alarm asks wins or loses, never both', async () => {
    for (let trial = 0; trial < 10; trial++) {
      const { organization, joining, letGo } = await slowAdd()
      passTime(31_000)
      const alarm = runDurableObjectAlarm(ledgerOf(organization))
      letGo()
      const answer = await joining()
      await alarm
      expect(codeOf(answer)).toBe('ok')
      await expectSound(organization.id, true)
      vi.useRealTimers()
    }
  })

  it('SEAT-15: a seat whose deadline has not come is not touched', async () => {
    const { organization, calm } = await abandonedAdd()
    passTime(29_000)
    expect(await runDurableObjectAlarm(ledgerOf(organization))).toBe(true)
    expect(await readLedger(organization.id)).toMatchObject({ held: 1, reserved: 1 })
    expect((await readState(organization.id)).fences).toEqual([])
    expect(codeOf(await add(calm, organization))).toBe('seat_limit_reached')
    passTime(2_000)
    expect(await runDurableObjectAlarm(ledgerOf(organization)), 'armed again').toBe(true)
    await expectSound(organization.id, true)
  })

  it('SEAT-15: the alarm comes by itself', async () => {
    const calm = createWorld()
    const organization = await newOrganization(calm, 2)
    const world = createWorld({ around: losing('d1 write'), ledger: { reservationSeconds: 0.2 } })
    expect(codeOf(await add(world, organization))).toBe('seats_unavailable')
    expect(await readLedger(organization.id)).toMatchObject({ held: 1, reserved: 1 })
    await vi.waitFor(
      async () => {
        expect(await readLedger(organization.id)).toMatchObject({ held: 1, reserved: 0 })
      },
      { timeout: 10_000, interval: 50 }
    )
    await expectSound(organization.id, true)
  })

  it('SEAT-15: more reservations than one alarm settles are settled by the next', async () => {
    const calm = createWorld()
    const organization = await newOrganization(calm)
    const ledger = ledgerOf(organization)
    for (let more = 0; more < 501; more++) {
      await ledger.reserve({
        organizationId: organization.id,
        defaultLimit: { kind: 'unlimited' },
        seatId: crypto.randomUUID(),
        holder: `nobody ${more}`,
        reservationSeconds: 30,
      })
    }
    passTime(31_000)
    expect(await runDurableObjectAlarm(ledger)).toBe(true)
    expect((await readState(organization.id)).fences).toHaveLength(500)
    await vi.waitFor(
      async () => {
        await runDurableObjectAlarm(ledger)
        await expectSound(organization.id, true)
      },
      { timeout: 10_000, interval: 50 }
    )
  })
})

describe('a batch that is refused', () => {
  it('SEAT-14: gives its seat back at once', async () => {
    const calm = createWorld()
    const organization = await newOrganization(calm, 3)
    const other = await join(calm, organization, 'owner')
    const { joining, letGo } = await slowAddTo(organization, other)
    expect(await readLedger(organization.id)).toMatchObject({ held: 2, reserved: 1 })
    // Who asked may not any more.
    answered(
      await changeRole(calm.seatgate, organization.as(organization.owner), other, {
        role: 'member',
      })
    )
    letGo()
    expect(codeOf(await joining())).toBe('insufficient_role')
    await expectSound(organization.id, true)
    expect(codeOf(await add(calm, organization))).toBe('ok')
  })
})

describe('a ledger that is lost', () => {
  it('SEAT-33: counts the same again from D1, under the next epoch', async () => {
    const world = createWorld()
    const organization = await newOrganization(world, 4)
    await join(world, organization)
    const last = await join(world, organization)
    answered(await removeMember(world.seatgate, organization.as(last), last))
    const before = await readLedger(organization.id)
    const asking = () => seatUsage(world.seatgate, organization.as(organization.owner))
    const usage = answered(await asking())

    await loseStorage(organization)
    expect(await readLedger(organization.id)).toBeNull()
    expect(answered(await asking())).toEqual(usage)
    const after = await readLedger(organization.id)
    expect(after?.seats).toEqual(before?.seats)
    expect(after?.epoch).toBe(before!.epoch + 1)
    await expectSound(organization.id, true)
  })

  it('SEAT-33: a write admitted by the lost ledger cannot land beside the new one', async () => {
    const { organization, calm, joining, letGo } = await slowAdd()
    await loseStorage(organization)
    expect(codeOf(await add(calm, organization))).toBe('ok')
    letGo()
    expect(await joining()).toEqual({
      ok: false,
      error: { code: 'seat_limit_reached', limit: 2, used: 2 },
    })
    await calm.settled()
    await expectSound(organization.id, true)
  })

  it('SEAT-33: the same write is admitted anew where there is room', async () => {
    const { organization, calm, joining, letGo } = await slowAdd()
    await loseStorage(organization)
    answered(await seatUsage(calm.seatgate, organization.as(organization.owner)))
    letGo()
    expect(codeOf(await joining())).toBe('ok')
    await expectSound(organization.id, true)
  })

  it('SEAT-33: knows the limit that was bought', async () => {
    const world = createWorld()
    const organization = await newOrganization(world, 1)
    await loseStorage(organization)
    expect(await add(world, organization)).toEqual({
      ok: false,
      error: { code: 'seat_limit_reached', limit: 1, used: 1 },
    })
  })

  it('SEAT-33: has everybody, however many pages they are read in', async () => {
    const world = createWorld()
    const organization = await newBusyOrganization(world, 10_001)
    const asking = () => seatUsage(world.seatgate, organization.as(organization.owner))
    expect(answered(await asking())).toMatchObject({ held: 10_001, reserved: 0 })
    await loseStorage(organization)
    expect(answered(await asking())).toMatchObject({ held: 10_001, reserved: 0 })
    const { members, ledger } = await readState(organization.id)
    expect(new Set(ledger?.seats.map(({ seat_id }) => seat_id))).toEqual(
      new Set(members.map(({ seat_id }) => seat_id))
    )
  })

  it('an object that is put out of memory keeps everything, its alarm too', async () => {
    const { organization, calm } = await abandonedAdd()
    const before = await readLedger(organization.id)
    await evictDurableObject(ledgerOf(organization))
    expect(await readLedger(organization.id)).toEqual(before)
    expect(codeOf(await add(calm, organization))).toBe('seat_limit_reached')
    await evictDurableObject(ledgerOf(organization))
    passTime(31_000)
    expect(await runDurableObjectAlarm(ledgerOf(organization))).toBe(true)
    await expectSound(organization.id, true)
    expect((await readState(organization.id)).epoch).toBe(1)
  })

  it.each([{ evicted: true }, { evicted: false }])(
    'SEAT-15: an alarm that was lost comes back with the next call (put out of memory: $evicted)',
    async ({ evicted }) => {
      const { organization, calm } = await abandonedAdd()
      await runInDurableObject(ledgerOf(organization), (_ledger, { storage }) =>
        storage.deleteAlarm()
      )
      if (evicted) await evictDurableObject(ledgerOf(organization))
      passTime(LONG_ENOUGH_MS)
      expect(await runDurableObjectAlarm(ledgerOf(organization))).toBe(false)
      answered(await seatUsage(calm.seatgate, organization.as(organization.owner)))
      await vi.waitFor(
        async () => {
          await runDurableObjectAlarm(ledgerOf(organization))
          await expectSound(organization.id, true)
        },
        { timeout: 10_000, interval: 50 }
      )
    }
  )
})

describe('word that never came', () => {
  it('SEAT-23 SEAT-28: a lost release is made up for by the outbox', async () => {
    const calm = createWorld()
    const organization = await newOrganization(calm, 2)
    const gone = await join(calm, organization)
    const deaf = createWorld({ around: losing('ledger') })
    answered(await removeMember(deaf.seatgate, organization.as(gone), gone))
    expect(await readLedger(organization.id)).toMatchObject({ held: 2 })
    expect(codeOf(await add(calm, organization))).toBe('seat_limit_reached')

    await muchLater(null)
    await expectSound(organization.id, true)
    expect(codeOf(await add(calm, organization))).toBe('ok')
  })

  it('SEAT-25 MUSEUM-11: releases that come again free nobody else’s seat', async () => {
    const calm = createWorld()
    const organization = await newOrganization(calm, 2)
    const gone = await join(calm, organization)
    const { members } = await readState(organization.id)
    const { seat_id } = members.find(({ user_id }) => user_id === gone)!
    answered(await removeMember(calm.seatgate, organization.as(gone), gone))
    await join(calm, organization, 'member', gone)
    for (let again = 0; again < 3; again++) {
      const seat = { organizationId: organization.id, seatId: seat_id! }
      await calm.seatgate.seats.release(calm.seatgate.seatContext, seat)
      await calm.seatgate.seats.confirm(calm.seatgate.seatContext, seat)
    }
    await testEnv.DB.prepare('UPDATE sink_cursors SET sequence = 0 WHERE organization_id = ?')
      .bind(organization.id)
      .run()
    await forwardOrganization(calm.seatgate, organization.id)
    await expectSound(organization.id, true)
  })

  it('a lost limit change is made up for by the outbox', async () => {
    const calm = createWorld()
    const organization = await newOrganization(calm, 5)
    const deaf = createWorld({ around: losing('ledger') })
    expect(codeOf(await lower(deaf, organization, { limit: 1 }))).toBe('seats_unavailable')
    expect(await readLedger(organization.id)).toMatchObject({ limit_seats: 5 })
    await forwardOrganization(calm.seatgate, organization.id)
    await expectSound(organization.id, true)
    expect(codeOf(await add(calm, organization))).toBe('seat_limit_reached')
  })

  it.each([
    { what: 'the same version', version: 7 },
    { what: 'an older version', version: 6 },
  ])(
    'BILL-25 MUSEUM-18: after a lost limit change $what brings no other limit',
    async ({ version }) => {
      const calm = createWorld()
      const organization = await newOrganization(calm, 5)
      const deaf = createWorld({ around: losing('ledger') })
      await lower(deaf, organization, { limit: 1, version: 7 })
      // A second delivery from the billing system, which disagrees.
      await lower(calm, organization, { limit: 100, version })
      expect(codeOf(await add(calm, organization))).toBe('seat_limit_reached')
      await forwardOrganization(calm.seatgate, organization.id)
      await expectSound(organization.id, true)
    }
  )

  it('BILL-25 MUSEUM-18: of two limits under one version the first on record is in force', async () => {
    const calm = createWorld()
    const organization = await newOrganization(calm, 5)
    const reached = Promise.withResolvers<void>()
    const held = Promise.withResolvers<void>()
    const slow = createWorld({
      async around({ asked }, run) {
        if (asked[0] === 'setLimit') {
          reached.resolve()
          await held.promise
        }
        return run()
      },
    })
    const first = lower(slow, organization, { limit: 1, version: 7 })
    await reached.promise
    const second = await lower(calm, organization, { limit: 100, version: 7 })
    held.resolve()
    expect(answered(await first).limit).toBe(1)
    expect(answered(second).limit).toBe(1)
    await expectSound(organization.id, true)
  })

  it('BILL-25 MUSEUM-18: word of an older limit that comes late changes nothing', async () => {
    const calm = createWorld()
    const organization = await newOrganization(calm, 5)
    const reached = Promise.withResolvers<void>()
    const held = Promise.withResolvers<void>()
    const slow = createWorld({
      async around({ asked }, run) {
        if (asked[0] === 'setLimit') {
          reached.resolve()
          await held.promise
        }
        return run()
      },
    })
    const older = lower(slow, organization, { limit: 100 })
    await reached.promise
    answered(await lower(calm, organization, { limit: 1 }))
    held.resolve()
    expect(answered(await older)).toMatchObject({ limit: 1, version: 3 })
    await expectSound(organization.id, true)
    expect(codeOf(await add(calm, organization))).toBe('seat_limit_reached')
  })

  it('SEAT-24 MUSEUM-11: no seat id is ever used again', async () => {
    const world = createWorld()
    const organization = await newOrganization(world, 2)
    const person = await newUser()
    const seats = new Set<string>()
    for (let round = 0; round < 5; round++) {
      await join(world, organization, 'member', person)
      const { members } = await readState(organization.id)
      seats.add(members.find(({ user_id }) => user_id === person)!.seat_id!)
      answered(await removeMember(world.seatgate, organization.as(person), person))
    }
    expect(seats.size).toBe(5)
    await expectSound(organization.id, true)
  })
})

describe('a ledger that does not answer', () => {
  const hanging = () => new Promise<never>(() => {})
  const throwing = async () => {
    throw new Error('The object is overloaded.')
  }
  const throwingAtOnce = () => {
    throw new Error('There is no such object.')
  }
  const silences = [
    { how: 'hangs', ledger: allCalls(hanging) },
    { how: 'throws', ledger: allCalls(throwing) },
    { how: 'throws at once', ledger: allCalls(throwingAtOnce) },
    { how: 'cannot be reached', ledger: throwingAtOnce as () => LedgerCalls },
  ]

  it.each(silences)(
    'SEAT-13 MUSEUM-30: one that $how refuses growth, and nothing else',
    async ({ ledger }) => {
      const calm = createWorld()
      const organization = await newOrganization(calm, 5)
      const member = await join(calm, organization)
      const before = await readState(organization.id)
      const namespace: LedgerNamespace = { getByName: ledger }
      const world = createWorld({ namespace, ledger: { timeoutSeconds: 0.05 } })
      const { seatgate } = world
      const owner = organization.as(organization.owner)

      expect(await add(world, organization)).toEqual({
        ok: false,
        error: { code: 'seats_unavailable' },
      })
      expect(codeOf(await seatUsage(seatgate, owner))).toBe('seats_unavailable')
      expect(await readState(organization.id)).toEqual(before)

      expect(codeOf(await getOrganization(seatgate, owner))).toBe('ok')
      expect(codeOf(await listMembers(seatgate, owner))).toBe('ok')
      expect(codeOf(await removeMember(seatgate, owner, member))).toBe('ok')
      await world.settled()
      await forwardOrganization(calm.seatgate, organization.id)
      await expectSound(organization.id, true)
    }
  )

  it('SEAT-13: refused for silence under an id is asked again under it', async () => {
    const calm = createWorld()
    const organization = await newOrganization(calm, 5)
    const userId = await newUser()
    const once = ({ seatgate }: World) =>
      addMember(
        seatgate,
        organization.as(organization.owner),
        { userId, role: 'member' },
        { operationId: 'once' }
      )
    const silent = createWorld({ namespace: { getByName: allCalls(throwing) } })
    expect(codeOf(await once(silent))).toBe('seats_unavailable')
    expect(codeOf(await once(calm))).toBe('ok')
    await calm.settled()
    await expectSound(organization.id, true)
  })

  it('SEAT-13: a ledger that answers too late leaves its seat to the deadline', async () => {
    const calm = createWorld()
    const organization = await newOrganization(calm, 2)
    const late = createWorld({
      ledger: { timeoutSeconds: 0.05 },
      async around({ asked }, run) {
        const answer = await run()
        return asked[0] === 'reserve' ? hanging() : answer
      },
    })
    expect(codeOf(await add(late, organization))).toBe('seats_unavailable')
    await muchLater(organization.id)
    await expectSound(organization.id, true)
    expect(codeOf(await add(calm, organization))).toBe('ok')
  })

  it('what the platform says may be asked again is asked again, and takes one seat', async () => {
    for (const moment of moments) {
      const calm = createWorld()
      const organization = await newOrganization(calm, 2)
      let failures = 0
      const flaky = createWorld({
        async around({ asked }, run) {
          if (asked[0] !== 'reserve' || failures > 0) return run()
          failures += 1
          if (moment === 'after') await run()
          throw Object.assign(new Error('Network connection lost.'), { retryable: true })
        },
      })
      expect(codeOf(await add(flaky, organization))).toBe('ok')
      expect(failures).toBe(1)
      await flaky.settled()
      await expectSound(organization.id, true)
    }
  })

  it.each(moments)(
    'SEAT-13: a ledger that loses D1 %s reading it starts only when it has read all',
    async (moment) => {
      const before = createWorld({ provider: 'd1' })
      const world = createWorld()
      const organization = await newOrganization(before, 2)
      await readLedger(organization.id)
      const restore = await spoilDatabase(organization, async (run) => {
        if (moment === 'after') await run()
        throw new Error('D1_ERROR: Network connection lost.')
      })
      const answers = await Promise.all([add(world, organization), add(world, organization)])
      expect(answers.map(codeOf)).toEqual(['seats_unavailable', 'seats_unavailable'])
      expect(await readLedger(organization.id)).toBeNull()
      await restore()
      expect(codeOf(await add(world, organization))).toBe('ok')
      await world.settled()
      await expectSound(organization.id, true)
    }
  )

  it.each([
    { how: 'fails', send: throwing },
    { how: 'throws at once', send: throwingAtOnce },
  ])(
    'a queue that $how changes no answer, and keeps no seat from being confirmed',
    async ({ send }) => {
      const calm = createWorld()
      const organization = await newOrganization(calm, 2)
      const world = createWorld({
        queue: { send, sendBatch: async () => {} },
        // The ledger is the slower of the two, so that the queue has failed before it answers.
        async around({ asked }, run) {
          if (asked[0] === 'confirm') await new Promise((resolve) => setTimeout(resolve, 20))
          return run()
        },
      })
      expect(codeOf(await add(world, organization))).toBe('ok')
      await world.settled()
      await expectSound(organization.id, true)
    }
  )
})

function operation(operationId: string | undefined) {
  return operationId === undefined ? {} : { operationId }
}

/** Carries out every trip but one; of a death nothing returns, and nothing starts after it. */
function faultAt(step: number, kind: Kind, moment: Moment) {
  const death = Promise.withResolvers<null>()
  let dead = false
  let count = 0
  const around: Around = async (_trip, run) => {
    if (dead) return new Promise<never>(() => {})
    count += 1
    if (count !== step) return run()
    if (moment === 'after') await run()
    if (kind === 'failure') throw new Error('Network connection lost.')
    dead = true
    death.resolve(null)
    return new Promise<never>(() => {})
  }
  return { around, died: death.promise, reached: () => count >= step }
}

/** Loses every call of one kind on its way. */
function losing(what: 'ledger' | 'confirm' | 'd1 write'): Around {
  return async ({ store, asked }, run) => {
    const lost =
      what === 'ledger'
        ? store === 'ledger'
        : what === 'confirm'
          ? asked[0] === 'confirm'
          : asked.some((sql) => sql.startsWith('insert into "memberships"'))
    if (lost) throw new Error('Network connection lost.')
    return run()
  }
}

function allCalls(answer: () => Promise<never>): () => LedgerCalls {
  return () => ({
    reserve: answer,
    confirm: answer,
    release: answer,
    setLimit: answer,
    usage: answer,
  })
}

function ledgerOf({ id }: TestOrganization) {
  return testEnv.SEATS.getByName(id)
}

function passTime(milliseconds: number): void {
  vi.setSystemTime(Date.now() + milliseconds)
}

/** Every deadline has passed, the alarm has run, and the sweep has found what was left. */
async function muchLater(organizationId: string | null): Promise<void> {
  passTime(LONG_ENOUGH_MS)
  if (organizationId !== null) {
    await runDurableObjectAlarm(testEnv.SEATS.getByName(organizationId))
  }
  const sweeping = createWorld()
  await sweepAudit(sweeping.seatgate)
  for (const { organizationId } of sweeping.wakeUps) {
    await forwardOrganization(sweeping.seatgate, organizationId)
  }
}

async function expectSound(
  organizationId: string | null,
  quiet: boolean,
  what?: string
): Promise<void> {
  if (organizationId === null) return
  expect(await violations(organizationId, { quiet }), what).toEqual([])
}

async function isMember({ id }: TestOrganization, userId: string): Promise<boolean> {
  const { members } = await readState(id)
  return members.some(({ user_id }) => user_id === userId)
}

async function add({ seatgate }: World, organization: TestOrganization) {
  const userId = await newUser()
  return addMember(seatgate, organization.as(organization.owner), { userId, role: 'member' })
}

function lower(
  { seatgate }: World,
  organization: TestOrganization,
  input: { limit: number; version?: number }
) {
  return setSeatLimit(seatgate, organization.asOperator, input)
}

async function reservedSeats({ id }: TestOrganization): Promise<string[]> {
  const ledger = await readLedger(id)
  return ledger!.seats.filter(({ state }) => state === 'reserved').map(({ seat_id }) => seat_id)
}

/** The last seat of two is reserved for somebody whose batch never came. */
async function abandonedAdd() {
  const calm = createWorld()
  const organization = await newOrganization(calm, 2)
  const answer = await add(createWorld({ around: losing('d1 write') }), organization)
  expect(codeOf(answer)).toBe('seats_unavailable')
  expect(await readLedger(organization.id)).toMatchObject({ held: 1, reserved: 1 })
  return { calm, organization }
}

/** The last seat of two is reserved for somebody whose batch is on its way. */
async function slowAdd() {
  const calm = createWorld()
  const organization = await newOrganization(calm, 2)
  return { calm, organization, ...(await slowAddTo(organization, organization.owner)) }
}

async function slowAddTo(organization: TestOrganization, by: string) {
  const userId = await newUser()
  const reached = Promise.withResolvers<void>()
  const held = Promise.withResolvers<void>()
  const world = createWorld({
    async around({ asked }, run) {
      if (asked.some((sql) => sql.startsWith('insert into "memberships"'))) {
        reached.resolve()
        await held.promise
      }
      return run()
    },
  })
  const answer = addMember(world.seatgate, organization.as(by), { userId, role: 'member' })
  await reached.promise
  return {
    letGo: held.resolve,
    async joining() {
      const joined = await answer
      await world.settled()
      return joined
    },
  }
}

async function loseStorage(organization: TestOrganization): Promise<void> {
  const ledger = ledgerOf(organization)
  await runInDurableObject(ledger, (_ledger, { storage }) => storage.deleteAll())
  await evictDurableObject(ledger)
}

/** Puts something between this one ledger and D1; answers how to take it away again. */
async function spoilDatabase(
  organization: TestOrganization,
  spoil: (run: () => Promise<unknown>) => Promise<never>
): Promise<() => Promise<void>> {
  const ledger = ledgerOf(organization)
  const setEnv = (DB: D1Database) =>
    runInDurableObject(ledger, (instance) => {
      Object.assign(instance, { env: { ...testEnv, DB } })
    })
  await setEnv(aroundDatabase(testEnv.DB, (_trip, run) => spoil(run)))
  return () => setEnv(testEnv.DB)
}
