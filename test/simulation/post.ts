/**
 * The mail: which invitations came by it, and whose mail was read.
 *
 * @module
 */
import type { Connection } from './sqlite.ts'

export interface Post {
  /** A mail reaches its address. */
  deliver(invitationId: string, email: string, token: string): void
  /** The token that came by mail, read by the person at that address; undefined: no mail came. */
  read(invitationId: string): string | undefined
  /** The mail of an address was read otherwise: before this history, or a mail of the host's own. */
  believe(email: string): void
  /** What is wrong with the proofs that D1 has now. */
  unproven(): readonly string[]
}

export function createPost(connection: Connection): Post {
  const mails = new Map<string, { readonly email: string; readonly token: string }>()
  const readers = new Set<string>()
  return {
    deliver: (invitationId, email, token) => void mails.set(invitationId, { email, token }),
    read(invitationId) {
      const mail = mails.get(invitationId)
      if (mail) readers.add(mail.email)
      return mail?.token
    },
    believe: (email) => void readers.add(email),
    unproven() {
      const unread = (rows: readonly Record<string, unknown>[], what: string) =>
        rows.flatMap(({ email }) =>
          readers.has(String(email))
            ? []
            : [`${String(email)} ${what}, and its mail was never read`]
        )
      return [
        ...unread(connection.all(MEMBERS_BY_DOMAIN, []), 'is a member by its domain'),
        ...unread(connection.all(VERIFIED, []), 'is verified'),
      ]
    },
  }
}

const MEMBERS_BY_DOMAIN = `SELECT u.email FROM users u JOIN seatgate_audit_events e ON e.target_id = u.id
  WHERE e.action = 'organization.member_add' AND e.metadata ->> 'path' = 'domain'
  AND EXISTS (SELECT 1 FROM seatgate_memberships m
    WHERE m.user_id = u.id AND m.organization_id = e.organization_id)`

const VERIFIED = 'SELECT email FROM users WHERE email_verified_at IS NOT NULL'
