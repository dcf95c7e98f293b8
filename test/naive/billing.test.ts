import { describe, expect, it } from 'vitest'
import { BILLING_CASES } from '../museum/billing-cases.ts'
import { openNaiveBilling } from './billing.ts'

/** What goes wrong in it, case by case: none may fail for another reason than its own. */
const WHY: Record<string, RegExp> = {
  'MUSEUM-31': /^four members are previewed as 1$/,
  'MUSEUM-32': /^two members are billed as 1$/,
  'MUSEUM-33': /^11900 is shown as 10000$/,
  'MUSEUM-34': /^two seats in use are billed as 1$/,
  'MUSEUM-35': /^a flat plan is billed 4 times$/,
  'MUSEUM-36': /^what cancels out makes 26 updates$/,
  'MUSEUM-37': /^a yearly price without a choice starts$/,
  'MUSEUM-38': /^two seats are previewed as 3$/,
  'MUSEUM-39': /^webhooks make \d+ updates of their own$/,
  'MUSEUM-40': /^who has paid is incomplete$/,
  'MUSEUM-41': /^2 subscriptions are billed$/,
  'MUSEUM-42': /^who has paid is past_due$/,
  'MUSEUM-43': /^a recovery is told 2 times$/,
  'MUSEUM-44': /^the subscription of a deleted organization is active$/,
  'MUSEUM-45': /^of a deleted organization one that was trialing is trialing$/,
  'MUSEUM-46': /^adding is false, inviting is true$/,
  'MUSEUM-47': /^six seats that are paid are 3$/,
  'MUSEUM-48': /^a deleted organization counts as 1 subscribers$/,
}

describe('every case of billing can fail: the payload as the state fails each', () => {
  for (const { id, title, run } of BILLING_CASES) {
    it(`${id}: ${title}`, async () => {
      await expect(run(openNaiveBilling())).rejects.toThrow(WHY[id] ?? /^$/)
    })
  }
})
