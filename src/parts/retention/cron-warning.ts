import type { DatabaseContext } from '../../database/database.ts'
import { budgetOf } from '../../database/statement-budget.ts'
import type { Runtime } from '../../base/runtime.ts'
import type { ChangeContext } from '../../engine/changes/change-context.ts'
import type { Listener } from '../../engine/changes/listeners.ts'
import type { RetentionContext } from './retention-windows.ts'

/** The context of the warning about a missing schedule. */
export type ScheduleContext = Pick<RetentionContext, 'retention'> &
  Pick<Runtime, 'report'> &
  DatabaseContext

const scheduled = new WeakSet<object>()
const warned = new WeakSet<object>()

/** Records that a sweep of this configuration was created or run. */
export function markScheduled(seatgate: DatabaseContext): void {
  scheduled.add(itself(seatgate))
}

/** Reports once that a window is configured and no sweep runs: no event would ever be purged. */
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
