/** The longest time between two attempts. */
export const LONGEST_SECONDS = 12 * 60 * 60

/**
 * How long to wait after so many failures in a row: 1 s, doubling, at most 12 h, up to a quarter more
 * so that many sinks do not come back at once.
 */
export function backoffSeconds(attempts: number, random: () => number): number {
  const seconds = Math.min(2 ** (attempts - 1), LONGEST_SECONDS)
  return seconds * (1 + random() / 4)
}
