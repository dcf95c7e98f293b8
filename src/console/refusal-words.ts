import type { RefusalCode, Result } from '../base/result.ts'
import type { TextKey } from './texts/en.ts'
import { afterAct, withOutcome, type Visit } from './visit.ts'

/** The texts of refusals, by their code. */
export type RefusalTexts = Partial<Record<RefusalCode, TextKey>>

/**
 * Answers a form as `afterAct` does. A refusal for which `texts` has a text is shown by it, because it says
 * here what the person can do.
 */
export function afterActWith(
  c: Visit,
  texts: RefusalTexts,
  result: Result<unknown>,
  to: string,
  done: TextKey
): Response {
  const key = result.ok ? undefined : texts[result.error.code]
  if (key === undefined) return afterAct(c, result, to, done)
  return withOutcome(c, { kind: 'wrong', key }, to)
}
