import { observed } from '../../engine/access/observed.ts'
import { find } from '../../engine/access/authorize.ts'
import type { Scope } from '../../engine/access/principal.ts'
import { ok, refused, type Result } from '../../base/result.ts'
import { shownName } from '../../base/shown-text.ts'
import {
  linkQueries,
  linkRules,
  openLink,
  readLinkToken,
  type LinkRefusal,
  type LinkTokenInput,
} from './invite-link.ts'
import type { JoiningContext } from './join-rules.ts'

/** A link as the page behind it shows it. */
export interface ShownInviteLink {
  readonly organization: { readonly name: string }
  readonly role: string
  /** ISO 8601, UTC. */
  readonly expiresAt: string
}

/** Why {@link viewInviteLink} refuses. */
export type ViewInviteLinkRefusal = 'unauthenticated' | LinkRefusal

/**
 * Shows a link `{ token }` to a signed-in user: the name of the organization, the role and the expiry.
 * Writes no row.
 *
 * Refusals: `unauthenticated`, `LinkRefusal`.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 * @throws {TypeError} if `joinRules` has no `links`.
 *
 * @example
 * ```ts
 * const link = await viewInviteLink(seatgate, { caller: session }, { token })
 * if (link.ok) showJoin(link.value.organization.name)
 * ```
 */
export function viewInviteLink(
  context: Pick<JoiningContext, 'db' | 'joining' | 'now' | 'roles'>,
  { caller }: Scope,
  input: LinkTokenInput
): Promise<Result<ShownInviteLink, ViewInviteLinkRefusal>> {
  return observed(context, 'organization.invite_link.view', async (context) => {
    linkRules(context)
    const read = readLinkToken(input)
    const hash = read.ok ? read.value : null
    const found = await find(context.db, { caller }, linkQueries(context, hash))
    if (found.caller === null) return refused({ code: 'unauthenticated' })
    if (!read.ok) return read
    const open = openLink(context, found.rows, context.now())
    if (!open.ok) return open
    const { role, expiresAt } = open.value
    return ok({
      organization: { name: shownName(found.rows.organizations[0]?.name) ?? '' },
      role,
      expiresAt: expiresAt.toISOString(),
    })
  })
}
