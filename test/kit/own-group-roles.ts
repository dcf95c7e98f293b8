/**
 * Groups that carry organizations' own roles in the tests.
 *
 * @module
 */
import { createGroup, addToGroup, groups, type GroupsContext } from '../../src/hono/groups/index.ts'
import { createInvitation, createInviteLink, joinRules, type Result } from '../../src/index.ts'
import { createApiKey } from '../../src/hono/keys/index.ts'
import { db } from './http.ts'
import { newAddress } from './invitations.ts'
import { unwrap, type TestOrganization } from './kit.ts'
import { createRolesKit, type RolesKit } from './roles.ts'

/** A world in which organizations make roles and groups, with links and API keys. */
export interface GroupRolesKit extends Omit<RolesKit, 'context'> {
  readonly context: RolesKit['context'] & GroupsContext
}

export function createGroupRolesKit(): GroupRolesKit {
  const part = groups()
  // Without a waitlist, whose places a freed seat would give out in a further round trip.
  const joining = joinRules({ verifyDomain: () => true, links: {} })
  const kit = createRolesKit({ groups: part, joining, defaultSeatLimit: 1000 })
  return { ...kit, context: { ...kit.context, groups: part } }
}

/** Creates a group that carries a role, as the owner, with members; returns its id. */
export async function groupWith(
  { context }: GroupRolesKit,
  organization: TestOrganization,
  role: string,
  userIds: readonly string[] = []
): Promise<string> {
  const scope = organization.as(organization.owner)
  const name = `Group ${crypto.randomUUID()}`
  const { id } = unwrap(await createGroup(context, scope, { name, role }))
  if (userIds.length > 0) unwrap(await addToGroup(context, scope, id, { userIds }))
  return id
}

/** Makes, as a member, what ends with the rights to it: an invitation, a link and an API key. */
export async function makeAll(
  { context, seatgate }: GroupRolesKit,
  { as }: TestOrganization,
  userId: string
): Promise<void> {
  const key = { name: 'CI', permissions: ['project:read'], endsWithCreator: true }
  const made: Result<unknown>[] = [
    await createInvitation(seatgate, as(userId), { email: newAddress(), role: 'member' }),
    await createInviteLink(seatgate, as(userId), { role: 'member', maxUses: 3 }),
    await createApiKey(context, as(userId), key),
  ]
  made.map((each) => unwrap(each))
}

/** Counts the open invitations, links and keys that a member has made. */
export async function leftOf({ id }: TestOrganization, userId: string): Promise<number[]> {
  const [row] = await db.all<{ invitations: number; links: number; keys: number }>(
    `select (select count(*) from seatgate_invitations where organization_id = '${id}'
        and invited_by_id = '${userId}' and revoked_at is null) as invitations,
      (select count(*) from seatgate_invite_links where organization_id = '${id}'
        and created_by_id = '${userId}' and revoked_at is null) as links,
      (select count(*) from seatgate_api_keys where organization_id = '${id}'
        and created_by_id = '${userId}') as keys`
  )
  return row ? [row.invitations, row.links, row.keys] : []
}

/** The roles of the groups of a member, as the membership has them. */
export async function carriedBy({ id }: TestOrganization, userId: string): Promise<string[]> {
  const [row] = await db.all<{ roles: string | null }>(
    `select group_roles as roles from seatgate_memberships
      where organization_id = '${id}' and user_id = '${userId}'`
  )
  return JSON.parse(row?.roles ?? '[]') as string[]
}

/** All role names that groups, and memberships by them, have. */
export async function namesCarried({ id }: TestOrganization): Promise<string[]> {
  const rows = await db.all<{ role: string }>(
    `select role from seatgate_groups where organization_id = '${id}' and role is not null
      union select value from seatgate_memberships, json_each(group_roles)
        where organization_id = '${id}'`
  )
  return rows.map(({ role }) => role)
}
