import type { InvitationRow } from '../database/schema.ts'
import type { Intent } from '../operations/intent.ts'
import type { TokenSeed } from './new-token.ts'
import type { InvitationContext } from './rules.ts'

/** What waits to be mailed: which invitation under which token, and the token encrypted. */
export interface MailPayload {
  readonly invitationId: string
  readonly tokenVersion: number
  readonly encrypted: string
}

/** The mail of an invitation, to be sent once it is committed, if the host sends mail. */
export function mailIntent(
  { invitations: { mailer } }: Pick<InvitationContext, 'invitations'>,
  {
    id,
    organizationId,
    tokenVersion,
  }: Pick<InvitationRow, 'id' | 'organizationId' | 'tokenVersion'>,
  { encrypted }: TokenSeed
): readonly Intent[] {
  if (mailer === null) return []
  const payload = { invitationId: id, tokenVersion, encrypted }
  return [{ kind: 'send_invitation', organizationId, payload }]
}

/** What an invitation says of its mail when it is made. */
export function mailStatus({
  invitations: { mailer },
}: Pick<InvitationContext, 'invitations'>): 'queued' | 'skipped' {
  return mailer === null ? 'skipped' : 'queued'
}
