import { and, eq, sql } from 'drizzle-orm'
import { batch } from '../database/batch.ts'
import { invitations } from '../database/schema.ts'
import type { Seatgate } from '../seatgate.ts'
import { hasUserId } from '../users/identity.ts'
import { stateOf } from './invitation.ts'
import { invitationById, invitingOrganization, type KnownUser } from './lookup.ts'
import type { MailPayload } from './mail-intent.ts'
import { composeMail } from './mail.ts'
import { recallTokens } from './new-token.ts'

/**
 * Sends the mail of an invitation. One that has ended meanwhile, or has another token now, is not
 * sent.
 *
 * @throws whatever the mailer throws: then it is tried again.
 */
export async function sendInvitation(
  seatgate: Seatgate,
  { invitationId, tokenVersion, encrypted }: MailPayload
): Promise<void> {
  const { db, users, now, report } = seatgate
  const { mailer, url } = seatgate.invitations
  const found = await batch(db, {
    rows: invitationById(db, invitationId),
    organizations: invitingOrganization(db, invitationId),
    inviters: users
      ? db
          .select({ name: sql<string | null>`${users.name}`.as('inviter_name') })
          .from(users)
          .where(
            hasUserId(
              users,
              sql`(select invited_by_id from invitations where id = ${invitationId})`
            )
          )
      : db.select({ name: sql<string | null>`null`.as('inviter_name') }).from(sql`(select 1)`),
  })
  const [row] = found.rows
  const [organization] = found.organizations
  const current = row?.tokenVersion === tokenVersion && stateOf(row, now()) === 'pending'
  if (!row || !organization || !current || !mailer || !url) return
  const { mailToken } = await recallTokens(seatgate, encrypted, row)
  const link = url(mailToken)
  const inviter: Pick<KnownUser, 'name'> | undefined = found.inviters[0]
  const delivery = await mailer.send(
    composeMail({
      to: row.email,
      link,
      organization,
      inviter: inviter?.name ?? null,
      expiresAt: row.expiresAt,
      idempotencyKey: `${invitationId}:${tokenVersion}`,
    })
  )
  const mailStatus = delivery.outcome === 'sent' ? 'sent' : 'failed'
  if (delivery.outcome === 'rejected') {
    const { organizationId } = row
    report({ event: 'invitation_mail_rejected', organizationId, error: delivery.reason })
  }
  await batch(db, {
    noted: db
      .update(invitations)
      .set({ mailStatus })
      .where(and(eq(invitations.id, invitationId), eq(invitations.tokenVersion, tokenVersion))),
  })
}
