import { describe, expect, it } from 'vitest'
import { SCIM_CASES } from '../museum/scim-cases.ts'
import { openNaiveScim } from './scim.ts'

/** What goes wrong in it, case by case: none may fail for another reason than its own. */
const WHY: Record<string, RegExp> = {
  'MUSEUM-49': /^after a deactivation 2 are in$/,
  'MUSEUM-50': /^after \{"op":"Replace","path":"active","value":"False"\} 2 are in$/,
  'MUSEUM-51': /^without a seat it is 400, and 2 are in$/,
  'MUSEUM-52': /^after an addition 1 are in$/,
  'MUSEUM-53': /^a repeat is 201$/,
  'MUSEUM-54': /^the id of the client is taken$/,
  'MUSEUM-55': /^of 2 members 1 are left$/,
  'MUSEUM-57': /^a filter that matches no user is 404$/,
}

describe('every case of SCIM can fail: the body as the row fails each', () => {
  for (const { id, title, run } of SCIM_CASES) {
    it(`${id}: ${title}`, async () => {
      await expect(run(openNaiveScim())).rejects.toThrow(WHY[id] ?? /^$/)
    })
  }
})
