/**
 * Groups of members in the tests: worlds with groups.
 *
 * @module
 */
import { Hono } from 'hono'
import {
  addToGroup,
  createGroup,
  groupRoutes,
  groups,
  type Group,
  type GroupsContext,
  type GroupsOptions,
} from '../../src/hono/groups/index.ts'
import { seatgateRouter } from '../../src/hono/index.ts'
import type { FullSeatgate } from './flat-options.ts'
import { byName, clientOf, type Client } from './http.ts'
import { createKit, unwrap, type Kit, type KitOptions, type TestOrganization } from './kit.ts'

/** A world with groups. */
export interface GroupsKit extends Kit {
  readonly context: FullSeatgate & GroupsContext
  /** Every route, for people by name. */
  readonly client: Client
}

export function createGroupsKit(options: KitOptions = {}, own: GroupsOptions = {}): GroupsKit {
  const part = groups(own)
  const kit = createKit({ provider: 'd1', ...options, groups: part })
  const context = { ...kit.seatgate, groups: part }
  const routing = { authenticate: byName }
  const app = (seatgateRouter(context, routing) as unknown as Hono).route(
    '/',
    groupRoutes(context, routing)
  )
  return { ...kit, context, client: clientOf((url, init) => app.request(url, init)) }
}

/** Creates a group as the owner, with members. */
export async function groupOf(
  { context }: GroupsKit,
  organization: TestOrganization,
  userIds: readonly string[] = []
): Promise<Group> {
  const scope = organization.as(organization.owner)
  const name = `Group ${crypto.randomUUID()}`
  const group = unwrap(await createGroup(context, scope, { name }))
  return userIds.length === 0
    ? group
    : unwrap(await addToGroup(context, scope, group.id, { userIds }))
}
