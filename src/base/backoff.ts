const LONGEST_BACKOFF_SECONDS = 12 * 60 * 60
const JITTER = 1 / 4

/** The longest time between two attempts. A sink can ask for it; no backoff is as long. */
export const LONGEST_WAIT_SECONDS = 24 * 60 * 60

/**
 * Returns how long to wait after a number of failures in a row: 1 s, doubling, at most 12 h, and up to a
 * quarter more so that many sinks do not return at once.
 */
export function backoffSeconds(attempts: number, random: () => number): number {
  const seconds = Math.min(2 ** (attempts - 1), LONGEST_BACKOFF_SECONDS)
  return seconds * (1 + random() * JITTER)
}

/**
 * Returns for how long a sink asked not to be called, at most a day; 0 for a value that is not a positive
 * number.
 */
export function patienceSeconds(asked: unknown): number {
  return typeof asked === 'number' && asked > 0 ? Math.min(asked, LONGEST_WAIT_SECONDS) : 0
}
