/**
 * What may go: decided on what was read, without a clock and without a database.
 *
 * @module
 */
import { keptSince, type RetentionWindow } from './retention-windows.ts'

/** How a trail begins, and how far others have come in it. */
export interface Beginning {
  /** Up to here it is gone. */
  readonly horizon: number
  /** How much of it the latest checkpoint covers. */
  readonly sealed: number
  readonly held: boolean
  readonly sinks: readonly {
    readonly id: string
    readonly required: boolean
    /** Everything up to here is settled for this sink. */
    readonly settled: number
  }[]
  /** The first events that are there, in sequence. */
  readonly events: readonly {
    readonly sequence: number
    readonly action: string
    readonly insertedAt: Date
  }[]
}

/** What goes in one run. */
export interface Purge {
  readonly firstSequence: number
  /** Less than the first one, if nothing goes. */
  readonly lastSequence: number
  /** Whether it passes a sink that it would have to wait for. */
  readonly forced: boolean
  /** Sinks that have not had all of what goes. */
  readonly unsettled: readonly string[]
  /** What keeps more from going: `legal_hold`, `checkpoint`, or the ids of sinks. */
  readonly waitsFor: readonly string[]
}

/** What is asked of one run. */
export interface PurgeRequest {
  /** Whether it passes sinks that have not had everything. */
  readonly force: boolean
  /** Nothing from then on goes, whatever the windows say. */
  readonly olderThan: Date | null
}

/**
 * Decides what goes: the events from the beginning on that are all strictly older than their window,
 * as far as a checkpoint covers them and every required sink has had them. The records of earlier runs are
 * not worth a run: it would leave a record of its own.
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
