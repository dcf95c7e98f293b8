import { sql } from 'drizzle-orm'
import * as v from 'valibot'
import { normalizeDomain } from '../../base/email.ts'
import { parseInput, wholeNumber } from '../../base/input.ts'
import {
  invalid,
  ok,
  refused,
  type AccessRefusal,
  type InputRefusal,
  type Result,
  type StoreRefusal,
} from '../../base/result.ts'
import { guard } from '../../database/commit.ts'
import { inviteLinks } from '../../database/schema/joining-tables.ts'
import { guardAccess } from '../../engine/access/access-guards.ts'
import { authorizeFor } from '../../engine/access/authorize.ts'
import { organizationIdOf } from '../../engine/access/organization-ref.ts'
import { userIdOf, type OrganizationScope } from '../../engine/access/principal.ts'
import {
  mayInvite,
  roleInput,
  type HasRoles,
  type Roles,
  isConfigured,
  unknownRole,
} from '../../engine/access/roles.ts'
import { linkEvent } from '../../engine/audit/part-actions.ts'
import { perform, type OperationOptions } from '../../engine/changes/operation.ts'
import { hashOfToken, linkRules, linkView, type InviteLink } from './invite-link.ts'
import type { JoiningContext } from './join-rules.ts'

/** The input of {@link createInviteLink}. */
export interface CreateInviteLinkInput<Role extends string = string> {
  /** Any role but the owner's. */
  readonly role: Role
  /** How many users may join by it, 1 to 10,000. */
  readonly maxUses: number
  /** 60 to 31,536,000 (365 days). Default 604,800 (7 days). */
  readonly ttlSeconds?: number | undefined
  /** A mail domain: only users with a verified address in it may join. */
  readonly domain?: string | null | undefined
}

/** A new link with its token. `token` is null if a repeat returns the stored result. */
export interface InviteLinkWithToken extends InviteLink {
  readonly token: string | null
}

/** Why {@link createInviteLink} refuses. */
export type CreateInviteLinkRefusal = AccessRefusal | InputRefusal | StoreRefusal

const MOST_OPEN_LINKS = 100
const DEFAULT_TTL_SECONDS = 7 * 24 * 60 * 60

/**
 * Creates a link `{ role, maxUses, ttlSeconds?, domain? }` by which users join without an invitation. The
 * caller may invite to its role. The token is returned once and stored as a hash; put it behind the `#` of
 * a URL. A link reserves no seat, and ends when its creator loses the right to invite.
 *
 * Refusals: `AccessRefusal`, `InputRefusal` (on `role`, `maxUses`, `ttlSeconds` and `domain`; on `body` if
 * there are 100 open links), `StoreRefusal`.
 *
 * @throws {TypeError} if `joinRules` has no `links`.
 *
 * @example
 * ```ts
 * const link = await createInviteLink(seatgate, scope, { role: 'member', maxUses: 10 })
 * if (link.ok) console.log(`https://app.example/link#${link.value.token}`)
 * ```
 */
export async function createInviteLink<Role extends string = string>(
  context: JoiningContext & HasRoles<Role>,
  scope: OrganizationScope,
  input: CreateInviteLinkInput<NoInfer<Role>>,
  options: OperationOptions = {}
): Promise<Result<InviteLinkWithToken, CreateInviteLinkRefusal>> {
  const { db, roles, newId, newSecret } = context
  linkRules(context)
  const parsed = parseInput(linkInput(roles), input)
  return perform(
    context,
    scope,
    {
      name: 'organization.invite_link.create',
      input,
      grows: false,
      refusals: [],
      // A token is returned once, so the stored result does not contain it.
      sealing: {
        seal: (value) => ({ ...value, token: null }),
        open: async (stored) => ok(stored as InviteLinkWithToken),
      },
      queries: {
        open: db
          .select({ count: sql<number>`count(*)`.as('count') })
          .from(inviteLinks)
          .where(
            sql`${inviteLinks.organizationId} = ${organizationIdOf(scope.organization)}
              and ${inviteLinks.revokedAt} is null and ${isOpen(context.now())}`
          ),
      },
      plan(found, caller, now) {
        const access = authorizeFor(roles, found, 'members:invite')
        if (!access.ok) return access
        if (!parsed.ok) return parsed
        const { role, maxUses, ttlSeconds, domain } = parsed.value
        const { organization } = access.value
        if (!isConfigured(access.value.roles, role)) return unknownRole(access.value.roles)
        // A link ends when its creator loses the right to invite. A machine has no membership to lose.
        const mayGive = mayInvite(access.value.roles, access.value, role)
        if (caller.type === 'service_account' || !mayGive) {
          return refused({ code: 'insufficient_role' })
        }
        if ((found.rows.open[0]?.count ?? 0) >= MOST_OPEN_LINKS) {
          return refused(invalid({ body: [`There are already ${MOST_OPEN_LINKS} open links.`] }))
        }
        const token = tokenOf(newSecret())
        const row = {
          id: newId(),
          organizationId: organization.id,
          tokenHash: hashOfToken(token),
          role,
          domain,
          maxUses,
          usesLeft: maxUses,
          expiresAt: new Date(now.getTime() + ttlSeconds * 1000),
          createdById: userIdOf(caller),
          revokedAt: null,
          revokedById: null,
          createdAt: now,
          updatedAt: now,
        }
        const expiresAt = row.expiresAt.toISOString()
        return ok({
          value: { ...linkView(row, now), token },
          statements: [
            guardAccess(context, access.value),
            guard(
              db,
              'stale',
              sql`(select count(*) from seatgate_invite_links where organization_id = ${organization.id}
                and revoked_at is null and ${isOpen(now)}) < ${MOST_OPEN_LINKS}`
            ),
            db.insert(inviteLinks).values(row),
          ],
          events: [
            linkEvent(row, 'organization.invite_link.created', {
              role,
              max_uses: maxUses,
              expires_at: expiresAt,
              ...(domain !== null && { domain }),
            }),
          ],
        })
      },
    },
    options
  )
}

const isOpen = (now: Date) => sql`uses_left > 0 and expires_at > ${now.getTime()}`

function linkInput(roles: Roles) {
  return v.object(
    {
      role: v.pipe(
        roleInput(roles),
        v.check((role) => role !== roles.owner, 'Must not be the owner’s role.')
      ),
      maxUses: wholeNumber({ min: 1, max: 10_000 }),
      ttlSeconds: v.optional(wholeNumber({ min: 60, max: 31_536_000 }), DEFAULT_TTL_SECONDS),
      domain: v.pipe(
        v.nullish(v.string('Must be a string.'), null),
        v.transform((domain) => domain && (normalizeDomain(domain) ?? '')),
        v.check((domain) => domain !== '', 'Must be a domain, such as example.com.')
      ),
    },
    'Must be an object.'
  )
}

function tokenOf(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/=+$/, '')
}
