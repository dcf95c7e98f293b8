import type { Runtime } from '../runtime.ts'
import type { RetentionContext } from './rules.ts'

/** What the warning about a missing schedule needs. */
export type ScheduleContext = Pick<RetentionContext, 'retention'> & Pick<Runtime, 'report'>

const scheduled = new WeakSet<object>()
const warned = new WeakSet<object>()

/** Somebody has made the sweep of this configuration, or runs it. */
export function markScheduled(seatgate: object): void {
  scheduled.add(seatgate)
}

/** Says once that a window is configured and nobody looks: nothing would ever go. */
export function warnUnscheduled(seatgate: ScheduleContext): void {
  if (seatgate.retention.length === 0 || scheduled.has(seatgate) || warned.has(seatgate)) return
  warned.add(seatgate)
  const error = new Error('There is a retention window, and no sweepHandler() in this Worker.')
  seatgate.report({ event: 'retention_not_scheduled', error })
}
