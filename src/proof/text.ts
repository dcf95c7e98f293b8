/**
 * Text that is stored or hashed. A half of a surrogate pair has no UTF-8: a store and a hash would each
 * make something else of it.
 *
 * @module
 */

/** Whether a text has no half of a surrogate pair, so that its UTF-8 is the same text. */
export function isWellFormed(text: string): boolean {
  return text.isWellFormed()
}

/**
 * Cuts a text to at most so many code points, and replaces each half of a surrogate pair by U+FFFD. Use
 * it for every text that is shortened before it is stored or hashed.
 *
 * @example
 * ```ts
 * shortened('💺💺💺', 2) // '💺💺'
 * ```
 */
export function shortened(text: string, most: number): string {
  // So many code points are at most twice as many units.
  const points = Array.from(text.slice(0, most * 2)).slice(0, most)
  return points.join('').toWellFormed()
}
