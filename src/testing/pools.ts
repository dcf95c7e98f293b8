/** A type of seats, as in `seatTypes` of the host's `roles`. */
export interface CheckedSeatType {
  readonly roles: readonly string[]
  /** Default `"unlimited"`. */
  readonly defaultLimit?: number | 'unlimited' | undefined
}

/** The types of seats of the host, by name: what it passes to `seatTypes()`. */
export type CheckedSeatTypes = Readonly<Record<string, CheckedSeatType>>

/** The name of a type; null is the default one. */
export type PoolType = string | null

/** The row of an entitlement. */
export interface EntitlementState {
  readonly version: number
  readonly limit_kind: string
  readonly limit_seats: number | null
  /** The limits of the types of seats, as JSON; null or left out: those of the configuration. */
  readonly type_limits?: string | null
}

/** Returns the types that have a pool of their own, with the default one first. */
export function poolTypes(seatTypes: CheckedSeatTypes = {}): readonly PoolType[] {
  return [null, ...Object.keys(seatTypes)]
}

/** Returns the name of the ledger of a type. */
export function ledgerName(organizationId: string, type: PoolType): string {
  return type === null ? organizationId : `${organizationId}~seats/${type}`
}

/** Returns the type of a seat: its id says it. */
export function typeOfSeat(seatId: string): PoolType {
  return /^~([a-z]\w*)\//.exec(seatId)?.[1] ?? null
}

/** Returns the type of the seat that a role takes. */
export function typeOfRole(seatTypes: CheckedSeatTypes = {}, role: string): PoolType {
  const found = Object.entries(seatTypes).find(([, { roles }]) => roles.includes(role))
  return found?.[0] ?? null
}

/** Returns the limit of a type; undefined where only the host knows it. */
export function limitOf(
  entitlement: EntitlementState | null,
  type: PoolType,
  seatTypes: CheckedSeatTypes = {},
  defaultLimit?: number | 'unlimited'
): number | undefined {
  const asNumber = (limit: number | 'unlimited') => (limit === 'unlimited' ? Infinity : limit)
  if (type === null) {
    if (entitlement !== null) return entitlement.limit_seats ?? Infinity
    return defaultLimit === undefined ? undefined : asNumber(defaultLimit)
  }
  const bought = JSON.parse(entitlement?.type_limits ?? '{}') as Record<
    string,
    number | 'unlimited'
  >
  return asNumber(bought[type] ?? seatTypes[type]?.defaultLimit ?? 'unlimited')
}
