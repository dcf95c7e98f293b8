import type { Seatgate } from '../seatgate.ts'

const scheduled = new WeakSet<Seatgate>()
const warned = new WeakSet<Seatgate>()

/** Somebody has made the sweep of this configuration, or runs it. */
export function markScheduled(seatgate: Seatgate): void {
  scheduled.add(seatgate)
}

/** Says once that a window is configured and nobody looks: nothing would ever go. */
export function warnUnscheduled(seatgate: Seatgate): void {
  if (seatgate.retention.length === 0 || scheduled.has(seatgate) || warned.has(seatgate)) return
  warned.add(seatgate)
  const error = new Error('There is a retention window, and no sweepHandler() in this Worker.')
  seatgate.report({ event: 'retention_not_scheduled', error })
}
