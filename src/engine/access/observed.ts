/**
 * Observes what the library does: metrics and spans of operations, of their round trips to D1, and of calls
 * beside them. The handle of the database carries the observer, and so do all handles that are made from it.
 *
 * @module
 */
import type { Refused } from '../../base/result.ts'
import type { Metric, Observer, SpanAttributes, Took } from '../../base/runtime.ts'
import {
  replicaOf,
  SchemaMismatch,
  sendingBy,
  setReplica,
  StoreUnavailable,
  withHandle,
  type Database,
  type DatabaseContext,
} from '../../database/database.ts'

const OBSERVER = Symbol('observer')
type Observed = Database & { [OBSERVER]?: Observer }

/** Returns the observer of a handle; undefined if the host neither measures nor traces. */
export const observerOf = ({ db }: DatabaseContext): Observer | undefined =>
  (db as Observed)[OBSERVER]

/** Returns a handle whose operations and batches are observed. */
export function observedBy(db: Database, observer: Observer): Database {
  const { trace } = observer
  const observed: Observed = sendingBy(db, (statements, pass) =>
    trace('seatgate.database', { 'seatgate.statements': statements.length }, pass)
  )
  observed[OBSERVER] = observer
  return observed
}

/** The numbers of an operation that is running. */
export interface Tally {
  retries: number
  trips: number
}

/** Runs an operation, and sends its metric, if the host measures or traces. */
export function observed<C extends DatabaseContext, T>(
  context: C,
  operation: string,
  run: (context: C, tally: Tally) => Promise<T>
): Promise<T> {
  const tally = { retries: 0, trips: 0 }
  if (!observerOf(context)) return run(context, tally)
  return observedCall(
    context,
    [`seatgate.${operation}`, { 'seatgate.operation': operation }],
    (took) => ({ name: 'operation', operation, ...took, ...tally }),
    () => run(counting(context, tally), tally)
  )
}

function counting<C extends DatabaseContext>(context: C, tally: Tally): C {
  const { db } = context
  const counted = sendingBy(db, (_statements, pass) => {
    tally.trips++
    return pass()
  })
  const replica = replicaOf(db)
  if (replica) {
    setReplica(counted, {
      read(...asked) {
        tally.trips++
        return replica.read(...asked)
      },
    })
  }
  return withHandle(context, counted)
}

/** Runs a call within a span, and sends its metric. */
export async function observedCall<T>(
  context: DatabaseContext,
  [name, attributes]: readonly [string, SpanAttributes],
  metricOf: (took: Took) => Metric,
  run: () => Promise<T>
): Promise<T> {
  const observer = observerOf(context)
  if (!observer) return run()
  const { measure, now, trace } = observer
  const began = now().getTime()
  const took = (code: string | null) => {
    const outcome = code === null ? 'ok' : FAILURES.has(code) ? 'failed' : 'refused'
    measure(metricOf({ outcome, code, milliseconds: Math.max(0, now().getTime() - began) }))
  }
  try {
    const result = await trace(name, attributes, run)
    const { ok, error } = (result ?? {}) as Partial<Refused>
    took(ok === false ? (error?.code ?? null) : null)
    return result
  } catch (error) {
    took(codeOf(error))
    throw error
  }
}

function codeOf(error: unknown): string {
  if (error instanceof SchemaMismatch) return 'schema_mismatch'
  return error instanceof StoreUnavailable ? 'unavailable' : 'error'
}

/** The codes of failures: `error`, and each refusal with a status of 500 or above. */
export const FAILURES: ReadonlySet<string> = new Set([
  'error',
  'hook_failed',
  'mfa_policy_aborted',
  'provider_unavailable',
  'seats_unavailable',
  'unavailable',
  'schema_mismatch',
])
