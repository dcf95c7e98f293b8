/**
 * Sessions that point somewhere, stores that are elsewhere, and hosts that tell what they know.
 *
 * @module
 */
import { sql } from 'drizzle-orm'
import { Hono } from 'hono'
import { expect } from 'vitest'
import type { Around } from '../../bench/meter.ts'
import {
  loadActiveOrganization,
  type Authenticate,
  type LoadOptions,
  type ScopeEnv,
  type ScopeVariables,
} from '../../src/hono/index.ts'
import {
  removeMember,
  suspendMember,
  type Caller,
  type Pointers,
  type PrincipalQuery,
  type Seatgate,
  type Session,
  type SessionStore,
  type UserPrincipal,
} from '../../src/index.ts'
import { sessionOf, softDeleted } from './every-change.ts'
import { testEnv } from './environment.ts'
import {
  unwrap,
  createKit,
  join,
  newOrganization,
  newUser,
  type TestOrganization,
  type Kit,
} from './kit.ts'

/** What the trail of an organization says of pointers. */
export async function movesOf(organizationId: string) {
  const { results } = await testEnv.DB.prepare(
    `SELECT action, actor_type, actor_id, effective_user_id, target_type, target_id, metadata
     FROM seatgate_audit_events WHERE organization_id = ? AND action LIKE 'organization.active%'
     ORDER BY sequence`
  )
    .bind(organizationId)
    .all<Record<string, string>>()
  return results.map(({ metadata, ...event }) => ({
    ...event,
    metadata: JSON.parse(metadata ?? '') as { from: string | null; to: string | null },
  }))
}

/** The record of one move by a user. */
export function moveBy(
  userId: string,
  organizationId: string,
  action: 'active_switched' | 'active_auto_reassigned',
  from: string | null,
  to: string | null
) {
  return {
    action: `organization.${action}`,
    actor_type: 'user',
    actor_id: userId,
    effective_user_id: userId,
    target_type: 'organization',
    target_id: organizationId,
    metadata: { from, to },
  }
}

/** A session's whole row. */
export function sessionRow({ id }: Session) {
  return testEnv.DB.prepare('SELECT * FROM seatgate_sessions WHERE token_hash = ?').bind(id).first()
}

export async function deleteSession({ id }: Session): Promise<void> {
  await testEnv.DB.prepare('DELETE FROM seatgate_sessions WHERE token_hash = ?').bind(id).run()
}

/** The ways in which an organization can be lost to somebody who worked there. */
export const LOSSES = {
  'the membership is gone': async ({ seatgate }, { as }, userId) => {
    unwrap(await removeMember(seatgate, as(userId), userId))
  },
  'the membership is suspended': async ({ seatgate }, { as, owner }, userId) => {
    unwrap(await suspendMember(seatgate, as(owner), userId))
  },
  'the organization is deleted': async ({ seatgate }, organization) => {
    await softDeleted(seatgate, organization)
  },
} satisfies Record<
  string,
  (kit: Kit, organization: TestOrganization, userId: string) => Promise<void>
>

export type Loss = keyof typeof LOSSES
export const losses = Object.keys(LOSSES) as Loss[]

/** Somebody whose session still points to an organization that they have lost. */
export interface StalePointer {
  readonly userId: string
  readonly session: Session
  readonly lost: TestOrganization
  /** Where they are a member besides. */
  readonly others: readonly TestOrganization[]
  readonly caller: UserPrincipal
}

const calm = createKit({ provider: 'unlimited' })

/** Makes somebody who has lost an organization and has so many others. */
export async function stalePointer(loss: Loss, others: number): Promise<StalePointer> {
  const userId = await newUser()
  const [lost, ...rest] = await belonging(userId, others + 1)
  await LOSSES[loss](calm, lost!, userId)
  await calm.settled()
  const session = await sessionOf(userId, lost!.id)
  return { userId, session, lost: lost!, others: rest, caller: { userId, session } }
}

