import { callAfterHook } from '../hooks/after.ts'
import { HOOKS } from '../hooks/hooks.ts'
import type { MailPayload } from '../invitations/mail.ts'
import { sendInvitation } from '../invitations/send.ts'
import { sweepIntents } from '../operations/fulfil.ts'
import type { JobHandlers } from '../operations/intent.ts'
import type { Seatgate } from '../seatgate.ts'
import { endSessions } from '../sessions/end.ts'
import type { Pointers } from '../sessions/store.ts'

/**
 * Takes up the jobs that are due, of every kind.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 */
export async function sweepJobs(seatgate: Seatgate): Promise<void> {
  await sweepIntents(seatgate, {
    ...hookHandlers(seatgate),
    end_sessions: (payload) => endSessions(seatgate, payload as Pointers),
    send_invitation: (payload) => sendInvitation(seatgate, payload as MailPayload),
  })
}

function hookHandlers(seatgate: Seatgate): JobHandlers {
  return Object.fromEntries(
    Object.keys(HOOKS).map((hook) => [hook, (payload) => callAfterHook(seatgate, hook, payload)])
  )
}
