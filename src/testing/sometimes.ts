/** What a run of tests has reached, and how often. */
export type Reached = Readonly<Record<string, number>>

/** Counts rare states, to show that tests really get there. */
export interface Sometimes {
  /** Notes that this was reached. A name that was not announced is a mistake. */
  (name: string): void
  /** How often each was reached, those that never were included. */
  counts(): Reached
}

/**
 * A registry of states that a run of tests must reach some time: a race that never came about shows
 * nothing.
 *
 * @example
 * ```ts
 * const sometimes = createSometimes(['a late write met a fence'])
 * if (fenced) sometimes('a late write met a fence')
 * expect(neverReached(sometimes.counts())).toEqual([])
 * ```
 */
export function createSometimes(names: readonly string[]): Sometimes {
  const counts = new Map(names.map((name) => [name, 0]))
  const sometimes = (name: string) => {
    const count = counts.get(name)
    if (count === undefined) throw new Error(`"${name}" was not announced.`)
    counts.set(name, count + 1)
  }
  return Object.assign(sometimes, { counts: () => Object.fromEntries(counts) })
}

/** Adds up what several runs have reached. */
export function addReached(all: readonly Reached[]): Reached {
  const sum: Record<string, number> = {}
  for (const counts of all) {
    for (const [name, count] of Object.entries(counts)) sum[name] = (sum[name] ?? 0) + count
  }
  return sum
}

/** What was announced and never reached. */
export function neverReached(counts: Reached): readonly string[] {
  return Object.entries(counts).flatMap(([name, count]) => (count === 0 ? [name] : []))
}
