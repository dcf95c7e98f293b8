import { and, eq } from 'drizzle-orm'
import { batch } from '../../database/batch.ts'
import type { DatabaseContext } from '../../database/database.ts'
import { invitations, type InvitationRow } from '../../database/schema.ts'
import type { Runtime } from '../../base/runtime.ts'
import { stateOf } from '../../engine/model/invitation.ts'
import {
  invitationById,
  inviterOf,
  invitingOrganization,
} from '../../engine/model/invitation-lookup.ts'
import { composeMail, type MailPayload } from './mail.ts'
import { recallTokens } from './new-token.ts'
import type { RateRow } from '../../engine/model/rate-limits.ts'
import { claimMail, heldUntil, returnMail } from './recipient-limit.ts'
import type { Mail, MailContext, MailDelivery, Mailer } from './invitation-config.ts'

/**
 * Sends the mail of an invitation: the handler of `send_invitation`. Skips an invitation that has ended
 * or has new tokens. Returns until when the mail has to wait, if its recipient has received too many for
 * now.
 *
 * @throws any error of the mailer; the job is then repeated.
 */
export async function sendInvitation(
  seatgate: MailContext,
  payload: MailPayload
): Promise<Date | null> {
  const { db, now } = seatgate
  const { invitationId, tokenVersion, encrypted } = payload
  const { mailer, url, limits } = seatgate.invitations
  const time = now()
  const limited = mailer !== null && limits.perRecipient !== Infinity
  const found = await batch(db, {
    rows: invitationById(db, invitationId),
    organizations: invitingOrganization(db, invitationId),
    inviters: inviterOf(seatgate, invitationId),
    ...(limited && { claimed: claimMail(seatgate, payload, time) }),
  })
  const [row] = found.rows
  const [organization] = found.organizations
  const claim = (found.claimed as readonly RateRow[] | undefined)?.[0]
  const current = row?.tokenVersion === tokenVersion && stateOf(row, time) === 'pending'
  if (!row || !organization || !current || !mailer || !url) return null
  const until = heldUntil(seatgate, claim)
  if (until !== null) return until
  const { mailToken: token } = await recallTokens(seatgate, encrypted, row)
  const mail = composeMail({
    to: row.email,
    locale: row.locale,
    token,
    url: url(token),
    organization,
    inviter: found.inviters[0]?.name ?? null,
    role: row.role,
    expiresAt: row.expiresAt,
    idempotencyKey: `${invitationId}:${tokenVersion}`,
  })
  await noteDelivery(seatgate, row, await deliver(seatgate, mailer, mail, claim))
  return null
}

// A mailer that throws has not accepted the mail, so it is not counted.
async function deliver(
  { db }: DatabaseContext,
  mailer: Mailer,
  mail: Mail,
  claim: RateRow | undefined
): Promise<MailDelivery> {
  try {
    return await mailer.send(mail)
  } catch (error) {
    if (claim) await returnMail(db, claim)
    throw error
  }
}

async function noteDelivery(
  { db, report }: DatabaseContext & Pick<Runtime, 'report'>,
  { id, organizationId, tokenVersion }: InvitationRow,
  delivery: MailDelivery
): Promise<void> {
  const mailStatus = delivery.outcome === 'sent' ? 'sent' : 'failed'
  if (delivery.outcome === 'rejected') {
    report({ event: 'invitation_mail_rejected', organizationId, error: delivery.reason })
  }
  await batch(db, {
    noted: db
      .update(invitations)
      .set({ mailStatus })
      .where(and(eq(invitations.id, id), eq(invitations.tokenVersion, tokenVersion))),
  })
}
