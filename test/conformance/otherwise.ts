import type { LineId } from './checklist.ts'

/** The lines that do not hold as they are written: what the code does in their place, and why. */
export const OTHERWISE: Readonly<Partial<Record<LineId, string>>> = {
  'INV-24':
    'Beyond the limit of a recipient the mail waits until the window is over. No invitation is refused, because a refusal would disclose to one organization what others do.',
  'INV-25':
    'D1 counts the limits of inviters, in the batch that creates the invitation, so a limiter cannot fail separately. If D1 does not answer, no row is written.',
  'INV-29':
    'The mailer gets the address, role, expiry, token and link (from url) of the invitation, and not its id, with which idempotencyKey begins.',
  'INV-38':
    'A resend that a limit refuses counts against no limit, because the batch that counts is rolled back. The limit of a recipient counts sent mails, and refuses no invitation.',
  'INV-70':
    'A member who accepts, or accepts again, gets the current membership with created: false instead of an error; the invitation ends and the role is unchanged.',
  'INV-83':
    'The library registers no users. It writes one event, organization.member_add with the path signup; registerUser can record the registration.',
  'HOOK-28':
    'There are no subscriptions. afterDelete hooks are stored intents, run after the commit and retried.',
  'HOOK-30':
    'There are no subscriptions. Deleting a user deletes memberships, and no organization.',
  'MAIL-10':
    'The mailer rejects the mail to a suppressed recipient. The seat stays reserved until the invitation ends.',
  'ORG-87':
    'The sessions stay; their active organization is cleared. The host can sign people out.',
  'ORG-88':
    'The sessions stay; their active organization is cleared first, in the same batch, so that the order is not visible.',
  'ORG-98':
    'The sessions stay; their active organization is cleared. Each request reads the membership, which is suspended.',
  'ORG-113':
    'getOrganization returns organization_not_found as data, like every function; it throws no expected refusal.',
  'ORG-118':
    'Lists are pages by cursor, 50 by default and at most 200: offsets skip and repeat rows while others write.',
  'ORG-124':
    'It reads the caller first, because the caller decides whether it may be called, and again after mfaCheck has returned. It writes no row.',
  'PIPE-3':
    'There is no scope builder. One batch reads the scope with what the operation needs; it is read again only if it has changed by the time of the write. Each variable is set once.',
}
