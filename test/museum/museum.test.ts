import { afterEach, describe, expect, it, vi } from 'vitest'
import { CASES, notApplicable } from '../scoreboard/cases.ts'
import { seatgateDriver } from '../scoreboard/drivers/seatgate.ts'

const drivers = [seatgateDriver('seatgate', 'ledger'), seatgateDriver('d1-seats', 'd1')]

// A case may let time pass.
afterEach(() => {
  vi.useRealTimers()
})

describe.each(drivers)('the bug museum, with $name', (driver) => {
  for (const one of CASES) {
    if (notApplicable(one, driver) !== null) continue
    it(`${one.id}: ${one.title}`, async () => {
      await expect(one.run(driver)).resolves.toBeUndefined()
    })
  }
})
