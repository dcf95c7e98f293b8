import { and, eq, sql } from 'drizzle-orm'
import { unlinkedName } from '../../base/shown-text.ts'
import type { Runtime } from '../../base/runtime.ts'
import { batch } from '../../database/batch.ts'
import { rowsWhere } from '../../database/kept-query.ts'
import { hasUserId, type UserContext } from '../../database/database.ts'
import { hasPermission } from '../../engine/access/role-conditions.ts'
import { memberships, organizations } from '../../database/schema/organizations-tables.ts'
import type { AccessContext } from '../../engine/access/roles.ts'
import type { LimitNotice } from '../../engine/seats/notice-level.ts'

/** A mail about a notice, to one administrator of the organization. */
export interface NoticeMail extends LimitNotice {
  readonly kind: 'limit_notice'
  readonly to: string
  readonly organization: { readonly id: string; readonly name: string; readonly slug: string }
  /** The library's own subject, text and HTML, in English. */
  readonly subject: string
  readonly text: string
  readonly html: string
  /** The same for every attempt at this mail, so that a provider sends it once. */
  readonly idempotencyKey: string
}

/**
 * Sends the mails of notices. A mailer of invitations whose `send` reads no more than the address and the
 * texts fits too. It is called again later if it throws.
 */
export interface NoticeMailer {
  send(
    mail: NoticeMail
  ): Promise<{ readonly outcome: 'sent' | 'rejected'; readonly reason?: string }>
}

/** The context of sending notices. */
export interface NoticeMailContext extends UserContext, AccessContext, Pick<Runtime, 'report'> {}

const MOST_RECIPIENTS = 50

/**
 * Mails a notice to those who administer the organization, 50 at most: the handler of its job. An
 * organization that was deleted in the meantime gets no mail.
 *
 * @throws any error of the mailer; the job is then repeated, with the same keys.
 */
export async function sendNotice(
  context: NoticeMailContext,
  mailer: NoticeMailer,
  notice: LimitNotice
): Promise<null> {
  const { db, users, roles, report } = context
  const { organizationId, eventId } = notice
  if (users === null) return null
  const found = await batch(db, {
    organizations: rowsWhere(
      db,
      organizations,
      and(eq(organizations.id, organizationId), sql`deleted_at is null`)
    ),
    recipients: db
      .select({
        userId: memberships.userId,
        email: sql<string | null>`(select ${users.email} from ${users}
          where ${hasUserId(users, sql`seatgate_memberships.user_id`)})`.as('recipient_email'),
      })
      .from(memberships)
      .where(
        and(
          eq(memberships.organizationId, organizationId),
          eq(memberships.status, 'active'),
          hasPermission({ roles, permission: 'billing:manage' }, 'seatgate_memberships.')
        )
      )
      .limit(MOST_RECIPIENTS),
  })
  const [organization] = found.organizations
  if (!organization) return null
  const send = async (to: string, userId: string) => {
    const mail = composeNotice(notice, organization, to, `${eventId}:${userId}`)
    const delivery = await mailer.send(mail)
    if (delivery.outcome === 'rejected') {
      report({ event: 'notice_mail_rejected', organizationId, error: delivery.reason })
    }
  }
  await Promise.all(
    found.recipients.flatMap(({ userId, email }) => (email === null ? [] : [send(email, userId)]))
  )
  return null
}

function composeNotice(
  notice: LimitNotice,
  { id, name, slug }: { readonly id: string; readonly name: string; readonly slug: string },
  to: string,
  idempotencyKey: string
): NoticeMail {
  const shown = unlinkedName(name) ?? slug
  const used = notice.held + notice.reserved
  const lines = [
    `${shown} uses ${used} of ${notice.limit} seats.`,
    ...(notice.level === 'near' ? [] : ['No more members can be added.']),
    ...(notice.graceEnd === null
      ? []
      : [`Members without a seat are suspended on ${new Date(notice.graceEnd).toUTCString()}.`]),
  ]
  return {
    ...notice,
    kind: 'limit_notice',
    to,
    organization: { id, name, slug },
    subject: `Seats of ${shown}: ${used} of ${notice.limit} in use`,
    text: lines.join('\n'),
    html: lines.map((line) => `<p>${escaped(line)}</p>`).join('\n'),
    idempotencyKey,
  }
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' }

function escaped(text: string): string {
  return text.replace(/[&<>]/g, (character) => ENTITIES[character] ?? '')
}
