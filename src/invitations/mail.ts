import type { Mail } from './rules.ts'

/** What the mail of an invitation is made of. */
export interface InvitationMail {
  readonly to: string
  readonly link: string
  readonly organization: { readonly id: string; readonly name: string }
  readonly inviter: string | null
  readonly expiresAt: Date
  readonly idempotencyKey: string
}

/** Writes the mail of an invitation: plain words and one link. */
export function composeMail(mail: InvitationMail): Mail {
  const { to, link, organization, inviter, expiresAt, idempotencyKey } = mail
  const who = inviter === null ? 'You have been' : `${inviter} has`
  const invitation =
    inviter === null
      ? `${who} invited to ${organization.name}.`
      : `${who} invited you to ${organization.name}.`
  const until = `The invitation is open until ${expiresAt.toUTCString()}.`
  return {
    to,
    subject: `Invitation to ${organization.name}`,
    text: [invitation, '', link, '', until].join('\n'),
    html: [
      `<p>${escaped(invitation)}</p>`,
      `<p><a href="${escaped(link)}">Accept the invitation</a></p>`,
      `<p>${escaped(until)}</p>`,
    ].join('\n'),
    idempotencyKey,
    organizationId: organization.id,
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
