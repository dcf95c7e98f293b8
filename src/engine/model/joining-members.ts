/**
 * The work of the part of joining when members come and go, and when an organization is deleted. The part
 * carries it, so that a host without joining does not load it and reads no such row.
 *
 * @module
 */
import { and, eq, inArray, sql, type SQL } from 'drizzle-orm'
import type { Runtime } from '../../base/runtime.ts'
import type { DatabaseContext, Statement, UserContext } from '../../database/database.ts'
import {
  exclusions,
  joinRequests,
  organizationDomains,
} from '../../database/schema/joining-tables.ts'
import { jobs } from '../../database/schema/changes-tables.ts'
import { attributionOf, type Principal } from '../access/principal.ts'
import { hasKnownRole } from '../access/role-conditions.ts'
import type { Roles } from '../access/roles.ts'
import { addressOf, exclude, excluding, exclusionsOf, readmit, readmitUsers } from './exclusions.ts'
import type { HookContext } from './hooks.ts'
import { personOf } from './membership.ts'

/** The context of a function that excludes users from joining, or lets them in again. */
export interface JoiningMembersContext {
  /** Null without the part. */
  readonly joining: { readonly members: JoiningMembers } | null
}

/** An organization that excludes a user who is to be deleted, and the user's address. */
export interface OwnExclusion {
  readonly organizationId: string
  readonly address: string | null
}

/** Selects the organizations that exclude a user by their id. */
function exclusionsBy(context: UserContext, userId: SQL<string | null> | string | null) {
  return context.db
    .select({
      organizationId: exclusions.organizationId,
      address: sql<string | null>`${personOf(context, userId).address}`.as('address'),
    })
    .from(exclusions)
    .where(eq(exclusions.userId, sql`${userId}`))
}

/**
 * Builds the exclusion of a deleted user by their current address, from the organizations in which they
 * are suspended or that exclude them already.
 */
function excludeAgain(
  context: DatabaseContext & Pick<Runtime, 'newId' | 'newSecret'>,
  userId: string,
  from: readonly OwnExclusion[],
  now: Date
): Statement[] {
  const places = new Set(from.map(({ organizationId }) => organizationId))
  const people = [...places].map((organizationId) => ({ organizationId, userId }))
  return exclude(context, people, [{ email: from[0]?.address ?? null }], now)
}

/** Builds the end of the requests, the waitlist and the domains of an organization that is deleted. */
function closeAll(
  context: DatabaseContext & Pick<HookContext, 'hooks'> & Pick<Runtime, 'newId'>,
  caller: Principal,
  organizationId: string,
  now: Date
): readonly Statement[] {
  return [
    ...callHooks(context, caller, organizationId, now),
    ...closeDoors(context, organizationId, now),
  ]
}

// One statement for any number of requests: it creates the rows of the hooks' jobs, and the sweep runs
// them.
function callHooks(
  { db, hooks, newId }: DatabaseContext & Pick<HookContext, 'hooks'> & Pick<Runtime, 'newId'>,
  caller: Principal,
  organizationId: string,
  now: Date
): readonly Statement[] {
  if (!hooks.afterJoinRequestClose) return []
  const createdAt = sql`strftime('%Y-%m-%dT%H:%M:%fZ', created_at / 1000.0, 'unixepoch')`
  const id = sql`${newId()} || ':' || id`
  const actor = JSON.stringify(attributionOf(caller).actor)
  const payload = sql`json_object('request', json_object('id', id, 'organizationId', organization_id,
      'userId', user_id, 'role', role, 'state', 'closed',
      'createdAt', ${createdAt}, 'updatedAt', ${now.toISOString()}),
    'path', 'organization_deleted', 'actor', json(${actor}), 'eventId', ${id})`
  return [
    db.insert(jobs).select(sql`select ${id}, organization_id, 'afterJoinRequestClose', ${payload},
      0, ${now.getTime()}, null, ${now.getTime()} from seatgate_join_requests
      where organization_id = ${organizationId} and state in ('open', 'waiting')`),
  ]
}

// The waitlist ends with the organization, and its domains may be verified for another one.
function closeDoors(
  { db }: DatabaseContext,
  organizationId: string,
  now: Date
): readonly Statement[] {
  return [
    db
      .update(joinRequests)
      .set({ state: 'closed', updatedAt: now })
      .where(
        and(
          eq(joinRequests.organizationId, organizationId),
          inArray(joinRequests.state, ['open', 'waiting'])
        )
      ),
    db
      .update(organizationDomains)
      .set({ verifiedAt: null, updatedAt: now })
      .where(eq(organizationDomains.organizationId, organizationId)),
  ]
}

/**
 * Builds the condition on requests to join that their users wait for a seat. A request for a role that is no
 * longer configured keeps its place, and blocks no other user.
 */
export function isWaiting(roles: Roles): SQL {
  return sql`state = 'waiting' and ${hasKnownRole(roles)}`
}

/** The functions that a context with the part of joining has. */
export const joiningMembers = {
  addressOf,
  exclusionsOf,
  exclusionsBy,
  excluding,
  exclude,
  excludeAgain,
  readmit,
  readmitUsers,
  closeAll,
  isWaiting,
}

export type JoiningMembers = typeof joiningMembers
