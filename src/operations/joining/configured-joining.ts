import type { JoinRules } from './join-rules.ts'

/**
 * Returns the rules of joining. The type excludes null; a caller without types can pass it.
 *
 * @throws {TypeError} if the host has configured none.
 */
export function configured({ joining }: { readonly joining: JoinRules | null }): JoinRules {
  if (joining === null) throw new TypeError('Joining needs joining in createSeatgate: joinRules().')
  return joining
}
