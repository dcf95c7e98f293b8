import { billing } from './cases/billing.ts'
import { failure } from './cases/failure.ts'
import { lastSeat } from './cases/last-seat.ts'
import { owners } from './cases/owners.ts'
import { whatHolds } from './cases/what-holds.ts'
import { type Case, type Driver } from './driver.ts'

/** All thirty of the museum, in its order. */
export const CASES: readonly Case[] = [...lastSeat, ...whatHolds, ...billing, ...owners, ...failure]

/** Why a case cannot be asked of a product; null if it can. */
export function notApplicable({ needs = [] }: Case, { lacks }: Driver): string | null {
  return needs.map((ability) => lacks[ability]).find((reason) => reason !== undefined) ?? null
}
