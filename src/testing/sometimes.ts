/** How often a run of tests reached each state. */
export type Reached = Readonly<Record<string, number>>

/** Counts rare states, to show that tests really get there. */
export interface Sometimes {
  /** Records that a state was reached. A name that was not announced is a mistake. */
  (name: string): void
  /** Returns how often each state was reached, including those that never were. */
  counts(): Reached
}

/**
 * Creates a registry of states that a run of tests must reach at some time: tests prove little about a
 * race that did not occur.
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

/** Adds up the counts of several runs. */
export function addReached(all: readonly Reached[]): Reached {
  const sum: Record<string, number> = {}
  for (const counts of all) {
    for (const [name, count] of Object.entries(counts)) sum[name] = (sum[name] ?? 0) + count
  }
  return sum
}

/** Returns the announced states that were never reached. */
export function neverReached(counts: Reached): readonly string[] {
  return Object.entries(counts).flatMap(([name, count]) => (count === 0 ? [name] : []))
}
