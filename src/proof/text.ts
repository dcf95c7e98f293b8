/**
 * Text that is stored or hashed. Half of a surrogate pair has no UTF-8, and a store and a hash would each
 * replace it differently.
 *
 * @module
 */

/** Whether a text has no half of a surrogate pair, so that it survives UTF-8. */
export function isWellFormed(text: string): boolean {
  return text.isWellFormed()
}

/**
 * Cuts a text to a number of code points, and replaces each half of a surrogate pair by U+FFFD. Use it
 * for every text that is shortened before it is stored or hashed.
 *
 * @example
 * ```ts
 * shortened('💺💺💺', 2) // '💺💺'
 * ```
 */
export function shortened(text: string, most: number): string {
  // A code point has at most two code units.
  const points = Array.from(text.slice(0, most * 2)).slice(0, most)
  return points.join('').toWellFormed()
}
