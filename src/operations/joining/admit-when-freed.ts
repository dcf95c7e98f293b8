import { inBackground } from '../../base/async.ts'
import type { Listener } from '../../engine/changes/listeners.ts'
import { keepsLine, type JoiningContext } from './join-rules.ts'

// Limits what one invocation of a Worker asks; the sweep sees to the other waitlists.
const LINES_AT_ONCE = 10

/** Admits from the waitlists of organizations that may have free seats, if the rules let anyone wait. */
export const admitWhenFreed: Listener = {
  async seatsFreed(context: JoiningContext, organizationIds) {
    const { joining } = context
    if (!keepsLine(joining)) return
    await inBackground(
      context,
      organizationIds[0] ?? '',
      organizationIds
        .slice(0, LINES_AT_ONCE)
        .map((organizationId) => () => joining.admitWaiting(context, organizationId))
    )
  },
}
