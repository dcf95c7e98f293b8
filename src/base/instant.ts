import * as v from 'valibot'

const MESSAGE = 'Must be a time as in RFC 3339, such as 2026-06-30T23:59:59Z.'

/**
 * A time in an input: an RFC 3339 date-time with seconds and a zone, or a `Date`. Refuses a day that does
 * not exist, a leap second, a date without a time, and a number.
 */
export const Instant = v.pipe(
  v.union([v.string(), v.date()], MESSAGE),
  v.transform((value) => (typeof value === 'string' ? readInstant(value) : inRange(value))),
  v.date(MESSAGE)
)

const DATE_TIME =
  /^(\d{4})-(\d\d)-(\d\d)T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/

/** Parses an RFC 3339 date-time. Returns null for other text. */
function readInstant(text: string): Date | null {
  const [, year, month, day] = DATE_TIME.exec(text.toUpperCase()) ?? []
  if (year === undefined || !isDay(Number(year), Number(month), Number(day))) return null
  return inRange(new Date(text.toUpperCase()))
}

// `Date` reads 31 February as 3 March.
function isDay(year: number, month: number, day: number): boolean {
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  const days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 0
  return day >= 1 && day <= days
}

// Some queries compare times as text, which is only right while a year has four digits.
function inRange(date: Date): Date | null {
  const time = date.getTime()
  return time >= Date.UTC(1970, 0) && time < Date.UTC(10_000, 0) ? date : null
}
