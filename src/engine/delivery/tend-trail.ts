/**
 * Serves the consumers of the trails, within the limits of one invocation of a Worker: six connections may
 * wait for an answer at a time, and a thousand requests may be made. Requests beyond that wait or fail
 * without a fault of the sink.
 *
 * @module
 */
import { budgeted } from '../../database/statement-budget.ts'
import type { DatabaseContext } from '../../database/database.ts'
import type { Runtime } from '../../base/runtime.ts'
import type {
  ConsumerContext,
  ConsumerTraits,
  Invocation,
  TrailConsumer,
} from '../audit/consumers.ts'

/** The context of serving the consumers of a trail. */
export interface TendContext extends Runtime, DatabaseContext, ConsumerContext {}

/**
 * Serves the consumers of an organization's trail: forwards its events to each sink, and seals them, for
 * some seconds at most. Returns after how many seconds to call again (0: there is more), or null if there
 * is no more to do now; the sweep continues with what is not due yet. Calls with the same `invocation`
 * share its limits. A failure of one consumer does not stop the others.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * await tendOrganization(seatgate, organizationId)
 * ```
 */
export async function tendOrganization(
  unbudgeted: TendContext,
  organizationId: string,
  invocation = newInvocation()
): Promise<number | null> {
  const context = budgeted(unbudgeted)
  const others = context.consumers.filter((consumer) => !hasCursor(consumer))
  const runs = await Promise.allSettled([
    forwardOrganization(context, organizationId, invocation),
    ...others.map((consumer) => consumer.run(context, organizationId, invocation)),
  ])
  return soonest(
    runs.map((run) => {
      if (run.status === 'rejected') throw run.reason
      return run.value
    })
  )
}

/**
 * Forwards new events of an organization, as {@link tendOrganization} does, without sealing them.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * const seconds = await forwardOrganization(seatgate, organizationId)
 * ```
 */
export async function forwardOrganization(
  unbudgeted: TendContext,
  organizationId: string,
  invocation = newInvocation()
): Promise<number | null> {
  const context = budgeted(unbudgeted)
  const waits = await Promise.all(
    context.consumers
      .filter(hasCursor)
      .map((consumer) => consumer.run(context, organizationId, invocation))
  )
  return soonest(waits)
}

const hasCursor = ({ progress }: TrailConsumer) => progress === 'cursor'

function soonest(waits: readonly (number | null)[]): number | null {
  const due = waits.filter((seconds) => seconds !== null)
  return due.length > 0 ? Math.min(...due) : null
}

/** Returns how many statements serving an organization with few events sends to D1 at most. */
export function statementsToTend({ consumers }: Pick<TendContext, 'consumers'>): number {
  return consumers.reduce((sum, { statements }) => sum + statements, 0)
}

// One of the six is left to D1, which has to answer in between.
const CONNECTIONS = 5
// Half of the thousand is left to D1, the ledger and the seals.
const DELIVERIES = 500

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
  { consumers }: { readonly consumers: readonly Pick<ConsumerTraits, 'internal'>[] },
  waiting: readonly T[],
  serve: (next: T) => Promise<void>
): Promise<void> {
  const each = consumers.filter(({ internal }) => !internal).length
  const lanes = Math.max(1, Math.floor(CONNECTIONS / Math.max(1, each)))
  // All lanes take from one iterator.
  const line = waiting.values()
  const lane = async () => {
    for (const next of line) await serve(next)
  }
  await Promise.all(Array.from({ length: lanes }, lane))
}
