import { describe, expect, it } from 'vitest'
import { BILLING_CASES } from './billing-cases.ts'
import { openConnected } from './billing-product.ts'

describe('the bug museum of billing, with a connected Seatgate', () => {
  for (const { id, title, run } of BILLING_CASES) {
    it(`${title} [${id}]`, async () => {
      await expect(run(openConnected())).resolves.toBeUndefined()
    })
  }
})
