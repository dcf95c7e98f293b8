/** The form of an `Idempotency-Key`. */
export const IDEMPOTENCY_KEY: RegExp = /^[\x21-\x7e]{1,255}$/
