/**
 * Invite links: their state, their token and the queries for them.
 *
 * @module
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'
import { eq, sql, type SQL } from 'drizzle-orm'
import { UnreadableInput } from '../../base/input.ts'
import { ok, refused, type Result } from '../../base/result.ts'
import { guard } from '../../database/commit.ts'
import { rowsWhere } from '../../database/kept-query.ts'
import type { DatabaseContext, Statement } from '../../database/database.ts'
import { inviteLinks, type InviteLinkRow } from '../../database/schema/joining-tables.ts'
import {
  memberships,
  organizations,
  type MembershipRow,
  type OrganizationRow,
} from '../../database/schema/organizations-tables.ts'
import { mayInvite, type AccessContext, rightsOf, rolesIn } from '../../engine/access/roles.ts'
import { configured, type JoiningContext, type LinkRules } from './join-rules.ts'

/** A link to join an organization. Timestamps are ISO 8601 UTC. */
export interface InviteLink {
  readonly id: string
  readonly organizationId: string
  /** The role of users who join by it. */
  readonly role: string
  /** The domain that their verified address must be in; null for any address. */
  readonly domain: string | null
  readonly maxUses: number
  readonly usesLeft: number
  readonly state: 'open' | 'used_up' | 'expired' | 'revoked'
  /** The user who made it; null for another caller. It ends if they may not invite any more. */
  readonly createdById: string | null
  readonly expiresAt: string
  readonly createdAt: string
  readonly updatedAt: string
}

/** The input of operations that need the token of a link. */
export interface LinkTokenInput {
  readonly token: string
}

/** Why the token of a link does not open it. */
export type LinkRefusal =
  | 'invitation_invalid'
  | 'invitation_revoked'
  | 'invitation_expired'
  | 'link_used_up'

/** The rows of a token. */
export interface PresentedLink {
  readonly links: readonly InviteLinkRow[]
  readonly organizations: readonly OrganizationRow[]
  /** The membership of the creator. */
  readonly creators: readonly MembershipRow[]
}

/**
 * Returns the rules of links.
 *
 * @throws {TypeError} if `joinRules` has no `links`.
 */
export function linkRules(context: Pick<JoiningContext, 'joining'>): LinkRules {
  const { links } = configured(context)
  if (links) return links
  throw new TypeError('This needs links in joinRules: joinRules({ links: {}, … }).')
}

export function linkView(row: InviteLinkRow, now: Date): InviteLink {
  return {
    id: row.id,
    organizationId: row.organizationId,
    role: row.role,
    domain: row.domain,
    maxUses: row.maxUses,
    usesLeft: row.usesLeft,
    state: stateOf(row, now),
    createdById: row.createdById,
    expiresAt: row.expiresAt.toISOString(),
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  }
}

function stateOf(
  { revokedAt, expiresAt, usesLeft }: InviteLinkRow,
  now: Date
): InviteLink['state'] {
  if (revokedAt !== null) return 'revoked'
  if (expiresAt <= now) return 'expired'
  return usesLeft > 0 ? 'open' : 'used_up'
}

const TOKEN = /^[\w-]{43}$/

/** Returns the hash that a token is stored and found by. */
export function hashOfToken(token: string): string {
  return bytesToHex(sha256(utf8ToBytes(`seatgate-link/v1\n${token}`)))
}

/**
 * Returns the hash of the token of an input `{ token }`. A text that cannot be a token has no hash;
 * refuses only an input that could not be read.
 */
export function readLinkToken(input: unknown): Result<string | null, never> {
  if (input instanceof UnreadableInput) return input.refuse()
  const token =
    typeof input === 'object' && input !== null ? (input as { token?: unknown }).token : null
  return ok(typeof token === 'string' && TOKEN.test(token) ? hashOfToken(token) : null)
}

/** Selects a link by the hash of its token, its organization if it is live, and its creator's membership. */
export function linkQueries({ db }: DatabaseContext, hash: string | null) {
  return {
    links: rowsWhere(db, inviteLinks, eq(inviteLinks.tokenHash, hash ?? '')),
    organizations: rowsWhere(
      db,
      organizations,
      sql`${organizations.id} = (${organizationOfLink(hash)}) and ${organizations.deletedAt} is null`
    ),
    creators: rowsWhere(
      db,
      memberships,
      sql`(${memberships.organizationId}, ${memberships.userId}) = (select organization_id, created_by_id
          from seatgate_invite_links where token_hash = ${hash ?? ''})`
    ),
  }
}

/** Builds a subquery of the id of a link's organization. */
export function organizationOfLink(hash: string | null): SQL {
  return sql`select organization_id from seatgate_invite_links where token_hash = ${hash ?? ''}`
}

/**
 * Decides on a token, in this order: invalid (for any reason), revoked, expired, used up. A link is also
 * revoked while the configured roles do not let its creator invite to its role.
 */
export function openLink(
  { roles }: Pick<AccessContext, 'roles'>,
  { links: [link], organizations: [organization], creators: [creator] }: PresentedLink,
  now: Date
): Result<InviteLinkRow, LinkRefusal> {
  if (link === undefined || organization === undefined) {
    return refused({ code: 'invitation_invalid' })
  }
  const own = rolesIn(roles, organization)
  const isTheirs =
    link.createdById === null ||
    (creator?.status === 'active' && mayInvite(own, rightsOf(own, creator), link.role))
  const state = isTheirs ? stateOf(link, now) : 'revoked'
  if (state === 'revoked') return refused({ code: 'invitation_revoked' })
  if (state === 'expired') return refused({ code: 'invitation_expired' })
  return state === 'used_up' ? refused({ code: 'link_used_up' }) : ok(link)
}

/** Builds the use of a link: a guard that it is open and has one left, and the count. */
export function spendUse({ db }: DatabaseContext, link: InviteLinkRow, now: Date): Statement[] {
  const { id, role, domain } = link
  return [
    guard(
      db,
      'stale',
      sql`exists (select 1 from seatgate_invite_links where id = ${id} and revoked_at is null
        and expires_at > ${now.getTime()} and uses_left > 0 and role = ${role} and domain is ${domain})`
    ),
    db
      .update(inviteLinks)
      .set({ usesLeft: sql`${inviteLinks.usesLeft} - 1`, updatedAt: now })
      .where(eq(inviteLinks.id, id)),
  ]
}
