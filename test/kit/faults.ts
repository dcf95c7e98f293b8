/**
 * What is lost, late or broken on the way to D1 and to a ledger, and the time that heals it.
 *
 * @module
 */
import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { expect, vi } from 'vitest'
import { aroundDatabase, type Around, type Trip } from '../../bench/meter.ts'
import { addMember, forwardOrganization, sweepAudit } from '../../src/index.ts'
import { readLedger, violations } from './invariants.ts'
import { testEnv } from './environment.ts'
import { add, codeOf, createKit, newOrganization, newUser, type TestOrganization } from './kit.ts'

export type Moment = 'before' | 'after'

export const moments: Moment[] = ['before', 'after']

/** `failure`: the step is answered with an error. `death`: nobody lives to do anything more. */
export type Fault = 'failure' | 'death'

// Behind the deadline of a reservation, the lease of a forwarder and its first pauses.
export const LONG_ENOUGH_MS = 61_000

/** Loses every call of one kind on its way. */
export function losing(what: 'ledger' | 'confirm' | 'd1 write'): Around {
  return async ({ store, asked }, run) => {
    const lost =
      what === 'ledger'
        ? store === 'ledger'
        : what === 'confirm'
          ? asked[0] === 'confirm'
          : asked.some((sql) => /^insert into "seatgate_(memberships|invitations)"/.test(sql))
    if (lost) throw new Error('Network connection lost.')
    return run()
  }
}

/**
 * Holds back what goes to a store: `reached` is settled once something has come, and `letGo` lets it,
 * and all that comes later, through.
 */
export function holdingBack(isHeld: (trip: Trip) => boolean) {
  const arrival = Promise.withResolvers<void>()
  const departure = Promise.withResolvers<void>()
  const around: Around = async (trip, run) => {
    if (isHeld(trip)) {
      arrival.resolve()
      await departure.promise
    }
    return run()
  }
  return { around, reached: arrival.promise, letGo: departure.resolve }
}

/** Batches that make somebody a member. */
export const makesMember = ({ asked }: Trip) =>
  asked.some((sql) => sql.startsWith('insert into "seatgate_memberships"'))

/** Puts something between this one ledger and D1; answers how to take it away again. */
export async function aroundDatabaseOf(
  organization: TestOrganization,
  around: <T>(run: () => Promise<T>) => Promise<T>
): Promise<() => Promise<void>> {
  const ledger = ledgerOf(organization)
  const setEnv = (DB: D1Database) =>
    runInDurableObject(ledger, (instance) => {
      Object.assign(instance, { env: { ...testEnv, DB } })
    })
  await setEnv(aroundDatabase(testEnv.DB, (_trip, run) => around(run)))
  return () => setEnv(testEnv.DB)
}

/** The last seat of two is reserved for somebody whose batch never came. */
export async function abandonedAdd() {
  const calm = createKit()
  const organization = await newOrganization(calm, 2)
  const answer = await add(createKit({ around: losing('d1 write') }), organization)
  expect(codeOf(answer)).toBe('seats_unavailable')
  expect(await readLedger(organization.id)).toMatchObject({ held: 1, reserved: 1 })
  return { calm, organization }
}

/** The last seat of two is reserved for somebody whose batch is on its way. */
export async function slowAdd() {
  const calm = createKit()
  const organization = await newOrganization(calm, 2)
  return { calm, organization, ...(await slowAddTo(organization, organization.owner)) }
}

export async function slowAddTo(organization: TestOrganization, by: string) {
  const userId = await newUser()
  const { around, reached, letGo } = holdingBack(makesMember)
  const kit = createKit({ around })
  const answer = addMember(kit.seatgate, organization.as(by), { userId, role: 'member' })
  await reached
  return {
    letGo,
    async joining() {
      const joined = await answer
      await kit.settled()
      return joined
    },
  }
}

export function ledgerOf({ id }: TestOrganization) {
  return testEnv.SEATS.getByName(id)
}

/** Waits for the alarm to import the last page. */
export function importIsOver({ id }: TestOrganization): Promise<void> {
  return vi.waitFor(
    async () => {
      await runDurableObjectAlarm(testEnv.SEATS.getByName(id))
      expect((await readLedger(id))?.stage).toBeUndefined()
    },
    { timeout: 10_000, interval: 10 }
  )
}

export function passTime(milliseconds: number): void {
  vi.setSystemTime(Date.now() + milliseconds)
}

/** Every deadline has passed, the alarm has run, and the sweep has found what was left. */
export async function muchLater(organizationId: string | null): Promise<void> {
  passTime(LONG_ENOUGH_MS)
  if (organizationId !== null) {
    await runDurableObjectAlarm(testEnv.SEATS.getByName(organizationId))
  }
  const sweeping = createKit()
  await sweepAudit(sweeping.seatgate)
  for (const { organizationId } of sweeping.wakeUps) {
    await forwardOrganization(sweeping.seatgate, organizationId)
  }
}

export async function expectSound(
  organizationId: string | null,
  quiet: boolean,
  what?: string
): Promise<void> {
  if (organizationId === null) return
  expect(await violations(organizationId, { quiet }), what).toEqual([])
}

/** Carries out every trip but one; of a death nothing returns, and nothing starts after it. */
export function faultAt(step: number, kind: Fault, moment: Moment) {
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
