import { afterEach, describe, expect, it, vi } from 'vitest'
import {
  addMember,
  forwardOrganization,
  getOrganization,
  listMembers,
  removeMember,
  seatUsage,
  setSeatLimit,
  type LedgerCalls,
  type LedgerNamespace,
} from '../../../../src/index.ts'
import {
  expectSound,
  holdingBack,
  losing,
  moments,
  muchLater,
  aroundDatabaseOf,
  readLedger,
  readState,
  testEnv,
  add,
  unwrap,
  codeOf,
  createKit,
  join,
  newUser,
  type TestOrganization,
  type Kit,
} from '../../../kit/index.ts'

afterEach(() => {
  vi.useRealTimers()
})

describe('word that never came', () => {
  it('a lost release is made up for by the outbox [SEAT-23 SEAT-28]', async () => {
    const calm = createKit()
    const organization = await calm.organization({ seats: 2 })
    const gone = await join(calm, organization)
    const epoch = (await readLedger(organization.id))?.epoch
    const deaf = createKit({ around: losing('ledger') })
    unwrap(await removeMember(deaf.seatgate, organization.as(gone), gone))
    expect(await readLedger(organization.id)).toMatchObject({ held: 2 })
    expect(codeOf(await add(calm, organization))).toBe('seat_limit_reached')

    // As long as it does not hear, it is told again.
    await forwardOrganization(deaf.seatgate, organization.id)
    expect(await readLedger(organization.id)).toMatchObject({ held: 2 })
    await muchLater(null)
    // The one seat is released: the ledger is not started anew.
    expect(await readLedger(organization.id)).toMatchObject({ epoch, held: 1 })
    await expectSound(organization.id, true)
    expect(codeOf(await add(calm, organization))).toBe('ok')
  })

  it('repeated releases free no other user’s seat [SEAT-25 MUSEUM-11]', async () => {
    const calm = createKit()
    const organization = await calm.organization({ seats: 2 })
    const gone = await join(calm, organization)
    const { members } = await readState(organization.id)
    const { seat_id } = members.find(({ user_id }) => user_id === gone)!
    unwrap(await removeMember(calm.seatgate, organization.as(gone), gone))
    await join(calm, organization, 'member', gone)
    for (let again = 0; again < 3; again++) {
      const seat = { organizationId: organization.id, seatId: seat_id! }
      await calm.seatgate.seats.release(calm.seatgate.seatContext, seat)
      await calm.seatgate.seats.confirm(calm.seatgate.seatContext, seat, null)
    }
    await testEnv.DB.prepare(
      'UPDATE seatgate_sink_cursors SET sequence = 0 WHERE organization_id = ?'
    )
      .bind(organization.id)
      .run()
    await forwardOrganization(calm.seatgate, organization.id)
    await expectSound(organization.id, true)
  })

  it('a lost limit change is made up for by the outbox', async () => {
    const calm = createKit()
    const organization = await calm.organization({ seats: 5 })
    const deaf = createKit({ around: losing('ledger') })
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
    'after a lost limit change $what brings no other limit [BILL-25 MUSEUM-18]',
    async ({ version }) => {
      const calm = createKit()
      const organization = await calm.organization({ seats: 5 })
      const deaf = createKit({ around: losing('ledger') })
      await lower(deaf, organization, { limit: 1, version: 7 })
      // A second delivery from the billing system, which disagrees.
      await lower(calm, organization, { limit: 100, version })
      expect(codeOf(await add(calm, organization))).toBe('seat_limit_reached')
      await forwardOrganization(calm.seatgate, organization.id)
      await expectSound(organization.id, true)
    }
  )

  it('the first recorded of two limits with one version is in force [BILL-25 MUSEUM-18]', async () => {
    const { calm, organization, lowering, letGo } = await slowLimit({ limit: 1, version: 7 })
    const second = await lower(calm, organization, { limit: 100, version: 7 })
    letGo()
    expect(unwrap(await lowering).limit).toBe(1)
    expect(second).toMatchObject({ ok: false, error: { code: 'outdated_version', limit: 1 } })
    await expectSound(organization.id, true)
  })

  it('a late message with an older limit makes no change [BILL-25 MUSEUM-18]', async () => {
    const { calm, organization, lowering, letGo } = await slowLimit({ limit: 100 })
    unwrap(await lower(calm, organization, { limit: 1 }))
    letGo()
    expect(unwrap(await lowering)).toMatchObject({ limit: 1, version: 3 })
    await expectSound(organization.id, true)
    expect(codeOf(await add(calm, organization))).toBe('seat_limit_reached')
  })

  it('no seat id is ever used again [SEAT-24 MUSEUM-11]', async () => {
    const kit = createKit()
    const organization = await kit.organization({ seats: 2 })
    const person = await newUser()
    const seats = new Set<string>()
    for (let round = 0; round < 5; round++) {
      await join(kit, organization, 'member', person)
      const { members } = await readState(organization.id)
      seats.add(members.find(({ user_id }) => user_id === person)!.seat_id!)
      unwrap(await removeMember(kit.seatgate, organization.as(person), person))
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

  it.each(silences)('one that $how refuses growth only [SEAT-13 MUSEUM-30]', async ({ ledger }) => {
    const calm = createKit()
    const organization = await calm.organization({ seats: 5 })
    const member = await join(calm, organization)
    const before = await readState(organization.id)
    const namespace: LedgerNamespace = { getByName: ledger }
    const kit = createKit({ namespace, ledger: { timeoutSeconds: 0.05 } })
    const { seatgate } = kit
    const owner = organization.as(organization.owner)

    expect(await add(kit, organization)).toEqual({
      ok: false,
      error: { code: 'seats_unavailable' },
    })
    expect(codeOf(await seatUsage(seatgate, owner))).toBe('seats_unavailable')
    expect(await readState(organization.id)).toEqual(before)

    expect(codeOf(await getOrganization(seatgate, owner))).toBe('ok')
    expect(codeOf(await listMembers(seatgate, owner))).toBe('ok')
    expect(codeOf(await removeMember(seatgate, owner, member))).toBe('ok')
    await kit.settled()
    await forwardOrganization(calm.seatgate, organization.id)
    await expectSound(organization.id, true)
  })

  it('refused for silence under an id is asked again under it [SEAT-13]', async () => {
    const calm = createKit()
    const organization = await calm.organization({ seats: 5 })
    const userId = await newUser()
    const once = ({ seatgate }: Kit) =>
      addMember(
        seatgate,
        organization.as(organization.owner),
        { userId, role: 'member' },
        { operationId: 'once' }
      )
    const silent = createKit({ namespace: { getByName: allCalls(throwing) } })
    expect(codeOf(await once(silent))).toBe('seats_unavailable')
    expect(codeOf(await once(calm))).toBe('ok')
    await calm.settled()
    await expectSound(organization.id, true)
  })

  it('a ledger that answers too late leaves its seat to the deadline [SEAT-13]', async () => {
    const calm = createKit()
    const organization = await calm.organization({ seats: 2 })
    const late = createKit({
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

  it('a request that the platform lets one repeat is repeated, and takes one seat', async () => {
    for (const moment of moments) {
      const calm = createKit()
      const organization = await calm.organization({ seats: 2 })
      let failures = 0
      const flaky = createKit({
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

  it('any provider that throws admits no user, and its error is not disclosed [SEAT-13]', async () => {
    const calm = createKit()
    const organization = await calm.organization({ seats: 3 })
    const reports: string[] = []
    const broken = createKit({ report: ({ event }) => reports.push(event) })
    const fail = () => Promise.reject(new Error('out of order'))
    const seats = { ...broken.seatgate.seats, reserve: fail, reserveEach: fail }
    const kit = { ...broken, seatgate: { ...broken.seatgate, seats } }
    expect(codeOf(await add(kit, organization))).toBe('seats_unavailable')
    expect(reports).toContain('seat_reserve_failed')
    expect(codeOf(await add(calm, organization))).toBe('ok')
  })

  it('an overloaded ledger is not called again, even if the platform calls the error retryable', async () => {
    const calm = createKit()
    const organization = await calm.organization({ seats: 2 })
    let asked = 0
    const overloaded = createKit({
      async around({ asked: [method] }, run) {
        if (method !== 'reserve') return run()
        asked += 1
        throw Object.assign(new Error('overloaded'), { retryable: true, overloaded: true })
      },
    })
    expect(codeOf(await add(overloaded, organization))).toBe('seats_unavailable')
    expect(asked).toBe(1)
    expect(codeOf(await add(calm, organization))).toBe('ok')
  })

  it.each(moments)(
    'a ledger that loses D1 %s reading it starts only when it has read all [SEAT-13]',
    async (moment) => {
      const before = createKit({ provider: 'd1' })
      const kit = createKit()
      const organization = await before.organization({ seats: 2 })
      await readLedger(organization.id)
      const restore = await aroundDatabaseOf(organization, async (run) => {
        if (moment === 'after') await run()
        throw new Error('D1_ERROR: Network connection lost.')
      })
      const answers = await Promise.all([add(kit, organization), add(kit, organization)])
      expect(answers.map(codeOf)).toEqual(['seats_unavailable', 'seats_unavailable'])
      expect(await readLedger(organization.id)).toBeNull()
      await restore()
      expect(codeOf(await add(kit, organization))).toBe('ok')
      await kit.settled()
      await expectSound(organization.id, true)
    }
  )

  it.each([
    { how: 'fails', send: throwing },
    { how: 'throws at once', send: throwingAtOnce },
  ])(
    'a queue that $how changes no answer, and keeps no seat from being confirmed',
    async ({ send }) => {
      const calm = createKit()
      const organization = await calm.organization({ seats: 2 })
      const kit = createKit({
        queue: { send, sendBatch: async () => {} },
        // The ledger is the slower of the two, so that the queue has failed before it answers.
        async around({ asked }, run) {
          if (asked[0] === 'confirm') await new Promise((resolve) => setTimeout(resolve, 20))
          return run()
        },
      })
      expect(codeOf(await add(kit, organization))).toBe('ok')
      await kit.settled()
      await expectSound(organization.id, true)
    }
  )
})

function allCalls(answer: () => Promise<never>): () => LedgerCalls {
  return () => ({
    reserve: answer,
    reserveEach: answer,
    confirm: answer,
    release: answer,
    setLimit: answer,
    usage: answer,
    close: answer,
    inspect: answer,
    seal: answer,
  })
}

function lower(
  { seatgate }: Kit,
  organization: TestOrganization,
  input: { limit: number; version?: number }
) {
  return setSeatLimit(seatgate, organization.asOperator, input)
}

/** A new limit is on record; word of it is on its way to the ledger. */
async function slowLimit(input: Parameters<typeof lower>[2]) {
  const calm = createKit()
  const organization = await calm.organization({ seats: 5 })
  const { around, reached, letGo } = holdingBack(({ asked }) => asked[0] === 'setLimit')
  const lowering = lower(createKit({ around }), organization, input)
  await reached
  return { calm, organization, lowering, letGo }
}
