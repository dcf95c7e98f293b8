import { groupOf, wholeNumber, type Rules } from './option-group.ts'

/** The stored results of requests with an `Idempotency-Key`. */
export interface IdempotencyOptions {
  /**
   * For how many days a result is stored, or `Infinity`. After that a repeat is a new operation. Needs
   * `sweepHandler`. Default 90.
   */
  readonly retentionDays?: number
}

const [must, isDays] = wholeNumber(1)
const RULES: Rules<IdempotencyOptions> = {
  retentionDays: [`${must}, or Infinity`, (days) => days === Infinity || isDays(days, '')],
}

/** @throws {TypeError} if one of the options is invalid. */
export function checkedIdempotency(options: IdempotencyOptions | undefined): number {
  return groupOf('idempotency', options, RULES).retentionDays ?? 90
}
