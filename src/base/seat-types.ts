/**
 * Types of seats: each is a pool of its own in an organization. The id of a seat has its type, so that a
 * seat never changes it; one without a type is of the default type.
 *
 * @module
 */

/** A configured type of seats. */
export interface SeatTypeRules {
  /** The roles whose members take a seat of this type. */
  readonly roles: readonly string[]
  /** The limit of an organization whose plan does not name the type. */
  readonly defaultLimit: number | 'unlimited'
}

/** The configured types, by name. */
export type SeatTypes = ReadonlyMap<string, SeatTypeRules>

/** The name of a type; null is the default one. */
export type SeatType = string | null

/** The limits of types, by name. */
export type SeatTypeLimits = Readonly<Record<string, number | 'unlimited'>>

/** The context of a function that decides on types. */
export interface SeatTypeContext {
  readonly seatTypes: SeatTypes
}

const MARK = '~'
const TYPED = /^~([a-z][a-z0-9_]*)\//
// Separates the organization and the type in the name of a pool.
const SEATS_POOL = '~seats/'

/** The form of a name. */
export const SEAT_TYPE_NAME = /^[a-z][a-z0-9_]{0,30}$/

/** Returns the type of the seat that a role takes. */
export function typeOfRole({ seatTypes }: SeatTypeContext, role: string): SeatType {
  for (const [name, { roles }] of seatTypes) if (roles.includes(role)) return name
  return null
}

/** Returns the type that a seat has. */
export function typeOfSeat(seatId: string): SeatType {
  return TYPED.exec(seatId)?.[1] ?? null
}

/** Returns the id of a seat of a type. */
export function seatIdOf(type: SeatType, id: string): string {
  return type === null ? id : `${MARK}${type}/${id}`
}

/**
 * Returns the holder of an invitation's seat. Invitations never share a holder, even for the same
 * address.
 */
export function invitationHolder(seatId: string): string {
  return `invitation:${seatId}`
}

/** Returns the name of a pool, under which its ledger is known; that of the default type is the organization's id. */
export function poolOf(organizationId: string, type: SeatType): string {
  return type === null ? organizationId : `${organizationId}${SEATS_POOL}${type}`
}

/** Returns the organization and the type of a pool. */
export function readPool(pool: string): {
  readonly organizationId: string
  readonly type: SeatType
} {
  const at = pool.lastIndexOf(SEATS_POOL)
  if (at === -1) return { organizationId: pool, type: null }
  return { organizationId: pool.slice(0, at), type: pool.slice(at + SEATS_POOL.length) }
}

/** Returns the place of a type in the configuration, from 1, as a guard names it; 0: the default type. */
function placeOfType({ seatTypes }: SeatTypeContext, type: SeatType): number {
  return type === null ? 0 : [...seatTypes.keys()].indexOf(type) + 1
}

/** Returns the end of a guard's code, which names the type of the seat. */
export function typeInCode(context: SeatTypeContext, type: SeatType): string {
  return type === null ? '' : `:${placeOfType(context, type)}`
}

/** Returns the type at a place of the configuration. */
export function typeAtPlace({ seatTypes }: SeatTypeContext, place: number): SeatType {
  return [...seatTypes.keys()][place - 1] ?? null
}
