import { eq, getTableColumns, sql, type SQL } from 'drizzle-orm'
import { batch, renamedColumns, type Queries, type RowsOf } from '../../database/batch.ts'
import { keptQuery } from '../../database/kept-query.ts'
import { quickly } from '../../database/quick-dialect.ts'
import { replicaOf, type Database, type DatabaseContext } from '../../database/database.ts'
import {
  memberships,
  organizations,
  type MembershipRow,
  type OrganizationRow,
} from '../../database/schema/organizations-tables.ts'
import { rightsOf, rolesIn, type AccessContext, type Rights, type Roles } from './roles.ts'
import type { OwnPermission } from './permissions.ts'
import { ok, refused, type AccessRefusal, type Result } from '../../base/result.ts'
import {
  checkCaller,
  isOperator,
  isQuery,
  isSystem,
  isUser,
  type Caller,
  type Principal,
  type Scope,
} from './principal.ts'
import {
  activeOrganizationIdOf,
  confinementOf,
  organizationNamed,
  ownMembership,
} from './organization-ref.ts'

/** The rows of a scope, and those of other queries in the same round trip. */
export interface Found<Q extends Queries> {
  readonly caller: Principal | null
  readonly organization: OrganizationRow | null
  /** The caller's active membership, if the caller is a user. */
  readonly membership: MembershipRow | null
  /** The membership of the target, active or suspended. */
  readonly target: MembershipRow | null
  /** The value of the target's `person`. */
  readonly person: string | null
  /** The value of {@link PlaceOptions.extra}. */
  readonly extra: string | null
  readonly rows: RowsOf<Q>
}

/** Further values that the statement of the organization reads. */
export interface PlaceOptions {
  readonly target?: Target | undefined
  /** A scalar subquery, which may name the columns of the organization. */
  readonly extra?: SQL<string> | null
}

/** A user whose membership is read with the organization. */
export interface Target {
  readonly userId: string
  /** A value of their row in the host's table, such as the address. */
  readonly person?: SQL<string | null>
}

/** The access of a caller to an organization; every decision inside the organization is based on it. */
export interface Access extends Rights {
  readonly caller: Principal
  readonly organization: OrganizationRow
  /** The membership; null if the caller is not a user. */
  readonly membership: MembershipRow | null
  /** The roles of the organization: every decision on a role inside it is made with these. */
  readonly roles: Roles
}

/**
 * Reads the caller, the organization, the caller's membership in it with what the options add, and further
 * queries, all in one round trip. A caller who is confined to an organization finds no other one, and without
 * one in the scope they are unknown.
 */
export async function find<Q extends Queries>(
  db: Database,
  { caller, organization }: Scope,
  queries: Q,
  options: PlaceOptions = {}
): Promise<Found<Q>> {
  if (organization === undefined) {
    const found = await findIn(db, caller, null, queries)
    const isConfined = found.caller !== null && confinementOf(found.caller) !== undefined
    return isConfined ? { ...found, caller: null } : found
  }
  return findIn(db, caller, organizationNamed(organization), queries, options)
}

/** Reads the caller and queries that keep to the caller's own organizations, all in one round trip. */
export function findOwn<Q extends Queries>(
  db: Database,
  caller: Caller,
  queries: Q
): Promise<Found<Q>> {
  return findIn(db, caller, null, queries)
}

/** Reads the same for the active organization of the caller's session, if there is one. */
export async function findActive<Q extends Queries>(
  db: Database,
  caller: Caller,
  queries: Q
): Promise<Found<Q>> {
  const id = activeOrganizationIdOf(caller)
  const named = sql`${eq(organizations.id, sql`${id}`)} and ${organizations.deletedAt} is null`
  return findIn(db, caller, id === null ? null : named, queries)
}

// The organization and the caller's membership in it: one statement, because D1 charges time for each.
const placeOf = /* @__PURE__ */ keptQuery((db, extra: SQL, own: SQL, named: SQL) =>
  db
    .select({
      organization: getTableColumns(organizations),
      membership: renamedColumns(memberships, 'membership'),
      extra: sql<string | null>`${extra}`.as('extra'),
    })
    .from(organizations)
    .leftJoin(memberships, own)
    .where(named)
)

// The same, with the membership of another user.
const placeWithTarget = /* @__PURE__ */ keptQuery(
  (db, person: SQL, extra: SQL, own: SQL, userId: SQL, named: SQL) =>
    db
      .select({
        organization: getTableColumns(organizations),
        membership: renamedColumns(memberships, 'membership'),
        target: renamedColumns(memberships, 'target', 'target'),
        person: sql<string | null>`${person}`.as('target_person'),
        extra: sql<string | null>`${extra}`.as('extra'),
      })
      .from(organizations)
      .leftJoin(memberships, own)
      .leftJoin(
        sql`seatgate_memberships as target`,
        sql`target.organization_id = ${organizations.id} and target.user_id = ${userId}`
      )
      .where(named)
)

type JoinedMembership = { readonly [K in keyof MembershipRow]: MembershipRow[K] | null }

interface PlaceRow {
  readonly organization: OrganizationRow
  readonly membership: JoinedMembership
  readonly target?: JoinedMembership
  readonly person?: string | null
  readonly extra: string | null
}

