import { unlinkedName } from '../../base/shown-text.ts'
import type {
  InvitationContext,
  Mail,
  MailContext,
  MailDelivery,
  Mailer,
} from './invitation-config.ts'
import type { Database, DatabaseContext } from '../../database/database.ts'
import { invitations, type InvitationRow } from '../../database/schema/invitations-tables.ts'
import type { Job } from '../../engine/model/plan.ts'
import { recallTokens, type TokenSeed } from './token.ts'
import { and, eq } from 'drizzle-orm'
import { batch } from '../../database/batch.ts'
import type { Runtime } from '../../base/runtime.ts'
import { stateOf } from '../../engine/model/invitation.ts'
import {
  invitationById,
  inviterOf,
  invitingOrganization,
} from '../../engine/model/invitation-lookup.ts'
import type { RateRow } from '../../engine/model/rate-limits.ts'
import { claimMail, heldUntil, returnMail } from './invitation-limits.ts'

/** The payload of a mail job: the invitation, the version of its token, and the encrypted token. */
export interface MailPayload {
  readonly invitationId: string
  readonly tokenVersion: number
  readonly encrypted: string
}

/** The data of an invitation's mail. Names are as the host and the organization have them. */
export interface InvitationMail {
  readonly to: string
  readonly locale: string | null
  readonly token: string
  readonly url: string
  readonly organization: { readonly id: string; readonly name: string; readonly slug: string }
  readonly inviter: string | null
  readonly role: string
  readonly expiresAt: Date
  readonly idempotencyKey: string
}

/** Composes the mail of an invitation: a subject, plain words and one link. */
export function composeMail(mail: InvitationMail): Mail {
  const { to, locale, token, url, role, expiresAt, idempotencyKey } = mail
  const { id, slug } = mail.organization
  const name = unlinkedName(mail.organization.name) ?? slug
  const inviter = unlinkedName(mail.inviter)
  const invitation =
    inviter === null
      ? `You have been invited to ${name}.`
      : `${inviter} has invited you to ${name}.`
  const until = `The invitation is open until ${expiresAt.toUTCString()}.`
  return {
    kind: 'invitation',
    to,
    locale,
    token,
    url,
    organization: { id, name, slug },
    inviter: inviter === null ? null : { name: inviter },
    role,
    expiresAt: expiresAt.toISOString(),
    subject: `Invitation to ${name}`,
    text: [invitation, '', url, '', until].join('\n'),
    html: [
      `<p>${escaped(invitation)}</p>`,
      `<p><a href="${escaped(url)}">Accept the invitation</a></p>`,
      `<p>${escaped(until)}</p>`,
    ].join('\n'),
    idempotencyKey,
    organizationId: id,
  }
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
}

/** Creates the job that mails an invitation after the commit, if the host sends mail. */
export function mailJob(
  context: MailContext,
  {
    id,
    organizationId,
    tokenVersion,
  }: Pick<InvitationRow, 'id' | 'organizationId' | 'tokenVersion'>,
  { encrypted }: TokenSeed
): readonly Job[] {
  if (context.invitations.mailer === null) return []
  const payload = { invitationId: id, tokenVersion, encrypted }
  const run = (counted: Database) => sendInvitation({ ...context, db: counted }, payload)
  return [{ kind: 'send_invitation', organizationId, payload, run }]
}

/** Returns the mail status of a new invitation. */
export function mailStatus({
  invitations: { mailer },
}: Pick<InvitationContext, 'invitations'>): 'queued' | 'skipped' {
  return mailer === null ? 'skipped' : 'queued'
}

/**
 * Sends the mail of an invitation: the handler of `send_invitation`. Skips an invitation that has ended
 * or has new tokens. Returns until when the mail has to wait, if its recipient has received too many for
 * now.
 *
 * @throws any error of the mailer; the job is then repeated.
 */
export async function sendInvitation(
  context: MailContext,
  payload: MailPayload
): Promise<Date | null> {
  const { db, now } = context
  const { invitationId, tokenVersion, encrypted } = payload
  const { mailer, url, limits } = context.invitations
  const time = now()
  const limited = mailer !== null && limits.perRecipient !== Infinity
  const found = await batch(db, {
    rows: invitationById(db, invitationId),
    organizations: invitingOrganization(db, invitationId),
    inviters: inviterOf(context, invitationId),
    ...(limited && { claimed: claimMail(context, payload, time) }),
  })
  const [row] = found.rows
  const [organization] = found.organizations
  const claim = (found.claimed as readonly RateRow[] | undefined)?.[0]
  const current = row?.tokenVersion === tokenVersion && stateOf(row, time) === 'pending'
  if (!row || !organization || !current || !mailer || !url) return null
  const until = heldUntil(context, claim)
  if (until !== null) return until
  const { mailToken: token } = await recallTokens(context, encrypted, row)
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
  await noteDelivery(context, row, await deliver(context, mailer, mail, claim))
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
