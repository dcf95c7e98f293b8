/**
 * Decides what to purge from the rows that were read: pure, without a clock or a database.
 *
 * @module
 */
import { keptSince, type RetentionWindow } from './retention-windows.ts'

/** The beginning of a trail, and the progress of its consumers. */
export interface Beginning {
  /** The horizon. */
  readonly horizon: number
  /** The sequence up to which the latest checkpoint covers it. */
  readonly sealed: number
  readonly held: boolean
  readonly sinks: readonly {
    readonly id: string
    readonly required: boolean
    /** The sequence up to which this sink has settled every event. */
    readonly settled: number
  }[]
  /** The first remaining events, in sequence. */
  readonly events: readonly {
    readonly sequence: number
    readonly action: string
    readonly insertedAt: Date
  }[]
}

/** The result of a plan. */
export interface Purge {
  readonly firstSequence: number
  /** The last sequence to purge; less than the first one if there is no event to purge. */
  readonly lastSequence: number
  /** Whether it passes a sink that it would otherwise wait for. */
  readonly forced: boolean
  /** Sinks that have not settled all purged events. */
  readonly unsettled: readonly string[]
  /** What prevents purging more: `legal_hold`, `checkpoint`, or the ids of sinks. */
  readonly waitsFor: readonly string[]
}

/** A request for a run. */
export interface PurgeRequest {
  /** Whether to pass sinks that have not settled every event. */
  readonly force: boolean
  /** Events from this time on are kept, regardless of the windows. */
  readonly olderThan: Date | null
}

/**
 * Plans a purge: the first events that are all strictly older than their window, as far as a checkpoint
 * covers them and every required sink has settled them. The records of earlier runs alone do not justify
 * a run: it would leave a record of its own.
 */
export function planPurge(
  windows: readonly RetentionWindow[],
  organizationId: string,
  { horizon, sealed, held, sinks, events }: Beginning,
  { force, olderThan }: PurgeRequest,
  now: Date
): Purge {
  const isKept = ({ action, insertedAt }: Beginning['events'][number]) => {
    const since = keptSince(windows, organizationId, action, now)
    if (since === null || insertedAt >= since) return true
    return olderThan !== null && insertedAt >= olderThan
  }
  const firstKept = events.findIndex(isKept)
  const past = firstKept < 0 ? events : events.slice(0, firstKept)
  const due = past.at(-1)?.sequence ?? horizon
  const limits = [
    ...(held ? [{ name: 'legal_hold', through: horizon }] : []),
    { name: 'checkpoint', through: sealed },
    ...sinks
      .filter(({ required }) => required && !force)
      .map(({ id, settled }) => ({ name: id, through: settled })),
  ]
  const through = Math.max(horizon, Math.min(due, ...limits.map((limit) => limit.through)))
  const worthIt = past.some(
    ({ sequence, action }) => sequence <= through && action !== 'audit.purge_run'
  )
  const behind = worthIt ? sinks.filter(({ settled }) => settled < through) : []
  return {
    firstSequence: horizon + 1,
    lastSequence: worthIt ? through : horizon,
    forced: behind.some(({ required }) => required),
    unsettled: behind.map(({ id }) => id),
    waitsFor: limits.flatMap((limit) => (limit.through < due ? [limit.name] : [])),
  }
}
