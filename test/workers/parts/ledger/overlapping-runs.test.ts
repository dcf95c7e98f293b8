import { describe, expect, it } from 'vitest'
import {
  expectSound,
  addEvents,
  createKit,
  cursorOf,
  holdingBack,
  isInOutbox,
  join,
  losing,
  readLedger,
  testEnv,
  unwrap,
  type TestOrganization,
} from '../../../kit/index.ts'
import type { Around, Trip } from '../../../../bench/meter.ts'
import { forwardOrganization, removeMember } from '../../../../src/index.ts'

const isRelease = ({ asked }: Trip) => asked[0] === 'release'

/** Holds the first release of a run back, which is then answered as `answer` does. */
function heldRun(answer: Around) {
  const { around, reached, letGo } = holdingBack(isRelease)
  let releases = 0
  const { seatgate } = createKit({
    around: (trip, run) =>
      around(trip, () => (isRelease(trip) && releases++ === 0 ? answer(trip, run) : run())),
  })
  return { seatgate, reached, letGo }
}

const passing: Around = (_trip, run) => run()
const failing: Around = () => Promise.reject(new Error('Network connection lost.'))

/** An organization, and removals whose release the ledger does not receive. */
async function deafRemovals() {
  const calm = createKit()
  const organization = await calm.organization({ seats: 5 })
  const deaf = createKit({ around: losing('ledger') })
  const people = [await join(calm, organization), await join(calm, organization)]
  const removeNext = async () => {
    const person = people.pop()!
    unwrap(await removeMember(deaf.seatgate, organization.as(person), person))
    await deaf.settled()
  }
  return { calm, organization, removeNext }
}

const cursorIn = ({ id }: TestOrganization) => cursorOf(id, 'seat_ledger')

describe('runs that overlap', () => {
  it('a run that ends behind another one leaves its cursor', async () => {
    const { calm, organization, removeNext } = await deafRemovals()
    await removeNext()
    const slow = heldRun(passing)
    const behind = forwardOrganization(slow.seatgate, organization.id)
    await slow.reached
    await removeNext()
    await forwardOrganization(calm.seatgate, organization.id)
    const ahead = await cursorIn(organization)
    expect(await isInOutbox(organization.id)).toBe(false)

    slow.letGo()
    expect(await behind).toBeNull()
    expect(await cursorIn(organization)).toEqual(ahead)
    expect(await readLedger(organization.id)).toMatchObject({ held: 1 })
    await expectSound(organization.id, true)
  })

  it('a run that fails behind another one delays no later run', async () => {
    const { calm, organization, removeNext } = await deafRemovals()
    await removeNext()
    const slow = heldRun(failing)
    const behind = forwardOrganization(slow.seatgate, organization.id)
    await slow.reached
    await forwardOrganization(calm.seatgate, organization.id)
    const ahead = await cursorIn(organization)
    expect(ahead).toMatchObject({ attempts: 0, error: null })

    slow.letGo()
    expect(await behind).not.toBeNull()
    expect(await cursorIn(organization)).toEqual(ahead)
    await removeNext()
    expect(await forwardOrganization(calm.seatgate, organization.id)).toBeNull()
    await expectSound(organization.id, true)
  })

  it('a run that ends where another one fails leaves its retry', async () => {
    const { organization, removeNext } = await deafRemovals()
    await removeNext()
    const slow = heldRun(passing)
    const behind = forwardOrganization(slow.seatgate, organization.id)
    await slow.reached
    // The next release follows on the last event that the slow run has read.
    await addEvents(organization.id, 1, await lastSequence(organization), "'seat.released'")
    let releases = 0
    const second = createKit({
      around: (trip, run) =>
        isRelease(trip) && releases++ > 0 ? failing(trip, run) : passing(trip, run),
    })
    expect(await forwardOrganization(second.seatgate, organization.id)).not.toBeNull()
    const stuck = await cursorIn(organization)
    expect(stuck).toMatchObject({ attempts: 1, error: 'seats_unavailable' })

    slow.letGo()
    await behind
    expect(await cursorIn(organization)).toEqual(stuck)
    expect(await isInOutbox(organization.id)).toBe(true)
  })
})

describe('a run without a lease', () => {
  it('calls the ledger again when it is due, and not before', async () => {
    const { organization, removeNext } = await deafRemovals()
    await removeNext()
    const clock = { now: Date.now() }
    const now = () => new Date(clock.now)
    const deaf = createKit({ around: losing('ledger'), now, random: () => 1 })
    const first = await forwardOrganization(deaf.seatgate, organization.id)
    clock.now += first! * 1000
    const seconds = await forwardOrganization(deaf.seatgate, organization.id)
    expect(seconds).toBeGreaterThan(0)
    expect(await cursorIn(organization)).toMatchObject({ attempts: 2 })

    let releases = 0
    const counting: Around = (trip, run) => {
      if (isRelease(trip)) releases += 1
      return run()
    }
    const { seatgate } = createKit({ around: counting, now })
    clock.now += seconds! * 1000 - 1
    expect(await forwardOrganization(seatgate, organization.id)).toBeNull()
    expect(releases).toBe(0)
    expect(await isInOutbox(organization.id)).toBe(true)
    clock.now += 1
    expect(await forwardOrganization(seatgate, organization.id)).toBeNull()
    expect(releases).toBe(1)
    expect(await cursorIn(organization)).toMatchObject({ attempts: 0, error: null })
    expect(await isInOutbox(organization.id)).toBe(false)
  })

  it('reads a long trail page by page, and writes its cursor once', async () => {
    const { organization, removeNext } = await deafRemovals()
    await removeNext()
    await addEvents(organization.id, 200, await lastSequence(organization))
    await removeNext()
    const writes: string[] = []
    const { seatgate } = createKit({
      around(trip, run) {
        writes.push(...trip.asked.filter((query) => query.includes('insert into')))
        return run()
      },
    })
    expect(await forwardOrganization(seatgate, organization.id)).toBeNull()
    expect(writes).toHaveLength(1)
    expect(await cursorIn(organization)).toMatchObject({
      sequence: await lastSequence(organization),
    })
    expect(await readLedger(organization.id)).toMatchObject({ held: 1 })
    expect(await isInOutbox(organization.id)).toBe(false)
  })
})

async function lastSequence({ id }: TestOrganization): Promise<number> {
  const row = await testEnv.DB.prepare(
    'SELECT max(sequence) AS last FROM seatgate_audit_events WHERE organization_id = ?'
  )
    .bind(id)
    .first<{ last: number }>()
  return row!.last
}
