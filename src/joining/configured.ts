import type { Seatgate } from '../seatgate.ts'
import type { JoinRules } from './rules.ts'

/**
 * The rules of joining.
 *
 * @throws {TypeError} if the host has configured none.
 */
export function configured({ joining }: Seatgate): JoinRules {
  if (joining === null) throw new TypeError('Joining needs joining in createSeatgate: joinRules().')
  return joining
}
