import { observed } from '../../engine/access/observed.ts'
import { and, desc, eq, isNull, sql } from 'drizzle-orm'
import { newestFirst, parsePage, toPage, type Page, type PageInput } from '../../base/page.ts'
import { ok, type AccessRefusal, type PageRefusal, type Result } from '../../base/result.ts'
import { inviteLinks } from '../../database/schema/joining-tables.ts'
import { authorizeFor, find } from '../../engine/access/authorize.ts'
import { organizationIdOf } from '../../engine/access/organization-ref.ts'
import { readable } from '../../engine/access/readable.ts'
import type { OrganizationScope } from '../../engine/access/principal.ts'
import { linkRules, linkView, type InviteLink } from './invite-link.ts'
import type { JoiningContext } from './join-rules.ts'

/** Why {@link listInviteLinks} refuses. */
export type ListInviteLinksRefusal = AccessRefusal | PageRefusal

/**
 * Lists the links of an organization that were not revoked, newest first, without their tokens. The caller
 * may invite.
 *
 * Refusals: `AccessRefusal`, `PageRefusal` (on `limit`).
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 * @throws {TypeError} if `joinRules` has no `links`.
 *
 * @example
 * ```ts
 * const page = await listInviteLinks(seatgate, { caller, organization: 'acme' })
 * ```
 */
export function listInviteLinks(
  context: Pick<JoiningContext, 'db' | 'joining' | 'now' | 'roles'>,
  scope: OrganizationScope,
  input: PageInput = {}
): Promise<Result<Page<InviteLink>, ListInviteLinksRefusal>> {
  return observed(context, 'organization.invite_link.list', async (context) => {
    const { db, roles, now } = context
    linkRules(context)
    const { caller, organization } = scope
    const request = parsePage(input, newestFirst('invite_links'))
    const { limit, after } = request.ok ? request.value : { limit: 0, after: null }
    const time = now()
    const found = await find(db, scope, {
      links: db
        .select()
        .from(inviteLinks)
        .where(
          and(
            eq(inviteLinks.organizationId, organizationIdOf(organization)),
            isNull(inviteLinks.revokedAt),
            readable(caller, organization, { roles, permission: 'members:invite' }),
            after
              ? sql`(${inviteLinks.createdAt}, ${inviteLinks.id}) < (${after[0]}, ${after[1]})`
              : undefined
          )
        )
        .orderBy(desc(inviteLinks.createdAt), desc(inviteLinks.id))
        .limit(limit + 1),
    })
    const access = authorizeFor(roles, found, 'members:invite')
    if (!access.ok) return access
    if (!request.ok) return request
    return ok(
      toPage(
        found.rows.links,
        limit,
        (row) => linkView(row, time),
        ({ createdAt, id }) => [createdAt.getTime(), id, 'invite_links']
      )
    )
  })
}
