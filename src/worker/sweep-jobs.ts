import { callAfterHook } from '../engine/model/after-hooks.ts'
import { HOOKS } from '../engine/model/hooks.ts'
import type { MailPayload } from '../operations/invitations/mail.ts'
import { sweepIntents } from '../engine/changes/jobs.ts'
import type { JobHandlers } from '../engine/model/job.ts'
import type { Seatgate } from '../seatgate.ts'
import { endSessions } from '../engine/model/end-sessions.ts'
import type { Pointers } from '../engine/model/session-store.ts'

/**
 * Runs the due jobs of every kind.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 */
export async function sweepJobs(seatgate: Seatgate): Promise<void> {
  const { invitations } = seatgate
  await sweepIntents(seatgate, {
    ...hookHandlers(seatgate),
    end_sessions: (payload) => endSessions(seatgate, payload as Pointers),
    ...(invitations !== null && {
      send_invitation: (payload: unknown) =>
        invitations.sendInvitation({ ...seatgate, invitations }, payload as MailPayload),
    }),
  })
}

function hookHandlers(seatgate: Seatgate): JobHandlers {
  return Object.fromEntries(
    Object.keys(HOOKS).map((hook) => [hook, (payload) => callAfterHook(seatgate, hook, payload)])
  )
}
