import { namesOf } from '../base/names.ts'
import { groupOf, wrong } from './option-group.ts'

/** The stored results of requests with an `Idempotency-Key`. */
export interface IdempotencyOptions {
  /**
   * For how many days a result is stored, or `Infinity`. After that a repeat is a new operation. Needs
   * `sweepHandler`. Default 90.
   */
  readonly retentionDays?: number
}

const NAMES = namesOf<IdempotencyOptions>({ retentionDays: true })

/** @throws {TypeError} if one of the options is invalid. */
export function checkedIdempotency(options: IdempotencyOptions | undefined): number {
  const { retentionDays: days = 90 } = groupOf('idempotency', options, NAMES)
  if (days === Infinity || (Number.isInteger(days) && days >= 1)) return days
  throw wrong('idempotency.retentionDays must be a whole number from 1, or Infinity.')
}
