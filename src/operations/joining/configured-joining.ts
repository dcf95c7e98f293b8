import type { JoinRules, JoiningContext } from './join-rules.ts'

/**
 * The rules of joining.
 *
 * @throws {TypeError} if the host has configured none.
 */
export function configured({ joining }: Pick<JoiningContext, 'joining'>): JoinRules {
  if (joining === null) throw new TypeError('Joining needs joining in createSeatgate: joinRules().')
  return joining
}
