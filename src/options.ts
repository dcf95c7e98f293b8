import type { Database } from './database/database.ts'
import type { ArchiveContext } from './engine/audit/archived-events.ts'
import type { BillingPart } from './engine/changes/apply-limit.ts'
import type { Brought, Part } from './engine/changes/part.ts'
import type { JoiningMembersContext } from './engine/model/joining-members.ts'
import type { LossContext } from './engine/model/leave.ts'
import type { ScimMembersContext } from './engine/model/scim-members.ts'
import type { SessionStore } from './engine/model/session-store.ts'
import type { SeatProvider } from './engine/seats/provider.ts'
import type { AuditOptions } from './options/audit-options.ts'
import type { HookOptions } from './options/hook-options.ts'
import type { IdempotencyOptions } from './options/idempotency-options.ts'
import type { IdentityOptions } from './options/identity-options.ts'
import type { RoleOptions } from './options/role-options.ts'
import type { PermissionOptions } from './engine/access/permissions.ts'
import type { Roles } from './engine/access/roles.ts'
import type { RuntimeOptions } from './options/runtime-options.ts'
import type { SlugRuleOptions } from './options/slug-options.ts'

/** The parts of a configuration, each null if it was not passed. */
export interface Parts {
  readonly invitations: (Part<'invitations'> & NonNullable<LossContext['invitations']>) | null
  readonly joining: (Part<'joining'> & NonNullable<JoiningMembersContext['joining']>) | null
  readonly scim: (Part<'scim'> & NonNullable<ScimMembersContext['scim']>) | null
  readonly keys: Part<'keys'> | null
  readonly groups: Part<'groups'> | null
  readonly impersonation: Part<'impersonation'> | null
  readonly ownRoles: (Part<'ownRoles'> & { readonly extend: NonNullable<Roles['extend']> }) | null
  readonly forwarding: Part<'forwarding'> | null
  readonly log: Part<'log'> | null
  readonly retention: (Part<'retention'> & NonNullable<ArchiveContext['retention']>) | null
}

/** Options of `createSeatgate`. `Has` says which parts are passed, `Resources` the host's permissions. */
export interface SeatgateOptions<
  Role extends string = string,
  Has extends Parts = Parts,
  Resources extends PermissionOptions = PermissionOptions,
> {
  /** The host's Drizzle handle on D1, with the tables of `migrations/`. */
  readonly database: Database
  /** Where seats are counted: `ledgerSeats(env.SEATS)`, `d1Seats()` or `unlimitedSeats()`. */
  readonly seats: SeatProvider & Brought
  /**
   * Where sessions store their active organization: `d1Sessions()` or the host's own store. Pass `"none"`
   * if there are no sessions; then there is no active organization.
   */
  readonly sessions: SessionStore | 'none'
  /** The users, and how they prove who they are. */
  readonly identity?: IdentityOptions
  /** The roles of members. Default owner, admin and member. */
  readonly roles?: RoleOptions<Role, Resources>
  /** The rules of slugs. */
  readonly slugs?: SlugRuleOptions
  /** Invites people by e-mail address: `invitations({ … })`. Default null: there are no invitations. */
  readonly invitations?: Has['invitations']
  /** Lets users join by domain or on request: `joinRules({ … })`. Default null: not possible. */
  readonly joining?: Has['joining']
  /** Takes users from identity providers: `scim({ … })` of `seatgate/scim`. Default null: not possible. */
  readonly scim?: Has['scim']
  /** Gives organizations API keys: `apiKeys({ … })` of `seatgate/keys`. Default null: not possible. */
  readonly keys?: Has['keys']
  /** Gives organizations groups of members: `groups({ … })` of `seatgate/groups`. Default null: not possible. */
  readonly groups?: Has['groups']
  /** Lets operators act as a user: `impersonation({ … })` of `seatgate/impersonation`. Default null: not possible. */
  readonly impersonation?: Has['impersonation']
  /** Lets organizations make roles of their own: `ownRoles({ … })` of `seatgate/roles`. Default null: not possible. */
  readonly ownRoles?: Has['ownRoles']
  /**
   * Computes limits from plans and subscriptions: `billing({ … })`. Its `baseSeats` take the place of the
   * provider's `defaultLimit`. Default null: operators set the limits.
   */
  readonly billing?: BillingPart | null
  /** The audit trail: what is recorded, forwarded, sealed and deleted. */
  readonly audit?: AuditOptions & {
    readonly forwarding?: Has['forwarding']
    readonly log?: Has['log']
    readonly retention?: Has['retention']
  }
  /** The host's hooks. Default: every change is allowed. */
  readonly hooks?: HookOptions
  /** How long results are stored under an `Idempotency-Key`. */
  readonly idempotency?: IdempotencyOptions
  /** The queue, the functions that keep work alive and report, the clock, ids and randomness. */
  readonly runtime?: RuntimeOptions
}
