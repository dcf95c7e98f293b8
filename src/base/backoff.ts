const LONGEST_BACKOFF_SECONDS = 12 * 60 * 60
const JITTER = 1 / 4

/** The longest time between two attempts: what a sink can ask for, which is more than any backoff. */
export const LONGEST_WAIT_SECONDS = 24 * 60 * 60

/**
 * How long to wait after so many failures in a row: 1 s, doubling, at most 12 h, up to a quarter more
 * so that many sinks do not come back at once.
 */
export function backoffSeconds(attempts: number, random: () => number): number {
  const seconds = Math.min(2 ** (attempts - 1), LONGEST_BACKOFF_SECONDS)
  return seconds * (1 + random() * JITTER)
}

/** How long a sink asked to be left alone, in so far as it makes sense: a day at most. */
export function patienceSeconds(asked: unknown): number {
  return typeof asked === 'number' && asked > 0 ? Math.min(asked, LONGEST_WAIT_SECONDS) : 0
}
