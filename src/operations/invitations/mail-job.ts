import type { Database } from '../../database/database.ts'
import type { InvitationRow } from '../../database/schema.ts'
import type { Job } from '../../engine/model/job.ts'
import type { TokenSeed } from './new-token.ts'
import type { InvitationContext, MailContext } from './invitation-config.ts'
import { sendInvitation } from './send-mail.ts'

/** Creates the job that mails an invitation after the commit, if the host sends mail. */
export function mailIntent(
  seatgate: MailContext,
  {
    id,
    organizationId,
    tokenVersion,
  }: Pick<InvitationRow, 'id' | 'organizationId' | 'tokenVersion'>,
  { encrypted }: TokenSeed
): readonly Job[] {
  if (seatgate.invitations.mailer === null) return []
  const payload = { invitationId: id, tokenVersion, encrypted }
  const run = (counted: Database) => sendInvitation({ ...seatgate, db: counted }, payload)
  return [{ kind: 'send_invitation', organizationId, payload, run }]
}

/** Returns the mail status of a new invitation. */
export function mailStatus({
  invitations: { mailer },
}: Pick<InvitationContext, 'invitations'>): 'queued' | 'skipped' {
  return mailer === null ? 'skipped' : 'queued'
}
