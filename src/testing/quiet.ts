import { promisedSeats } from './seats.ts'
import { organizationsIn, readStored, type LedgerState } from './state.ts'
import type { QueuedWakeUp, TestRuntime } from './test-runtime.ts'

/** The stores of a test, and how its work is done. */
export interface QuietOptions {
  /** The D1 database: `env.DB`. */
  readonly database: D1Database
  /** `auditQueueHandler(seatgate)`. */
  readonly queue?: (batch: MessageBatch) => Promise<void>
  /** `sweepHandler(seatgate)`. */
  readonly sweep: () => Promise<void>
  /** Reads a ledger, with `readLedger`. Leave it out if seats are counted in D1 only. */
  readonly ledger?: (organizationId: string) => Promise<LedgerState | null>
}

const MOST_ROUNDS = 50

/**
 * Works until there is no work: waits for the work after the answers, delivers the wake-ups, and sweeps,
 * until the queue is empty, no job is due and no seat of a ledger is only reserved by an operation. A job
 * that is due later stays: move the clock, and call it again.
 *
 * @throws {Error} with the work that is left, if it does not end after 50 rounds.
 *
 * @example
 * ```ts
 * await quiet(test, {
 *   database: env.DB,
 *   queue: auditQueueHandler(seatgate),
 *   sweep: sweepHandler(seatgate),
 * })
 * ```
 */
export async function quiet(test: TestRuntime, options: QuietOptions): Promise<void> {
  let left: readonly string[] = []
  for (let round = 0; round < MOST_ROUNDS; round++) {
    await test.settled()
    await deliver(test, options)
    await test.settled()
    await options.sweep()
    await test.settled()
    left = await workLeft(test, options)
    if (left.length === 0) return
  }
  throw new Error(`There is work left after ${MOST_ROUNDS} rounds:\n- ${left.join('\n- ')}`)
}

async function deliver(test: TestRuntime, { queue }: QuietOptions): Promise<void> {
  const bodies = test.wakeUps.splice(0)
  if (queue === undefined) return
  for (const body of bodies) await queue(batchOf(body, test.clock.now()))
}

// A message that is retried is for a sink that failed: the sweep wakes it once the test has moved the clock.
function batchOf(body: QueuedWakeUp, timestamp: Date): MessageBatch {
  const message = {
    id: `wake-up-${body.organizationId}`,
    timestamp,
    body,
    attempts: 1,
    ack: () => {},
    retry: () => {},
  }
  return {
    queue: 'test',
    messages: [message],
    ackAll: () => {},
    retryAll: () => {},
    metadata: { metrics: { backlogCount: 0, backlogBytes: 0 } },
  }
}

async function workLeft(
  { wakeUps, clock }: TestRuntime,
  { database, ledger }: QuietOptions
): Promise<readonly string[]> {
  const { results: jobs } = await database
    .prepare('SELECT kind, organization_id FROM seatgate_jobs WHERE due_at <= ?1')
    .bind(clock.now().getTime())
    .all<{ kind: string; organization_id: string }>()
  const places = ledger === undefined ? [] : await organizationsIn(database)
  const reserved = await Promise.all(
    places.map(async (id) => {
      const promised = new Set(promisedSeats(await readStored(database, id, clock.now())))
      const seats = (await ledger?.(id))?.seats ?? []
      return seats
        .filter(({ state, seat_id: seat }) => state === 'reserved' && !promised.has(seat))
        .map(({ holder }) => `organization ${id}: a seat is reserved for ${holder}`)
    })
  )
  return [
    ...wakeUps.map(({ organizationId }) => `organization ${organizationId}: a wake-up`),
    ...jobs.map(({ kind, organization_id: id }) => `organization ${id}: the job ${kind}`),
    ...reserved.flat(),
  ]
}
