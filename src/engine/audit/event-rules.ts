/** The rules of the host's own events. */
export interface EventRules {
  readonly reservedPrefixes: readonly string[]
  readonly metadataBytes: number
}

/** Prefixes of the library, which are always reserved. */
export const OWN_PREFIXES = ['organization.', 'seat.', 'audit.', 'operator.'] as const

/** Whether an action has a prefix of the library or a reserved one. */
export function isReserved({ reservedPrefixes }: EventRules, action: unknown): boolean {
  return typeof action === 'string' && reservedPrefixes.some((prefix) => action.startsWith(prefix))
}
