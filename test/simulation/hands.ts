/**
 * Once all is quiet, somebody writes to the stores by hand; the cron has to find it, in its turn, and
 * put it right.
 *
 * @module
 */
import { leak, miscounted, overshoot, readStored } from '../../src/testing/index.ts'
import type { Surroundings } from './network.ts'
import { directly, type Registry } from './people.ts'
import type { World } from './world.ts'

const MINUTE = 60_000
const LONGEST_MS = 15 * MINUTE
// Two clocks may be a minute apart: a promise that ends before the sweep has come by may be over already.
const ABOUT_TO_END_MS = 3 * MINUTE
// What puts a ledger out of force.
const EPOCH = /epoch|seatgate_seat_ledgers/
const FIRST_SEAT = /min\(seat_id\)/

interface Deed {
  readonly store: 'd1' | 'ledger'
  readonly sql: string
}

/** How an organization was just after it. */
interface Before {
  readonly deed: Deed
  readonly repairs: number
  readonly epoch: number | undefined
}

// Of D1 what nothing else rests on: who is a member shall be what it was.
const DEEDS: readonly Deed[] = [
  { store: 'd1', sql: 'UPDATE seatgate_member_counts SET active = active + 1, seats = seats + 3' },
  { store: 'd1', sql: 'DELETE FROM seatgate_member_counts WHERE true' },
  { store: 'd1', sql: 'UPDATE seatgate_seat_ledgers SET epoch = epoch + 1' },
  { store: 'd1', sql: 'DELETE FROM seatgate_seat_ledgers WHERE true' },
  { store: 'ledger', sql: 'DELETE FROM seats WHERE seat_id = (SELECT min(seat_id) FROM seats)' },
  { store: 'ledger', sql: "INSERT INTO seats (seat_id, holder) VALUES ('by hand', 'nobody')" },
  {
    store: 'ledger',
    sql: "UPDATE seats SET seat_id = 'moved' WHERE seat_id = (SELECT min(seat_id) FROM seats)",
  },
  { store: 'ledger', sql: 'UPDATE ledger SET version = version + 1' },
  { store: 'ledger', sql: 'UPDATE ledger SET epoch = epoch - 1' },
  { store: 'ledger', sql: 'UPDATE ledger SET held = held + 1' },
]

/** Does one such deed to each organization, and answers what is not found and repaired. */
export async function meddle(
  { scheduler, random, trace, sometimes }: Surroundings,
  world: World,
  registry: Registry
): Promise<readonly string[]> {
  const direct = directly(world.connection)
  const stateOf = async (id: string) => ({
    ...(await readStored(direct, id, new Date(scheduler.now()))),
    ledger: world.ledgers.stateOf(id),
  })
  const repairs = ({ events }: Awaited<ReturnType<typeof stateOf>>) =>
    events.filter(({ action }) => action === 'seat.drift_repaired').length
  const wrongIn = (state: Awaited<ReturnType<typeof stateOf>>) => [
    ...overshoot(state, { quiet: true, usedWhenLowered: Infinity }),
    ...leak(state),
    ...miscounted(state),
  ]
  const meddled = new Map<string, Before>()
  for (const id of registry.ids()) {
    const state = await stateOf(id)
    if (state.organization === null || state.organization.deleted_at !== null) continue
    const { ledger } = state
    const first = ledger?.seats.map(({ seat_id }) => seat_id).toSorted()[0]
    const promise = registry.view(id)?.unfinished.find(({ seat_id }) => seat_id === first)
    const isAboutToEnd = (promise?.expires_at ?? Infinity) < scheduler.now() + ABOUT_TO_END_MS
    const deed = random.pick(
      DEEDS.filter(({ store, sql }) => {
        if (ledger === null) return sql.includes('seatgate_member_counts')
        if (FIRST_SEAT.test(sql) && isAboutToEnd) return false
        return store === 'd1' || ledger.held > 0
      })
    )
    if (deed === undefined) continue
    trace.note(`by hand in ${id}: ${deed.sql}`)
    doByHand(world, id, deed)
    meddled.set(id, { deed, repairs: repairs(state), epoch: world.ledgers.stateOf(id)?.epoch })
  }
  const unrepaired = async () => {
    const wrong: string[] = []
    for (const [id, { deed, repairs: before, epoch }] of meddled) {
      const state = await stateOf(id)
      const problems = wrongIn(state)
      // Whoever was refused under an earlier epoch has the ledger start anew, and records nothing.
      const renewed = EPOCH.test(deed.sql) && state.ledger?.epoch !== epoch
      if (repairs(state) === before && !renewed) problems.push('nothing is on record')
      wrong.push(...problems.map((problem) => `${id} after ${deed.sql}: ${problem}`))
    }
    return wrong
  }
  const until = scheduler.now() + LONGEST_MS
  let wrong = await unrepaired()
  while (wrong.length > 0 && scheduler.now() < until) {
    await scheduler.run(scheduler.now() + MINUTE)
    wrong = await unrepaired()
  }
  if (meddled.size > 0 && wrong.length === 0) sometimes('what was done by hand was put right')
  return wrong
}

function doByHand(world: World, id: string, { store, sql }: Deed): void {
  if (store === 'ledger') world.ledgers.byHand(id, sql)
  else if (sql.includes('WHERE')) world.connection.all(`${sql} AND organization_id = ?`, [id])
  else world.connection.all(`${sql} WHERE organization_id = ?`, [id])
}
