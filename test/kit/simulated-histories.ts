/**
 * Histories of the simulation without faults, on the real D1 and the real Durable Objects.
 *
 * @module
 */
import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { drizzle } from 'drizzle-orm/d1'
import { vi } from 'vitest'
import { ledgerSeats, type LedgerNamespace } from '../../src/index.ts'
import { readLedger, readStored } from '../../src/testing/index.ts'
import { poolOf } from '../simulation/access/pools.ts'
import { BEGINNING, livePlainly, type Ground } from '../simulation/plain/history.ts'
import { createFaults } from '../simulation/plain/faults.ts'
import { accessOf, plainOptions } from '../simulation/plain/host.ts'
import { createRandom } from '../simulation/random.ts'
import { freshStores, testEnv } from './environment.ts'
import { createFlat } from './flat-options.ts'

const { DB, SEATS } = testEnv

/** Runs the history of a seed in empty stores, at a time that it sets, and returns its lines. */
export async function liveInWorkerd(seed: number, operations: number): Promise<readonly string[]> {
  await freshStores()
  vi.useFakeTimers({ toFake: ['Date'], now: BEGINNING })
  return livePlainly(realGround(seed), seed, operations)
}

function realGround(seed: number): Ground {
  const background: Promise<unknown>[] = []
  let ids = 0
  const fetch: Ground['fetch'] = async (sql, params) =>
    (
      await DB.prepare(sql)
        .bind(...params)
        .all()
    ).results
  const faults = createFaults()
  const seats = ledgerSeats(faults.ledgers(SEATS) as LedgerNamespace)
  const seatgate = createFlat(
    plainOptions(accessOf(seed), drizzle(faults.database(DB)), seats, {
      now: () => new Date(),
      newId: () => `00000000-0000-4000-8000-${String(++ids).padStart(12, '0')}`,
      random: createRandom(seed + 1),
      waitUntil: (work) => void background.push(work),
    })
  )
  const drain = async () => {
    while (background.length > 0) await background.shift()
  }
  const ledger = (name: string) => SEATS.getByName(name)
  const alarms = async () => {
    const organizations = await fetch('SELECT id FROM seatgate_organizations ORDER BY id', [])
    const names = organizations.flatMap(({ id }) => [String(id), poolOf(String(id), 'guests')])
    const found = names.map(async (name) => ({
      name,
      at: await runInDurableObject(ledger(name), (_, { storage }) => storage.getAlarm()),
    }))
    return Promise.all(found)
  }
  return {
    seatgate,
    fetch,
    faults,
    // What is due rings at its time: the runtime's own clock is not there yet.
    async turnTo(time) {
      for (;;) {
        const due = (await alarms())
          .filter(({ at }) => at !== null && at <= time)
          .toSorted((a, b) => a.at! - b.at!)
        const [first] = due
        if (first === undefined) break
        vi.setSystemTime(Math.max(first.at!, Date.now()))
        await runDurableObjectAlarm(ledger(first.name))
      }
      vi.setSystemTime(time)
      await drain()
    },
    async settled(answer) {
      const value = await answer
      await drain()
      return value
    },
    stored: (id) => readStored(DB, id, new Date()),
    ledger: (id) => runInDurableObject(ledger(id), (_, { storage }) => readLedger(storage.sql)),
  }
}
