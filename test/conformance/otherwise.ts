import type { LineId } from './checklist.ts'

/** The lines that do not hold as they are written: what the code does in their place, and why. */
export const OTHERWISE: Readonly<Partial<Record<LineId, string>>> = {
  'INV-24':
    'Beyond the limit of a recipient the mail is held back until the window is over. Nothing is refused: a refusal would tell one organization what others do.',
  'INV-25':
    'The limits of inviters are counted in D1, in the batch that makes the invitation: no limiter can fail alone. If D1 does not answer, nothing is written.',
  'INV-29':
    'Of the invitation the mailer gets the address, role, expiry, token and link (made by url), and not the id, which idempotencyKey begins with.',
  'INV-38':
    'A resend that one limit refuses counts against none: the batch that counts is rolled back. The limit of a recipient counts mails, when they are sent, and refuses nothing.',
  'INV-70':
    'A member who accepts, or accepts again, gets the present membership with created: false, not an error; the invitation is closed and the role is unchanged.',
  'INV-83':
    'The library registers nobody. The one event is organization.member_add with the path signup; what registration is on record is for registerUser.',
  'HOOK-28':
    'There are no subscriptions. afterDelete hooks are stored intents, run after the commit and retried.',
  'HOOK-30':
    'There are no subscriptions. Deleting a user deletes memberships, and no organization.',
  'MAIL-10':
    'The mailer says that a recipient is suppressed, by rejecting the mail. The seat is kept until the invitation ends.',
  'ORG-87':
    'The sessions stay; their active organization is cleared. Signing people out is for the host.',
  'ORG-88':
    'The sessions stay; their active organization is cleared first, in the same batch, so that the order is not visible.',
  'ORG-98':
    'The sessions stay; their active organization is cleared. Each request reads the membership, which is suspended.',
  'ORG-113':
    'getOrganization answers organization_not_found as data, as every function does; nothing expected is thrown.',
  'ORG-118':
    'Lists are pages by cursor, 50 by default and at most 200: offsets skip and repeat rows while others write.',
  'ORG-124':
    'It reads who is asking, since that decides whether it may be asked, and once more after mfaCheck has answered. It writes nothing.',
  'PIPE-3':
    'There is no scope builder. One batch reads the scope with what the operation needs; it is read again only if it has changed by the time of the write. Each variable is set once.',
}
