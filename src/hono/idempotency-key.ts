/** The form of an `Idempotency-Key`: 1 to 255 visible ASCII characters. */
export const IDEMPOTENCY_KEY: RegExp = /^[\x21-\x7e]{1,255}$/