/** So many organizations of which somebody is a member, the oldest first. */
export async function belonging(userId: string, count: number): Promise<TestOrganization[]> {
  const organizations: TestOrganization[] = []
  for (let made = 0; made < count; made++) {
    const organization = await newOrganization(calm)
    await join(calm, organization, 'member', userId)
    // A creation time of its own: the order of the newest must not hang on the clock's grain.
    await testEnv.DB.prepare('UPDATE seatgate_organizations SET created_at = ? WHERE id = ?')
      .bind(1_000_000 + made, organization.id)
      .run()
    organizations.push(organization)
  }
  return organizations
}

/** Looks a session up in the library's own round trip, as the reference host does by its token. */
export function queryOf({ db }: Seatgate, { id }: Session): PrincipalQuery {
  const field = (name: string) =>
    sql<string | null>`(select seatgate_sessions.${sql.raw(name)} from seatgate_sessions
      where seatgate_sessions.token_hash = ${id})`
  return {
    userId: field('user_id'),
    activeOrganizationId: field('active_organization_id'),
    statement: db
      .select({
        userId: field('user_id').as('session_user'),
        pointer: field('active_organization_id').as('session_pointer'),
      })
      .from(sql`(select 1)`),
    principal: ([row]: readonly { userId: string | null; pointer: string | null }[]) =>
      row?.userId
        ? { userId: row.userId, session: { id, activeOrganizationId: row.pointer } }
        : null,
  }
}

/** The two ways in which a host can say who is asking. */
export const callers = {
  'a known caller': (_seatgate, { userId, session }) => ({ userId, session }),
  'a looked-up caller': (seatgate, { session }) => queryOf(seatgate, session),
} satisfies Record<
  string,
  (seatgate: Seatgate, who: { readonly userId: string; readonly session: Session }) => Caller
>

/** A store that is not in D1, and what it was asked. */
export function sessionsElsewhere(...sessions: Session[]) {
  const pointers = new Map(
    sessions.map(({ id, activeOrganizationId }) => [id, activeOrganizationId])
  )
  const updates: (readonly [id: string, organizationId: string | null])[] = []
  const ends: Pointers[] = []
  const store: SessionStore = {
    async updateActiveOrganization(_db, session, organizationId) {
      updates.push([session.id, organizationId])
      if (!pointers.has(session.id)) return { ok: false, error: { code: 'not_found' } }
      pointers.set(session.id, organizationId)
      return { ok: true, value: { ...session, activeOrganizationId: organizationId } }
    },
    async endActiveOrganization(_db, ended) {
      ends.push(ended)
    },
  }
  return { store, pointers, updates, ends }
}

/** Remembers what D1 is asked, trip by trip. */
export function listening(around: Around = (_trip, run) => run()) {
  const trips: (readonly string[])[] = []
  const heard: Around = (trip, run) => {
    // The first trip of a world also reads the version of the schema.
    const asked = trip.asked.filter((sql) => !sql.includes('"seatgate_schema"'))
    if (trip.store === 'd1') trips.push(asked)
    return around(trip, run)
  }
  return { trips, around: heard }
}

/** Loses the trips of these numbers, the first is 1, on their way or on their way back. */
export function losingTrips(numbers: readonly number[], moment: 'before' | 'after' = 'before') {
  let trips = 0
  const around: Around = async ({ store }, run) => {
    if (store !== 'd1' || !numbers.includes(++trips)) return run()
    if (moment === 'after') await run()
    throw new Error('Network connection lost.')
  }
  return around
}

/** Lets nobody pass before so many have come. */
export function gate(count: number) {
  const open = Promise.withResolvers<void>()
  let come = 0
  return async () => {
    if (++come >= count) open.resolve()
    await open.promise
  }
}

/** A host that tells everything that is on `c.var`. */
export function telling(seatgate: Seatgate, options: LoadOptions) {
  return new Hono<ScopeEnv>()
    .use(loadActiveOrganization(seatgate, options))
    .all('/where', (c) => c.json(c.var))
}

/** Asks such a host. Whatever it does, it leaves cookies alone. */
export async function askWhere(seatgate: Seatgate, caller: Caller | null) {
  const authenticate: Authenticate = () => caller
  const response = await telling(seatgate, { authenticate }).request('/where')
  expect(response.headers.getSetCookie()).toEqual([])
  return { status: response.status, variables: await response.json<ScopeVariables>() }
}
