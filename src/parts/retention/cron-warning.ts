import type { DatabaseContext } from '../../database/database.ts'
import { budgetOf } from '../../database/statement-budget.ts'
import type { Runtime } from '../../base/runtime.ts'
import type { ChangeContext } from '../../engine/changes/change-context.ts'
import type { Listener } from '../../engine/changes/listeners.ts'
import type { RetentionContext } from './retention-windows.ts'

/** What the warning about a missing schedule needs. */
export type ScheduleContext = Pick<RetentionContext, 'retention'> &
  Pick<Runtime, 'report'> &
  DatabaseContext

const scheduled = new WeakSet<object>()
const warned = new WeakSet<object>()

/** Somebody has made the sweep of this configuration, or runs it. */
export function markScheduled(seatgate: DatabaseContext): void {
  scheduled.add(itself(seatgate))
}

/** Says once that a window is configured and nobody looks: nothing would ever go. */
function warnUnscheduled(seatgate: ScheduleContext): void {
  const known = itself(seatgate)
  if (seatgate.retention.length === 0 || scheduled.has(known) || warned.has(known)) return
  warned.add(known)
  const error = new Error('There is a retention window, and no sweepHandler() in this Worker.')
  seatgate.report({ event: 'retention_not_scheduled', error })
}

/** Warns after a commit, when the Worker has had its time to make the sweep. */
export const warnWhenCommitted: Listener = {
  async committed(context: ChangeContext & ScheduleContext) {
    warnUnscheduled(context)
  },
}

const itself = (seatgate: DatabaseContext): object => budgetOf(seatgate)?.of ?? seatgate
