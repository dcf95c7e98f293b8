import { describe, expect, it } from 'vitest'
import { KEY_CASES } from '../museum/keys-cases.ts'
import { openNaiveKeys } from './keys.ts'

/** What goes wrong in it, case by case: none may fail for another reason than its own. */
const WHY: Record<string, RegExp> = {
  'MUSEUM-56': /^the key of a deprovisioned member works on$/,
}

describe('every case of API keys can fail: keys that do not know their creator fail each', () => {
  for (const { id, title, run } of KEY_CASES) {
    it(`${id}: ${title}`, async () => {
      await expect(run(openNaiveKeys())).rejects.toThrow(WHY[id] ?? /^$/)
    })
  }
})
