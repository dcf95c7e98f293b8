import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { CASES } from '../scoreboard/cases.ts'
import { naiveDriver } from './driver.ts'

/** What goes wrong in it, case by case: none may fail for another reason than its own. */
const WHY: Record<string, RegExp> = {
  'MUSEUM-01': /^4 seats are taken of 3 /,
  'MUSEUM-02': /^a door into a full organization answers ok$/,
  'MUSEUM-03': /^the invitee of a full organization is answered full$/,
  'MUSEUM-04': /^0 of three invitees get in$/,
  'MUSEUM-05': /^one member and one invitee use 3 seats$/,
  'MUSEUM-06': /^accepting twice makes 2 memberships /,
  'MUSEUM-07': /^the limit fell to 4 with 4 seats used, and now there are 5 /,
  'MUSEUM-08': /^5 seats of 4, and over the limit: false /,
  'MUSEUM-09': /^one person has 2 memberships /,
  'MUSEUM-10': /^9 of ten crash$/,
  'MUSEUM-11': /^the late removal takes out somebody else$/,
  'MUSEUM-12': /^after it expired one more is answered full$/,
  'MUSEUM-13': /^restoring into a full organization is ok$/,
  'MUSEUM-14': /^a limit of 0 lets a second member in$/,
  'MUSEUM-15': /^of three members 1 are listed$/,
  'MUSEUM-16': /^a failed check lets somebody in /,
  'MUSEUM-17': /^the refusal leaves 2 members and 1 invitations where 2 members and 0 /,
  'MUSEUM-18': /^20 seats were bought, and 10 are on record /,
  'MUSEUM-19': /^a refusal says 3 of 2, the display 3 of 3$/,
  'MUSEUM-20': /^restoring into a full organization is ok$/,
  'MUSEUM-21': /^another role for an invitee is answered full$/,
  'MUSEUM-22': /^two owners who act at once are answered ok and ok: no owner is left /,
  'MUSEUM-23': /^of ten owners who all leave 0 are left$/,
  'MUSEUM-24': /^two owners who act at once are answered ok and ok: no owner is left /,
  'MUSEUM-25': /^the last who can act is answered ok$/,
  'MUSEUM-26': /^the only owner who leaves is answered ok$/,
  'MUSEUM-27': /^two transfers at once leave 2 owners /,
  'MUSEUM-28': /^two owners who act at once are answered ok and ok: no owner is left /,
  'MUSEUM-29': /^after a second attempt there are 2 memberships /,
  'MUSEUM-30': /^growth without a seat store is ok$/,
}

beforeAll(() => naiveDriver.prepare())

afterEach(() => {
  vi.useRealTimers()
})

describe('every case can fail: count, then insert, fails each', () => {
  for (const { id, title, run } of CASES) {
    it(`${id}: ${title}`, async () => {
      await expect(run(naiveDriver)).rejects.toThrow(WHY[id] ?? /^$/)
    })
  }
})
