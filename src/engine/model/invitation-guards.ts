import { sql } from 'drizzle-orm'
import { guard } from '../../database/commit.ts'
import type { Statement, DatabaseContext } from '../../database/database.ts'
import { areFew } from '../../database/insert-rows.ts'
import type { InvitationRow } from '../../database/schema.ts'
import { isPending } from '../seats/counts.ts'
import { hasUserId, userIdText, type UserContext } from '../../database/user-table.ts'
import type { KnownUser } from './invitation-lookup.ts'

/** Guards that the invitation is open now, with the token and the role that were read. */
export function guardPending(
  { db }: DatabaseContext,
  { id, tokenHash, role }: InvitationRow,
  now: Date
): Statement {
  return guard(
    db,
    'stale',
    sql`exists (select 1 from seatgate_invitations
      where id = ${id} and token_hash = ${tokenHash} and role = ${role} and ${isPending(now)})`
  )
}

/** Guards that the user exists, with the address that was compared with the invitation's. */
export function guardAddress({ db, users }: UserContext, { id, email }: KnownUser): Statement[] {
  if (users === null) return []
  const same = sql`exists (select 1 from ${users}
    where ${hasUserId(users, id)} and ${users.email} = ${email})`
  return [guard(db, 'stale', same)]
}

/** Guards that the invitation was not ended or changed; it may have expired. */
export function guardUnfinished(
  { db }: DatabaseContext,
  { id, tokenHash, role }: InvitationRow
): Statement {
  return guard(
    db,
    'stale',
    sql`exists (select 1 from seatgate_invitations
      where id = ${id} and token_hash = ${tokenHash} and role = ${role} and ${isUnfinished()})`
  )
}

/** Guards that none of these invitations was ended or changed. */
export function guardAllUnfinished(
  seatgate: DatabaseContext,
  rows: readonly InvitationRow[]
): readonly Statement[] {
  if (areFew(rows)) return rows.map((row) => guardUnfinished(seatgate, row))
  const known = JSON.stringify(rows.map(({ id, tokenHash, role }) => [id, tokenHash, role]))
  const unfinished = sql`select count(*) from seatgate_invitations
    where (id, token_hash, role) in
      (select value ->> 0, value ->> 1, value ->> 2 from json_each(${known}))
    and ${isUnfinished()}`
  const { length } = rows
  return [guard(seatgate.db, 'stale', sql`(${unfinished}) = ${length}`)]
}

/** Guards that an organization has exactly these open invitations, unchanged. */
export function guardOnlyUnfinished(
  { db }: DatabaseContext,
  organizationId: string,
  rows: readonly InvitationRow[]
): Statement {
  const known = JSON.stringify(rows.map(({ tokenHash }) => tokenHash))
  return guard(
    db,
    'stale',
    sql`(select count(*) from seatgate_invitations
      where organization_id = ${organizationId} and ${isUnfinished()}) = ${rows.length}
      and not exists (select 1 from seatgate_invitations
        where organization_id = ${organizationId} and ${isUnfinished()}
        and token_hash not in (select value from json_each(${known})))`
  )
}

/** Guards that no member has one of these addresses. */
export function guardNoMembers(
  { db, users }: UserContext,
  organizationId: string,
  emails: readonly string[]
): Statement[] {
  if (users === null) return []
  const [only, ...others] = emails
  const list =
    only !== undefined && others.length === 0
      ? sql`${only}`
      : sql`select value from json_each(${JSON.stringify(emails)})`
  const members = sql`select 1 from ${users} where ${users.email} in (${list})
    and exists (select 1 from seatgate_memberships
      where organization_id = ${organizationId} and user_id = ${userIdText(users)})`
  return [guard(db, 'stale', sql`not exists (${members})`)]
}

/** Builds the condition that an invitation was not ended. */
export function isUnfinished() {
  return sql`accepted_at is null and revoked_at is null and declined_at is null`
}
