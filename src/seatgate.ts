import type { NoOptions } from './base/names.ts'
import type { Runtime } from './base/runtime.ts'
import type { Database, UserTable } from './database/database.ts'
import { observedBy } from './engine/access/observed.ts'
import { withQuickDialect } from './database/quick-dialect.ts'
import type { PermissionOf, PermissionOptions } from './engine/access/permissions.ts'
import type { Roles } from './engine/access/roles.ts'
import type { StepUp, VerifyPassword } from './engine/access/step-up.ts'
import type { ConsumerTraits, TrailConsumer } from './engine/audit/consumers.ts'
import type { EventRules } from './engine/audit/event-rules.ts'
import type { BillingPart } from './engine/changes/apply-limit.ts'
import { defaultLimitOf } from './engine/seats/billing-rules.ts'
import type { Follower, Listener, RefusalCounts } from './engine/changes/change-context.ts'
import type { Brought, Part, Sweep } from './engine/changes/part.ts'
import type { HookContext } from './engine/model/hooks.ts'
import type { RoleHolderContext } from './engine/model/role-holders.ts'
import type { SessionStore } from './engine/model/session-store.ts'
import type { SlugRules } from './engine/model/slug.ts'
import type { EmailVerification } from './engine/model/exclusions.ts'
import { unlimited } from './engine/seats/limit.ts'
import type { SeatTypes } from './base/seat-types.ts'
import type { SeatContext, SeatProvider } from './engine/seats/provider.ts'
import type { Parts, SeatgateOptions } from './options.ts'
import { checkedAudit } from './options/audit-options.ts'
import { checkedHooks } from './options/hook-options.ts'
import { checkedIdempotency } from './options/idempotency-options.ts'
import { checkedIdentity } from './options/identity-options.ts'
import { ANY, checkOptions, hasMethods, part, wrong, type Rules } from './options/option-group.ts'
import { checkedRoles } from './options/role-options.ts'
import { checkedRuntime } from './options/runtime-options.ts'
import { checkedSlugs } from './options/slug-options.ts'
import type { RecordedData } from './proof/personal.ts'
import { unscoped } from './tenancy/unscoped.ts'

/**
 * A checked configuration: what every function of the library works with. `Role` is the union of the
 * configured roles, where they were written as a list of literals. `Has` says which parts it has:
 * functions of a part take a configuration that has the part. `Permission` is the union of all permissions.
 */
export interface Seatgate<
  Role extends string = string,
  Has extends Parts = Parts,
  Permission extends string = string,
>
  extends Runtime, HookContext {
  readonly db: Database
  readonly report: Runtime['report']
  readonly seats: SeatProvider
  readonly seatContext: SeatContext
  /** The store of sessions; null if sessions have no active organization. */
  readonly sessions: SessionStore | null
  readonly users: UserTable | null
  readonly roles: Roles<Role, Permission>
  readonly slugs: SlugRules
  readonly verifyPassword: VerifyPassword | null
  readonly stepUp: StepUp | null
  readonly emailVerification: EmailVerification | 'always' | null
  readonly invitations: Has['invitations']
  readonly joining: Has['joining']
  readonly scim: Has['scim']
  readonly keys: Has['keys']
  readonly groups: Has['groups']
  readonly impersonation: Has['impersonation']
  readonly ownRoles: Has['ownRoles']
  readonly forwarding: Has['forwarding']
  readonly log: Has['log']
  readonly retention: Has['retention']
  /** The rules of billing; null without it: then operators set the limits. */
  readonly billing: BillingPart | null
  /** The limits of users; null without them. */
  readonly limits: Part<'limits'> | null
  /** Which personal data of a request are recorded. */
  readonly recordedData: RecordedData
  readonly eventRules: EventRules
  readonly operationRetentionDays: number
  readonly cursorSecret: string | null
  readonly refusals: RefusalCounts
  /** Those of all parts. */
  readonly consumers: readonly TrailConsumer[]
  readonly absentConsumers: readonly ConsumerTraits[]
  readonly listeners: readonly Listener[]
  readonly sweeps: readonly Sweep[]
  readonly followers: readonly Follower[]
  readonly roleHolders: RoleHolderContext['roleHolders']
  readonly creators: RoleHolderContext['creators']
}

const RULES: Rules<SeatgateOptions> = {
  database: ['be a Drizzle handle on D1', (value) => hasMethods(value, 'batch')],
  seats: ['be a seat provider, such as ledgerSeats()', (value) => hasMethods(value, 'reserve')],
  sessions: [
    'be a session store, such as d1Sessions(), or "none"',
    (value) =>
      value === 'none' || hasMethods(value, 'updateActiveOrganization', 'endActiveOrganization'),
  ],
  identity: ANY,
  roles: ANY,
  slugs: ANY,
  invitations: part('invitations'),
  joining: part('joinRules'),
  scim: part('scim'),
  keys: part('apiKeys'),
  groups: part('groups'),
  impersonation: part('impersonation'),
  ownRoles: part('ownRoles'),
  billing: part('billing'),
  audit: ANY,
  hooks: ANY,
  idempotency: ANY,
  runtime: ANY,
}

