import { unlinkedName } from '../../base/shown-text.ts'
import type { Mail } from './invitation-config.ts'

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