async function findIn<Q extends Queries>(
  db: Database,
  caller: Caller,
  named: SQL | null,
  queries: Q,
  { target, extra = null }: PlaceOptions = {}
): Promise<Found<Q>> {
  checkCaller(caller)
  const own = ownMembership(caller, organizations.id)
  const place =
    named &&
    (target
      ? placeWithTarget(db, target.person ?? null, extra, own, target.userId, named)
      : placeOf(db, extra, own, named))
  const access: Queries = {
    ...(isQuery(caller) && { $caller: quickly(caller.statement) }),
    ...(place && { $place: place }),
  }
  const replica = replicaOf(db)
  const found: Rows = replica
    ? await replica.read(access, queries, (rows) => accessIn(caller, rows))
    : await batch(db, { ...queries, ...access })
  const asking = callerOf(caller, found)
  if (asking !== null) checkCaller(asking)
  const only = asking === null ? undefined : confinementOf(asking)
  const { organization, ...members } = placeIn(found)
  const isElsewhere = only !== undefined && organization?.id !== only
  return {
    caller: asking,
    organization: isElsewhere ? null : organization,
    ...members,
    rows: found as RowsOf<Q>,
  }
}

type Rows = Readonly<Record<string, readonly unknown[] | undefined>>

function placeIn(rows: Rows): Omit<Found<Queries>, 'caller' | 'rows'> {
  const row = rows['$place']?.[0] as PlaceRow | undefined
  return {
    organization: row?.organization ?? null,
    membership: joined(row?.membership),
    target: joined(row?.target),
    person: row?.person ?? null,
    extra: row?.extra ?? null,
  }
}

function joined(row: JoinedMembership | undefined): MembershipRow | null {
  return row === undefined || row.id === null ? null : (row as MembershipRow)
}

// The parts of an access that a list depends on, as text.
function accessIn(caller: Caller, rows: Rows): string {
  const { organization, membership } = placeIn(rows)
  return JSON.stringify([
    callerOf(caller, rows),
    organization && [organization.id, organization.deletedAt, organization.rolesVersion],
    membership && [membership.id, membership.role, membership.groupRoles, membership.status],
  ])
}

function callerOf(caller: Caller, rows: Rows): Principal | null {
  return isQuery(caller) ? caller.principal(rows['$caller'] ?? []) : caller
}

/**
 * Returns the access of the caller. Refuses with `organization_not_found` if the organization does not
 * exist or the caller is not in it: a stranger cannot distinguish the two.
 */
export function authorize(
  roles: Roles,
  { caller, organization, membership }: Found<Queries>
): Result<Access, Exclude<AccessRefusal, 'insufficient_role'>> {
  if (caller === null) return refused({ code: 'unauthenticated' })
  const role = roleOf(roles, caller, organization, membership)
  if (organization === null || role === null) return refused({ code: 'organization_not_found' })
  const own = rolesIn(roles, organization)
  const rights = rightsOf(own, { ...membership, role })
  return ok({ caller, organization, membership, roles: own, ...rights })
}

/**
 * Returns the access of the caller if their role is one of `allowed`. Roles are a set, not a hierarchy.
 */
export function authorizeRole(
  roles: Roles,
  found: Found<Queries>,
  allowed: readonly string[]
): Result<Access, AccessRefusal> {
  const access = authorize(roles, found)
  if (!access.ok || allowed.includes(access.value.role)) return access
  return refused({ code: 'insufficient_role' })
}

/**
 * Returns the access of the caller if their role has the permission. With `orOwner` an owner needs no
 * permission, for acts on owners, which are theirs alone.
 */
export function authorizeFor(
  roles: Roles,
  found: Found<Queries>,
  permission: OwnPermission,
  { orOwner = false }: { readonly orOwner?: boolean } = {}
): Result<Access, AccessRefusal> {
  const access = authorize(roles, found)
  if (!access.ok || access.value.permissions.includes(permission)) return access
  if (orOwner && access.value.role === roles.owner) return access
  return refused({ code: 'insufficient_role' })
}

// A service account has its role in the organization that it is bound to, and no access to others.
function roleOf(
  roles: Roles,
  caller: Principal,
  organization: OrganizationRow | null,
  membership: MembershipRow | null
): string | null {
  if (isUser(caller)) return membership?.role ?? null
  if (caller.type === 'system') return roles.owner
  if (caller.type === 'anonymous') return null
  return caller.organizationId === organization?.id ? caller.role : null
}

/** An organization, with the membership that lets the caller administer its sinks. */
export type Keeper = Pick<Access, 'organization' | 'membership'>

/**
 * Returns the organization for those who administer its members, and for operators and the host itself,
 * who need no membership.
 */
export function authorizeKeeper(
  { roles }: Pick<AccessContext, 'roles'>,
  found: Found<Queries>
): Result<Keeper, AccessRefusal> {
  const { caller, organization } = found
  if (caller !== null && organization !== null && (isOperator(caller) || isSystem(caller))) {
    return ok({ organization, membership: null })
  }
  return authorizeFor(roles, found, 'members:manage')
}

/**
 * Allows operators and the host itself. Call it before other reads, so that the cost for a stranger does
 * not depend on what exists.
 */
export async function platformOnly(
  { db }: DatabaseContext,
  caller: Scope['caller']
): Promise<Result<Principal, 'unauthenticated' | 'insufficient_role'>> {
  const { caller: by } = await find(db, { caller }, {})
  if (by === null) return refused({ code: 'unauthenticated' })
  return isOperator(by) || isSystem(by) ? ok(by) : refused({ code: 'insufficient_role' })
}
