import { afterEach, describe, expect, it, vi } from 'vitest'
import { CASES, notApplicable } from '../scoreboard/cases.ts'
import type { Driver } from '../scoreboard/driver.ts'
import { THOROUGH } from '../kit/index.ts'

/** Cases of many rounds. A share leaves them out: the races in test/workers have the same at a smaller size. */
const LONG = ['01', '07', '08', '09', '22', '24', '27', '28', '29'].map(
  (number) => `MUSEUM-${number}`
)

/** Every case of the museum that a driver can be asked, as a test of its own. */
export function describeMuseum(driver: Driver): void {
  // A case may let time pass.
  afterEach(() => {
    vi.useRealTimers()
  })

  describe(`the bug museum, with ${driver.name}`, () => {
    for (const one of CASES) {
      if (notApplicable(one, driver) !== null) continue
      if (!THOROUGH && LONG.includes(one.id)) continue
      it(`${one.title} [${one.id}]`, async () => {
        await expect(one.run(driver)).resolves.toBeUndefined()
      })
    }
  })
}
