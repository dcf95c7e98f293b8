/**
 * How long events are kept. It is configured at start only: an attacker who reaches an endpoint cannot
 * shorten the record of their actions.
 *
 * @module
 */
import type { Part } from '../../engine/changes/part.ts'
import type { ConfiguredConsumersContext } from '../../engine/audit/consumers.ts'
import type { ChangeContext, Listener } from '../../engine/changes/change-context.ts'
import type { Archive } from './archive.ts'
import { PATTERN, matches } from '../../engine/audit/filters.ts'
import type { DatabaseContext } from '../../database/database.ts'
import type { Runtime } from '../../base/runtime.ts'

/** A window of retention. */
export interface RetentionWindow {
  /** Events that are strictly older are purged. Fractions of a day are possible. */
  readonly days: number
  /**
   * The id of an organization that has its own windows and no others; `system` for the platform's events.
   * Default: every organization without its own windows.
   */
  readonly organizationId?: string
  /**
   * Actions that are kept longer than the rest: one, or `organization.*`. Events are purged in sequence,
   * so every event after one of these is kept as long.
   */
  readonly actions?: string
}

const FIELDS = new Set(['days', 'organizationId', 'actions'])
const DAY_MS = 24 * 60 * 60 * 1000

/** Returns the time since when events of an action are kept; null if without an end. */
export function keptSince(
  windows: readonly RetentionWindow[],
  organizationId: string,
  action: string,
  now: Date
): Date | null {
  const [closest] = windowsOf(windows, organizationId)
    .filter(({ actions }) => actions === undefined || matches(actions, action))
    .sort((a, b) => (b.actions?.length ?? 0) - (a.actions?.length ?? 0))
  return closest === undefined ? null : new Date(now.getTime() - closest.days * DAY_MS)
}

/** Returns the error in the windows, or null. */
export function retentionMistake(windows: readonly RetentionWindow[]): string | null {
  if (!Array.isArray(windows)) return 'must be a list of windows.'
  for (const window of windows) {
    const stranger = Object.keys(window).find((field) => !FIELDS.has(field))
    if (stranger !== undefined) return `has no "${stranger}".`
    if (!(Number.isFinite(window.days) && window.days > 0)) return 'needs positive days.'
    if (window.actions !== undefined && !PATTERN.test(window.actions)) {
      return `has an invalid pattern: "${window.actions}".`
    }
  }
  const names = windows.map(({ organizationId, actions }) => `${organizationId} ${actions}`)
  const twice = windows.find((_window, index) => names.indexOf(names[index] ?? '') < index)
  if (twice !== undefined) return `has two windows for ${nameOf(twice)}.`
  const shorter = windows.find((window) => {
    const around = windows.find(
      (other) => other.actions === undefined && other.organizationId === window.organizationId
    )
    return around === undefined || (around !== window && around.days >= window.days)
  })
  if (shorter === undefined) return null
  return `needs a shorter window without actions around ${nameOf(shorter)}: a class is kept longer.`
}

function windowsOf(windows: readonly RetentionWindow[], organizationId: string) {
  const own = windows.filter((window) => window.organizationId === organizationId)
  return own.length > 0 ? own : windows.filter((window) => window.organizationId === undefined)
}

function nameOf({
  organizationId = 'every organization',
  actions = 'all actions',
}: RetentionWindow) {
  return `${actions} of ${organizationId}`
}

/** The part that `retention()` makes. */
export interface Retention extends Part<'retention'> {
  /** The windows; an empty list keeps every event. */
  readonly windows: readonly RetentionWindow[]
  /** Where events are moved to; null if they are deleted. */
  readonly archive: Archive | null
}

/** A configuration that has the part. */
export interface HasRetention {
  readonly retention: Retention
}

/** The context of an operation on retention. */
export interface RetentionContext extends ChangeContext, ConfiguredConsumersContext, HasRetention {
  readonly consumers: ChangeContext['consumers']
}

/** The context of the warning about a missing schedule. */
export type ScheduleContext = HasRetention & Pick<Runtime, 'report'>

// By the part: a configuration that is copied for a request or an operation keeps it.
const scheduled = new WeakSet<Retention>()
const warned = new WeakSet<Retention>()

/** Records that a sweep of this configuration was created or run. */
export function markScheduled({ retention }: DatabaseContext & HasRetention): void {
  scheduled.add(retention)
}

/** Reports once that a window is configured and no sweep runs: no event would ever be purged. */
function warnUnscheduled({ retention, report }: ScheduleContext): void {
  if (scheduled.has(retention) || warned.has(retention)) return
  warned.add(retention)
  const error = new Error('A retention window is set, but this Worker has no sweepHandler().')
  report({ event: 'retention_not_scheduled', error })
}

/** Warns after a commit, when the Worker has had its time to make the sweep. */
export const warnWhenCommitted: Listener = {
  async committed(context: ChangeContext & ScheduleContext) {
    warnUnscheduled(context)
  },
}
