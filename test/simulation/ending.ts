/**
 * Once everything has calmed down: what must be true then.
 *
 * @module
 */
import { seatUsage } from '../../src/index.ts'
import {
  forgotten,
  readStored,
  undelivered,
  violations as violationsIn,
} from '../../src/testing/index.ts'
import { pushedAtTheEnd, typeLedgersOf } from './access/ending.ts'
import { seatTypesOf } from './access/host.ts'
import type { Crowd } from './clients.ts'
import { delegatedAtTheEnd } from './delegation/ending.ts'
import type { HostOptions } from './host.ts'
import type { Surroundings } from './network.ts'
import { operator } from './operations/deed.ts'
import { directly, type Registry } from './people.ts'
import type { Watch } from './watch.ts'
import type { World } from './world.ts'

const MINUTE = 60_000
// Longer than a sink rests, whatever it has answered.
const LONGEST_MS = 15 * MINUTE
// What the alarm settles within that time, the sweep leaves to it.
const SETTLES_SOON_MS = 90_000

/** An alarm that the platform has given up comes back with the next call: this is it. */
export async function wake(
  { scheduler }: Surroundings,
  world: World,
  registry: Registry
): Promise<void> {
  const { seatgate } = world.startWorker('waker')
  const asked = registry
    .ids()
    .map((organization) =>
      seatUsage(seatgate, { caller: operator, organization }).catch(() => null)
    )
  let done = false
  void Promise.all(asked).then(() => (done = true))
  await scheduler.run(scheduler.now() + MINUTE, () => done)
}

/**
 * Waits until a sweep has come by, and then until it has come by once more and found nothing to do: what
 * one brings on its way, the next may have to go on with.
 */
export async function untilQuiet(
  { scheduler }: Surroundings,
  { connection, ledgers }: World
): Promise<void> {
  const isRinging = (name: string) =>
    ledgers.isRinging(name) || (ledgers.alarmOf(name) ?? Infinity) <= scheduler.now()
  // A seat whose confirmation was lost is reserved until the alarm finds the membership.
  const isAboutToBeHeld = (name: string) => {
    if ((ledgers.alarmOf(name) ?? Infinity) > scheduler.now() + SETTLES_SOON_MS) return false
    const seats = ledgers.stateOf(name)?.seats ?? []
    return seats.some(
      ({ state, seat_id }) =>
        state === 'reserved' &&
        connection.all('SELECT 1 FROM seatgate_memberships WHERE seat_id = ?', [seat_id]).length > 0
    )
  }
  const isUnderWay = () =>
    ledgers.names().some((name) => isRinging(name) || isAboutToBeHeld(name)) ||
    connection.all('SELECT 1 FROM seatgate_audit_outbox LIMIT 1').length > 0
  // A seat may be granted and settled within a minute: then the ledger is as before, but has a fence more.
  const recorded = () =>
    JSON.stringify([
      connection.all('SELECT count(*) AS events FROM seatgate_audit_events'),
      connection.all('SELECT count(*) AS fences FROM seatgate_seat_fences'),
      ledgers.names().map((name) => ledgers.stateOf(name)),
    ])
  const until = scheduler.now() + LONGEST_MS
  let before: string
  do {
    before = recorded()
    await scheduler.run(scheduler.now() + MINUTE)
  } while (scheduler.now() < until && (isUnderWay() || recorded() !== before))
}

export async function atTheEnd(
  surroundings: Surroundings,
  world: World,
  registry: Registry,
  { repairs }: Watch,
  host: HostOptions,
  crowd: Crowd
): Promise<string[]> {
  const { scheduler } = surroundings
  const wrong: string[] = []
  const direct = directly(world.connection)
  const now = new Date(scheduler.now())
  const access = host.access ?? null
  for (const id of registry.ids()) {
    const stored = await readStored(direct, id, now)
    if (stored.organization === null) continue
    const deleted = stored.organization.deleted_at !== null
    const ledger = deleted ? null : world.ledgers.stateOf(id)
    const typeLedgers = deleted ? {} : typeLedgersOf(world, id, access)
    const circumstances = {
      quiet: true,
      usedWhenLowered: Infinity,
      seatsCounted: host.provider !== 'unlimited',
      seatTypes: seatTypesOf(access),
      ...(access && { defaultLimit: host.defaultSeatLimit }),
    }
    // An expiry is found by the sweep, within a minute.
    const { invitations } = await readStored(direct, id, new Date(now.getTime() - 2 * MINUTE))
    const problems = [
      ...violationsIn({ ...stored, ledger, typeLedgers }, circumstances),
      ...repairs
        .mistaken(stored.events)
        .map(({ metadata }) => `taken for drift: ${JSON.stringify(metadata)}`),
      ...(deleted ? [] : forgotten({ ...stored, invitations, ledger: null }, circumstances)),
    ]
    wrong.push(...problems.map((problem) => `${id} at the end: ${problem}`))
    // For whoever reads the replay.
    if (problems.length > 0) surroundings.trace.note(JSON.stringify({ stored, ledger }))
    for (const [sink, heard] of world.heard) {
      const accepts = (action: string) =>
        sink !== 'organizations' || action.startsWith('organization.')
      wrong.push(
        ...undelivered(stored.events, heard.get(id) ?? [], accepts).map(
          (problem) => `${id} to ${sink}: ${problem}`
        )
      )
    }
  }
  if (host.access) {
    wrong.push(...(await pushedAtTheEnd(surroundings, world, registry, host.access)))
    wrong.push(...(await delegatedAtTheEnd(surroundings, world, registry, host.access)))
  }
  wrong.push(...(await sayAgain(surroundings, world, crowd)))
  return wrong
}

/** What was answered once is answered so for ever. */
async function sayAgain(
  { scheduler }: Surroundings,
  world: World,
  { promised }: Crowd
): Promise<string[]> {
  const { seatgate } = world.startWorker('later')
  const wrong: string[] = []
  for (const { deed, operationId, answer } of promised.slice(-5)) {
    let again: string | null = null
    void deed.act(seatgate, { operationId }).then(
      (result) => (again = JSON.stringify(result)),
      (error: Error) => (again = String(error))
    )
    await scheduler.run(scheduler.now() + MINUTE, () => again !== null)
    if (again !== answer) wrong.push(`${deed.name} ${operationId}: ${answer}, then ${again}`)
  }
  return wrong
}
