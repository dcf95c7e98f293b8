import * as v from 'valibot'

/** The range of a number. */
export interface Range {
  readonly min: number
  readonly max?: number
}

/**
 * A whole number of a query: decimal digits only, so that `0x5`, `1e1` and `+5` are refused. A caller of
 * the function may pass a number too.
 */
export function wholeNumber(range: Range) {
  const message = rangeMessage(range)
  return v.pipe(
    v.union([v.string(), v.number()], message),
    v.transform((value) => numberIn(value, range)),
    v.number(message)
  )
}

/** A whole number of a JSON body; a string of digits is refused. */
export function jsonNumber(range: Range) {
  const message = rangeMessage(range)
  return v.pipe(
    v.number('Must be a number.'),
    v.transform((value) => numberIn(value, range)),
    v.number(message)
  )
}

function numberIn(value: string | number, { min, max = Number.MAX_SAFE_INTEGER }: Range) {
  const read = typeof value === 'number' || /^[0-9]{1,16}$/.test(value) ? Number(value) : NaN
  return Number.isSafeInteger(read) && read >= min && read <= max ? read : NaN
}

function rangeMessage({ min, max }: Range): string {
  return max === undefined
    ? `Must be a whole number from ${min}.`
    : `Must be a whole number from ${min} to ${max}.`
}
