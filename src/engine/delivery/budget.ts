import type { DeliveryContext } from './deliver.ts'
/**
 * What one invocation of a Worker may ask of others: six connections wait for an answer at a time, and a
 * thousand requests are made in all. What goes beyond waits or fails, and no sink is to blame for it.
 *
 * @module
 */

// One of the six is left to D1, which has to answer in between.
const CONNECTIONS = 5
// Half of the thousand is left to D1, the ledger and the seals.
const DELIVERIES = 500

/** The invocation that runs of several organizations share. */
export interface Invocation {
  /** Whether one delivery more may be attempted, which is counted with that. */
  mayDeliver(): boolean
}

/** An invocation that has delivered nothing yet. */
export function newInvocation(): Invocation {
  let deliveries = 0
  return { mayDeliver: () => deliveries++ < DELIVERIES }
}

/**
 * Serves one after the other, and side by side as many as there are connections for all of their sinks:
 * a sink that does not answer holds one of them and nobody else's.
 */
export async function serveSideBySide<T>(
  { sinks }: Pick<DeliveryContext, 'sinks'>,
  waiting: readonly T[],
  serve: (next: T) => Promise<void>
): Promise<void> {
  const each = sinks.filter(({ internal }) => internal !== true).length
  const lanes = Math.max(1, Math.floor(CONNECTIONS / Math.max(1, each)))
  // All lanes take from one line.
  const line = waiting.values()
  const lane = async () => {
    for (const next of line) await serve(next)
  }
  await Promise.all(Array.from({ length: lanes }, lane))
}
