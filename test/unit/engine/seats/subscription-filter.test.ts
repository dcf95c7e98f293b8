import { DatabaseSync } from 'node:sqlite'
import type { SQL } from 'drizzle-orm'
import { SQLiteSyncDialect } from 'drizzle-orm/sqlite-core'
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import {
  isChargeable,
  isGranting,
  isSweepable,
} from '../../../../src/engine/seats/subscription-filter.ts'
import {
  canCharge,
  grantOf,
  isDunningSweepable,
  STATUSES,
  type SubscriptionState,
} from '../../../../src/engine/seats/subscription-state.ts'

const NOW = Date.parse('2026-03-01T00:00:00Z')
const instant = fc.option(
  fc.constantFrom(-1, 0, 1, -86_400_000, 86_400_000).map((ms) => new Date(NOW + ms))
)
const anyState: fc.Arbitrary<SubscriptionState> = fc.record({
  status: fc.constantFrom(...STATUSES),
  paused: fc.boolean(),
  trialEnd: instant,
  cancelAt: instant,
  endedAt: fc.option(instant, { freq: 2 }).map((value) => value ?? null),
  graceEnd: instant,
})

const database = new DatabaseSync(':memory:')
database.exec(
  `CREATE TABLE subscriptions (status TEXT NOT NULL, paused INTEGER NOT NULL, trial_end INTEGER,
    cancel_at INTEGER, ended_at INTEGER, grace_end INTEGER)`
)

/** Whether a condition holds for the row of a state. */
function holds(condition: SQL, state: SubscriptionState): boolean {
  database.exec('DELETE FROM subscriptions')
  const { status, paused, trialEnd, cancelAt, endedAt, graceEnd } = state
  const times = [trialEnd, cancelAt, endedAt, graceEnd].map((time) => time?.getTime() ?? null)
  database
    .prepare('INSERT INTO subscriptions VALUES (?, ?, ?, ?, ?, ?)')
    .run(status, Number(paused), ...times)
  const { sql, params } = new SQLiteSyncDialect().sqlToQuery(condition)
  const found = database.prepare(`SELECT count(*) AS n FROM subscriptions WHERE ${sql}`)
  return found.get(...(params as number[]))?.['n'] === 1
}

it('the filters have the meaning of the predicates, for every generated row [BILL-38 MUSEUM-46]', () => {
  const now = new Date(NOW)
  const seen = new Set<string>()
  fc.assert(
    fc.property(anyState, (state) => {
      const { granting, reason } = grantOf(state, now)
      seen.add(reason)
      expect(holds(isGranting(now), state)).toBe(granting)
      expect(holds(isChargeable(), state)).toBe(canCharge(state))
      expect(holds(isSweepable(), state)).toBe(isDunningSweepable(state))
    }),
    { numRuns: 5_000, seed: 20_261_130 }
  )
  expect(seen.size).toBe(10)
})
