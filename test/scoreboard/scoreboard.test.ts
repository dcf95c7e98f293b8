import { env } from 'cloudflare:workers'
import { afterEach, beforeAll, describe, it, vi } from 'vitest'
import { naiveDriver } from '../naive/driver.ts'
import { CASES, notApplicable } from './cases.ts'
import { Failed, type Case, type Driver } from './driver.ts'
import { betterAuthDriver } from './drivers/better-auth.ts'
import { seatgateDriver } from './drivers/seatgate.ts'
import type { Outcome } from './outcome.ts'

declare module 'vitest' {
  interface TaskMeta {
    outcome?: Outcome
  }
}

const DRIVERS: readonly Driver[] = [
  seatgateDriver('seatgate', 'ledger'),
  seatgateDriver('d1-seats', 'd1'),
  naiveDriver,
  betterAuthDriver,
]

const asked = (env as unknown as { SCOREBOARD_DRIVERS: string }).SCOREBOARD_DRIVERS.split(',')

afterEach(() => {
  vi.useRealTimers()
})

for (const driver of DRIVERS.filter(({ name }) => asked.includes(name))) {
  describe(driver.name, () => {
    beforeAll(() => driver.prepare())

    for (const one of CASES) {
      it(`${one.id}: ${one.title}`, { timeout: 600_000 }, async ({ task }) => {
        const { id, title } = one
        task.meta.outcome = { driver: driver.name, id, title, ...(await play(one, driver)) }
      })
    }
  })
}

// A product that loses a case is a line of the scoreboard. A driver that breaks is a failed test.
async function play(one: Case, driver: Driver): Promise<Pick<Outcome, 'result' | 'reason'>> {
  const missing = notApplicable(one, driver)
  if (missing !== null) return { result: 'not applicable', reason: missing }
  try {
    await one.run(driver)
    return { result: 'pass', reason: '' }
  } catch (error) {
    if (!(error instanceof Failed)) throw error
    return { result: 'fail', reason: error.message }
  }
}
