/**
 * How much is run of what takes long: see `SCALE` in `vitest.config.ts`.
 *
 * @module
 */
import { inject } from 'vitest'

declare module 'vitest' {
  interface ProvidedContext {
    readonly scale: 'share' | 'thorough' | 'whole'
  }
}

const SCALE = inject('scale')

/** Whether the run is `npm run scale`. */
export const WHOLE = SCALE === 'whole'

/** Whether the run is more than `npm test`. */
export const THOROUGH = SCALE !== 'share'

/** Returns what the run takes of the sizes of a race, a fuzz or a table. */
export function atScale<T>(size: {
  readonly share: T
  readonly thorough: T
  readonly whole?: T
}): T {
  return SCALE === 'whole' && size.whole !== undefined
    ? size.whole
    : size[THOROUGH ? 'thorough' : 'share']
}

/** Returns all rows of a table, or with `npm test` so many, spread over the table. */
export function shareOf<T>(rows: readonly T[], count: number): readonly T[] {
  if (THOROUGH || rows.length <= count) return rows
  return Array.from(
    { length: count },
    (_, index) => rows[Math.floor((index * rows.length) / count)]!
  )
}