/**
 * Checks a configuration at start.
 *
 * @throws {TypeError} if an option is invalid. The message names it.
 *
 * @example
 * ```ts
 * import { env, waitUntil } from 'cloudflare:workers'
 *
 * export const seatgate = createSeatgate({
 *   database: drizzle(env.DB),
 *   seats: ledgerSeats(env.SEATS),
 *   sessions: d1Sessions(),
 *   runtime: { queue: env.AUDIT_QUEUE, waitUntil },
 * })
 * ```
 */
export function createSeatgate<
  const Role extends string = string,
  Invitations extends Parts['invitations'] = null,
  Joining extends Parts['joining'] = null,
  Scim extends Parts['scim'] = null,
  Keys extends Parts['keys'] = null,
  Groups extends Parts['groups'] = null,
  Impersonation extends Parts['impersonation'] = null,
  OwnRoles extends Parts['ownRoles'] = null,
  Forwarding extends Parts['forwarding'] = null,
  Log extends Parts['log'] = null,
  Retention extends Parts['retention'] = null,
  const Resources extends PermissionOptions = NoOptions,
>(
  options: SeatgateOptions<
    Role,
    {
      readonly invitations: Invitations
      readonly joining: Joining
      readonly scim: Scim
      readonly keys: Keys
      readonly groups: Groups
      readonly impersonation: Impersonation
      readonly ownRoles: OwnRoles
      readonly forwarding: Forwarding
      readonly log: Log
      readonly retention: Retention
    },
    Resources
  >
): Seatgate<
  OwnRoles extends null ? Role : string,
  {
    readonly invitations: Invitations
    readonly joining: Joining
    readonly scim: Scim
    readonly keys: Keys
    readonly groups: Groups
    readonly impersonation: Impersonation
    readonly ownRoles: OwnRoles
    readonly forwarding: Forwarding
    readonly log: Log
    readonly retention: Retention
  },
  PermissionOf<Resources>
> {
  checkOptions<SeatgateOptions>(options, RULES)
  const { seats, sessions, audit } = options
  const auditRules = checkedAudit(audit)
  const parts = {
    invitations: (options.invitations ?? null) as Invitations,
    joining: (options.joining ?? null) as Joining,
    scim: (options.scim ?? null) as Scim,
    keys: (options.keys ?? null) as Keys,
    groups: (options.groups ?? null) as Groups,
    impersonation: (options.impersonation ?? null) as Impersonation,
    ownRoles: (options.ownRoles ?? null) as OwnRoles,
    forwarding: (audit?.forwarding ?? null) as Forwarding,
    log: (audit?.log ?? null) as Log,
    retention: (audit?.retention ?? null) as Retention,
    billing: options.billing ?? null,
    limits: options.identity?.limits ?? null,
  }
  // The library scopes its own queries; the guard of `tenantDatabase` is for the host's.
  const quick = withQuickDialect(unscoped(options.database))
  const runtime = checkedRuntime(options.runtime)
  const { measure, trace } = options.runtime ?? {}
  const db = measure || trace ? observedBy(quick, runtime) : quick
  const defaultLimit = defaultLimitOf(parts.billing, seats.defaultLimit ?? unlimited)
  const configured = checkedRoles(options.roles)
  const roles = { ...configured, extend: parts.ownRoles?.extend ?? null }
  const { seatTypes } = roles
  const isWaiting = parts.joining?.members.isWaiting(roles) ?? null
  const seatContext = { db, defaultLimit, seatTypes, isWaiting, now: runtime.now }
  checkSeatTypes(seatTypes, seats)
  const seatgate = {
    ...runtime,
    db,
    seats,
    seatContext,
    sessions: sessions === 'none' ? null : sessions,
    ...checkedIdentity(options.identity),
    roles,
    slugs: checkedSlugs(options.slugs),
    ...parts,
    ...auditRules,
    ...checkedHooks(options.hooks),
    operationRetentionDays: checkedIdempotency(options.idempotency),
    refusals: new Map(),
    ...foldParts([seats, ...Object.values(parts)]),
  } satisfies Seatgate<Role>
  for (const each of Object.values(parts)) each?.check?.(seatgate)
  return seatgate
}

function checkSeatTypes(seatTypes: SeatTypes, seats: SeatProvider): void {
  if (seatTypes.size > 0 && seats.countsTypes !== true) {
    throw wrong('roles.seatTypes needs a seat provider that counts types, such as ledgerSeats().')
  }
}

/** Joins the lists of the parts. Several parts may have the same value, which is then there once. */
function foldParts(parts: readonly (Brought | null)[]): Required<Brought> {
  const joined = Object.keys(NOTHING).map((list) => {
    const all = parts.flatMap<unknown>((each) => each?.[list as keyof Brought] ?? [])
    return [list, [...new Set(all)]]
  })
  const folded = Object.fromEntries(joined) as Required<Brought>
  const ids = [...folded.consumers, ...folded.absentConsumers].map(({ id }) => id)
  const twice = ids.find((id, index) => ids.indexOf(id) !== index)
  if (twice !== undefined) throw wrong(`two consumers of the trail have the id "${twice}".`)
  return folded
}

const NOTHING: Required<Brought> = {
  consumers: [],
  absentConsumers: [],
  listeners: [],
  sweeps: [],
  followers: [],
  roleHolders: [],
  creators: [],
}
