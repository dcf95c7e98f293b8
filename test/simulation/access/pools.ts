/**
 * The pools of an organization: its own, and one for each further type of seats. A ledger has the name of
 * its pool, and the id of a seat says its type.
 *
 * @module
 */

/** A further type; null is the default one. */
export type SeatType = string | null

const TYPED = /^~(\w+)\//
const OF_TYPE = '~seats/'

export const typeOfSeat = (seatId: string): SeatType => TYPED.exec(seatId)?.[1] ?? null

export const poolOf = (organizationId: string, type: SeatType) =>
  type === null ? organizationId : `${organizationId}${OF_TYPE}${type}`

/** Which organization a pool is of, and which type its seats have. */
export function readPool(pool: string) {
  const [organizationId = '', type = null] = pool.split(OF_TYPE)
  return { organizationId, type }
}
