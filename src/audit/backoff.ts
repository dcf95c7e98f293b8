/** The longest time between two attempts, without the random extra. */
export const LONGEST_SECONDS = 12 * 60 * 60

const JITTER = 1 / 4

/** The longest time between two attempts, with all of the random extra. */
export const LONGEST_WAIT_SECONDS = LONGEST_SECONDS * (1 + JITTER)

/**
 * How long to wait after so many failures in a row: 1 s, doubling, at most 12 h, up to a quarter more
 * so that many sinks do not come back at once.
 */
export function backoffSeconds(attempts: number, random: () => number): number {
  const seconds = Math.min(2 ** (attempts - 1), LONGEST_SECONDS)
  return seconds * (1 + random() * JITTER)
}
