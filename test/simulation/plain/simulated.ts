/**
 * The histories without faults, in the simulation: trips take no time, and nothing goes wrong.
 *
 * @module
 */
import { drizzle } from 'drizzle-orm/d1'
import { ledgerSeats, type LedgerNamespace } from '../../../src/index.ts'
import { createSometimes, readStored } from '../../../src/testing/index.ts'
import { SeatLedger } from '../../../src/worker/seat-ledger.ts'
import { createFlat } from '../../kit/flat-options.ts'
import { bindDatabase } from '../database.ts'
import { createLedgers } from '../ledgers.ts'
import { FAULTS, type Isolate, type Surroundings } from '../network.ts'
import { directly } from '../people.ts'
import { createPost } from '../post.ts'
import { createRandom } from '../random.ts'
import { enterRealm } from '../realm.ts'
import { createScheduler } from '../scheduler.ts'
import type { Connection } from '../sqlite.ts'
import { STATES } from '../states.ts'
import { createTrace } from '../trace.ts'
import { calm } from '../weather.ts'
import { livePlainly } from './history.ts'
import { createFaults } from './faults.ts'
import { accessOf, plainOptions } from './host.ts'

// Less than half a millisecond is none.
const NO_DISTANCE = 0.1

export async function liveInSimulation(
  connection: Connection,
  seed: number,
  operations: number
): Promise<readonly string[]> {
  const scheduler = createScheduler()
  const random = createRandom(1)
  enterRealm(scheduler, random)
  const surroundings: Surroundings = {
    scheduler,
    random,
    trace: createTrace(scheduler.now, false),
    sometimes: createSometimes(STATES),
    faults: createSometimes(FAULTS),
    weather: { ...calm, distance: NO_DISTANCE, thinking: 1 },
    databaseIsOut: false,
    stopped: false,
    stragglers: 0,
    post: createPost(connection),
    grants: { changed: () => [], restored() {} },
  }
  const bind = (isolate: Isolate) => bindDatabase(surroundings, connection, isolate, () => {})
  const ledgers = createLedgers(surroundings, SeatLedger, bind, () => {})
  const isolate: Isolate = { name: 'plain', alive: true, died: () => {} }
  const faults = createFaults()
  let [ids, busy] = [0, 0]
  const seatgate = createFlat(
    plainOptions(
      accessOf(seed),
      drizzle(faults.database(bind(isolate))),
      ledgerSeats(faults.ledgers(ledgers.boundTo(isolate) as never) as unknown as LedgerNamespace),
      {
        now: () => new Date(scheduler.now()),
        newId: () => `00000000-0000-4000-8000-${String(++ids).padStart(12, '0')}`,
        random: createRandom(seed + 1),
        waitUntil(work) {
          busy += 1
          void work.finally(() => (busy -= 1))
        },
      }
    )
  )
  connection.all('SAVEPOINT history')
  try {
    const direct = directly(connection)
    const living = livePlainly(
      {
        seatgate,
        faults,
        fetch: async (sql, params) => connection.all(sql, params),
        async turnTo(time) {
          await scheduler.run(time)
        },
        async settled(answer) {
          let over = false
          void answer.finally(() => (over = true)).catch(() => {})
          await scheduler.run(scheduler.now(), () => over && busy === 0)
          await scheduler.run(scheduler.now())
          return answer
        },
        stored: (id) => readStored(direct, id, new Date(scheduler.now())),
        ledger: async (id) => ledgers.stateOf(id),
      },
      seed,
      operations
    )
    return await living
  } finally {
    ledgers.close()
    connection.all('ROLLBACK TO history')
    connection.all('RELEASE history')
  }
}
