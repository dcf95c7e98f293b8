import { observed } from '../../engine/access/observed.ts'
import { partOf } from '../../engine/changes/part.ts'
import { and, asc, desc, eq, getTableColumns, gt, sql, type SQL } from 'drizzle-orm'
import * as v from 'valibot'
import { invitations } from '../../database/schema/invitations-tables.ts'
import type { AccessContext } from '../../engine/access/roles.ts'
import { organizationIdOf } from '../../engine/access/organization-ref.ts'
import { readable } from '../../engine/access/readable.ts'
import { find, authorize } from '../../engine/access/authorize.ts'
import { newestFirst, parsePage, toPage, type Page, type PageInput } from '../../base/page.ts'
import { ok, refused, type PageRefusal, type Result } from '../../base/result.ts'
import { userIdOf, type OrganizationScope, type Scope } from '../../engine/access/principal.ts'
import { hasUserId, type UserContext } from '../../database/database.ts'
import { namedUsers, usersNamedIn, type NamedUser } from '../../engine/model/named-users.ts'
import { shownOrganization } from '../../base/shown-text.ts'
import { isPending, isPendingOnPage } from '../../engine/seats/counts.ts'
import { invitationView, type Invitation } from '../../engine/model/invitation.ts'
import { knownUser } from '../../engine/model/invitation-lookup.ts'
import type { InvitationContext } from './invitation-config.ts'

/** An invitation of the caller, and its organization. */
export interface OwnInvitation extends Invitation {
  readonly organization: { readonly id: string; readonly name: string; readonly slug: string }
}

/** Why {@link listInvitations} refuses. */
export type ListInvitationsRefusal = 'unauthenticated' | 'organization_not_found' | PageRefusal

/**
 * Lists the pending invitations of an organization, newest first, for its members.
 *
 * Refusals: `unauthenticated`, `organization_not_found`, `PageRefusal` (on `limit`).
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * const page = await listInvitations(seatgate, { caller, organization: 'acme' })
 * ```
 */
export async function listInvitations(
  context: AccessContext & Pick<InvitationContext, 'invitations' | 'now'>,
  scope: OrganizationScope,
  input: PageInput = {}
): Promise<Result<Page<Invitation>, ListInvitationsRefusal>> {
  const listed = await listInvitationsAndUsers({ ...context, users: null }, scope, input)
  if (!listed.ok) return listed
  const { data, nextCursor } = listed.value
  return ok({ data, nextCursor })
}

/** Lists invitations as `listInvitations` does, and the users of the host who sent them. */
export function listInvitationsAndUsers(
  context: AccessContext & UserContext & Pick<InvitationContext, 'invitations' | 'now'>,
  scope: OrganizationScope,
  input: PageInput = {}
): Promise<
  Result<Page<Invitation> & { readonly users: readonly NamedUser[] }, ListInvitationsRefusal>
> {
  return observed(context, 'organization.invitation.list', async (context) => {
    const { db, roles, now } = context
    partOf(context, 'invitations')
    const { caller, organization } = scope
    const request = parsePage(input, newestFirst('invitations'))
    const { limit, after } = request.ok ? request.value : { limit: 0, after: null }
    const time = now()
    const pending = db
      .select()
      .from(invitations)
      .where(
        and(
          eq(invitations.organizationId, organizationIdOf(organization)),
          isPendingOnPage(time),
          readable(caller, organization),
          olderThan(after)
        )
      )
      .orderBy(desc(invitations.createdAt), desc(invitations.id))
      .limit(limit + 1)
    const found = await find(db, scope, {
      invitations: pending,
      users: usersNamedIn(context, sql`select invited_by_id from (${pending})`),
    })
    const access = authorize(roles, found)
    if (!access.ok) return access
    if (!request.ok) return request
    const page = toPage(
      found.rows.invitations,
      limit,
      (row) => invitationView(row, time),
      ({ createdAt, id }) => [createdAt.getTime(), id, 'invitations']
    )
    return ok({ ...page, users: namedUsers(found.rows.users) })
  })
}

/** Why {@link listOwnInvitations} refuses. */
export type ListOwnInvitationsRefusal = 'unauthenticated' | PageRefusal

// An address has at most one invitation of each organization. In this order their unique key finds a page.
const OWN = v.strictTuple([v.string(), v.literal('own_invitations')])

/**
 * Lists the pending invitations to the caller's own address: of live organizations, and only if the host
 * knows that the address is verified. Each page is sorted newest first; the pages follow each other in the
 * order of the organizations' ids. Accepting an invitation still requires its token.
 *
 * Refusals: `unauthenticated`, `PageRefusal` (on `limit`).
 *
 * @throws {TypeError} if the host has configured no `users` or no `emailVerification`.
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * const page = await listOwnInvitations(seatgate, { caller: session })
 * ```
 */
export function listOwnInvitations(
  context: Pick<InvitationContext, 'db' | 'emailVerification' | 'invitations' | 'now' | 'users'>,
  { caller }: Scope,
  input: PageInput = {}
): Promise<Result<Page<OwnInvitation>, ListOwnInvitationsRefusal>> {
  return observed(context, 'organization.invitation.list_own', async (context) => {
    partOf(context, 'invitations')
    const { db, users, now } = context
    if (context.emailVerification === null) {
      throw new TypeError('listOwnInvitations needs identity.emailVerification in createSeatgate.')
    }
    const request = parsePage(input, OWN)
    const { limit, after } = request.ok ? request.value : { limit: 0, after: null }
    const time = now()
    const user = knownUser(context, userIdOf(caller))
    const address = users
      ? sql`(select ${users.email} from ${users} where ${hasUserId(users, userIdOf(caller))})`
      : sql`null`
    const { caller: asking, rows } = await find(
      db,
      { caller },
      {
        user,
        own: db
          .select({
            ...getTableColumns(invitations),
            organization: sql<
              string | null
            >`(select json_object('id', o.id, 'name', o.name, 'slug', o.slug)
            from seatgate_organizations o where o.id = seatgate_invitations.organization_id and o.deleted_at is null)`.as(
              'organization'
            ),
          })
          .from(invitations)
          .where(
            and(
              sql`${invitations.email} = ${address}`,
              isPending(time),
              sql`exists (select 1 from seatgate_organizations o
              where o.id = seatgate_invitations.organization_id and o.deleted_at is null)`,
              after ? gt(invitations.organizationId, after[0]) : undefined
            )
          )
          .orderBy(asc(invitations.organizationId))
          .limit(limit + 1),
      }
    )
    if (asking === null) return refused({ code: 'unauthenticated' })
    if (!request.ok) return request
    const [known] = rows.user
    const own = known && known.verified !== 0 ? rows.own : []
    const { data, nextCursor } = toPage(
      own,
      limit,
      ({ organization, ...row }) => ({
        ...invitationView(row, time),
        organization: shownOrganization(
          JSON.parse(organization ?? 'null') as OwnInvitation['organization']
        ),
      }),
      ({ organizationId }): v.InferOutput<typeof OWN> => [organizationId, 'own_invitations']
    )
    const byAge = (a: Invitation, b: Invitation) => b.createdAt.localeCompare(a.createdAt)
    return ok({ data: data.toSorted(byAge), nextCursor })
  })
}

function olderThan(after: readonly [number, string, string] | null): SQL | undefined {
  return after
    ? sql`(${invitations.createdAt}, ${invitations.id}) < (${after[0]}, ${after[1]})`
    : undefined
}
