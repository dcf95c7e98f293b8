import type { DeliveryContext } from './deliver.ts'
/**
 * The limits of one invocation of a Worker: six connections may wait for an answer at a time, and a
 * thousand requests may be made. Requests beyond that wait or fail without a fault of the sink.
 *
 * @module
 */

// One of the six is left to D1, which has to answer in between.
const CONNECTIONS = 5
// Half of the thousand is left to D1, the ledger and the seals.
const DELIVERIES = 500

/** An invocation whose limits the runs of several organizations share. */
export interface Invocation {
  /** Whether one more delivery may be attempted; the call counts it. */
  mayDeliver(): boolean
}

/** Creates an invocation without deliveries. */
export function newInvocation(): Invocation {
  let deliveries = 0
  return { mayDeliver: () => deliveries++ < DELIVERIES }
}

/**
 * Serves the entries in order, and as many at a time as there are connections for all of their sinks: a
 * sink that does not answer blocks only its own connection.
 */
export async function serveSideBySide<T>(
  { sinks }: Pick<DeliveryContext, 'sinks'>,
  waiting: readonly T[],
  serve: (next: T) => Promise<void>
): Promise<void> {
  const each = sinks.filter(({ internal }) => internal !== true).length
  const lanes = Math.max(1, Math.floor(CONNECTIONS / Math.max(1, each)))
  // All lanes take from one iterator.
  const line = waiting.values()
  const lane = async () => {
    for (const next of line) await serve(next)
  }
  await Promise.all(Array.from({ length: lanes }, lane))
}
