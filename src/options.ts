import type { PublishedCheckpoint, Sealer } from './engine/audit/sealer.ts'
import type { Sink } from './engine/delivery/sink.ts'
import type { Database, UserTable } from './database/database.ts'
import type { Hooks, LifecycleHooks } from './engine/model/hooks.ts'
import type { EmailVerification } from './engine/model/exclusions.ts'
import type { InvitationRules } from './operations/invitations/invitation-config.ts'
import type { JoinRules } from './operations/joining/join-rules.ts'
import type { Metric, Report, WakeUpQueue } from './base/runtime.ts'
import type { StepUp, VerifyPassword } from './engine/access/step-up.ts'
import type { RetentionWindow } from './parts/retention/retention-windows.ts'
import type { SeatProvider } from './engine/seats/provider.ts'
import type { SessionStore } from './engine/model/session-store.ts'

/** Options of `createSeatgate`. */
export interface SeatgateOptions<Role extends string = string> {
  /** The host's Drizzle handle on D1, with the tables of `migrations/`. */
  readonly database: Database
  /**
   * Where seats are counted: `ledgerSeats(env.SEATS)`, `d1Seats()` or `unlimitedSeats()`. A provider with
   * an object for each organization may also seal the audit log there.
   */
  readonly seats: SeatProvider & Partial<Sealer>
  /**
   * Where sessions store their active organization: `d1Sessions()` or the host's own store. Pass `"none"`
   * if there are no sessions; then there is no active organization.
   */
  readonly sessions: SessionStore | 'none'
  /** The limit of an organization without an entitlement. Default `"unlimited"`. */
  readonly defaultSeatLimit?: number | 'unlimited'
  /**
   * The host's users. Without them the library cannot check that a new member exists, or show their data.
   */
  readonly users?: UserTable
  /** Verifies a password. Changing a slug and deleting need this or `stepUp`. */
  readonly verifyPassword?: VerifyPassword
  /** Verifies another proof than a password. */
  readonly stepUp?: StepUp

  /**
   * The names of the roles. Default owner, admin, member. They are a set, not a hierarchy. As a literal
   * in the call, they type the roles of every operation.
   */
  readonly roles?: readonly Role[]
  /** The role that at least one member of an organization always has. Default `"owner"`. */
  readonly ownerRole?: NoInfer<Role>
  /** The roles that may invite. Default owner and admin. */
  readonly invitationAdminRoles?: readonly NoInfer<Role>[]
  /**
   * The roles that may add, suspend and remove members and read the audit trail. Default
   * `invitationAdminRoles`.
   */
  readonly memberAdminRoles?: readonly NoInfer<Role>[]
  /**
   * The roles that may rename the organization, change its slug and its policy. Default
   * `invitationAdminRoles`.
   */
  readonly organizationAdminRoles?: readonly NoInfer<Role>[]

  /** The format of a slug. Default `/^[a-z][a-z0-9-]*[a-z0-9]$/`. */
  readonly slugFormat?: RegExp
  /** The length of a slug, in characters. Default 3 to 63. */
  readonly slugLength?: { readonly min: number; readonly max: number }
  /** Reserved slugs, in place of the library's own list. */
  readonly reservedSlugs?: readonly string[]
  /** Reserved slugs, in addition to the list. */
  readonly additionalReservedSlugs?: readonly string[]
  /** For how many days an old slug redirects members to the new one. Default 7. */
  readonly slugAliasDays?: number

  /**
   * For how many days the result of an `Idempotency-Key` is stored, or `Infinity`. After that a repeat is
   * a new operation. Needs `sweepHandler`. Default 90.
   */
  readonly operationRetentionDays?: number
  /**
   * How the host knows which addresses are verified. `"always"` means that every address in its table was
   * verified before. Without it no address counts as verified.
   */
  readonly emailVerification?: EmailVerification | 'always'

  /** Invites people by e-mail address: `invitations({ … })`. Default null: there are no invitations. */
  readonly invitations?: InvitationRules | null
  /** Lets users join by domain or on request: `joinRules({ … })`. Default: not possible. */
  readonly joining?: JoinRules | null

  /** The host's hooks. Default: every change is allowed. */
  readonly hooks?: Hooks
  /** Hooks in the life of a user. */
  readonly lifecycle?: LifecycleHooks
  /** For how many seconds a hook may run before its operation is refused. Default 5. */
  readonly hookDeadlineSeconds?: number

  /** Whether audit events record the IP address of a request, which can be erased. Default true. */
  readonly recordIpAddress?: boolean
  /** Whether audit events record the user agent, which can be erased. Default true. */
  readonly recordUserAgent?: boolean
  /** Prefixes that the host's own events must not have, in place of those of identity systems. */
  readonly reservedActionPrefixes?: readonly string[]
  /** The largest size of an event's metadata, as JSON, in bytes. Default and at most 8192. */
  readonly auditMetadataBytes?: number
  /**
   * The private key of `generateLogKey`, which signs the checkpoints of the audit log. Without it there
   * is no log, and no event can be proven.
   */
  readonly auditLogKey?: string
  /**
   * Stores signed checkpoints where writers of the database have no access, for example in R2. It is
   * called until the last one of each log was accepted, so one may arrive twice. Never replace one by
   * another. A call that takes longer than 15 seconds counts as failed.
   */
  readonly publishCheckpoint?: (checkpoint: PublishedCheckpoint) => Promise<unknown>
  /**
   * How long audit events are kept. Needs `auditLogKey`, and `sweepHandler` in the same Worker. Default:
   * without an end.
   */
  readonly retention?: readonly RetentionWindow[]
  /** The destinations of audit events. Empty by default. */
  readonly sinks?: readonly Sink[]
  /**
   * Wakes the forwarder after each change. Without it events are forwarded after the response if
   * `waitUntil` is set, and otherwise by the sweep.
   */
  readonly queue?: WakeUpQueue
  /**
   * Keeps work alive after the response; `waitUntil` of `cloudflare:workers`. By default the response
   * waits.
   */
  readonly waitUntil?: (work: Promise<unknown>) => void
  /**
   * Receives failures that change no response, and stores that did not answer. The default prints one
   * line of JSON to `console.error`: the event, the organization and the message of the innermost cause,
   * without the parameters of statements and without e-mail addresses.
   */
  readonly report?: (report: Report) => void
  /** Receives metrics. An error in it is ignored. */
  readonly measure?: (metric: Metric) => void
  /** Returns the time. Default: the system's clock. */
  readonly now?: () => Date
  /** Returns a new id, never repeated. Default: random UUIDs. */
  readonly newId?: () => string
  /** Returns 32 random bytes. Default: from Web Crypto. */
  readonly newSecret?: () => Uint8Array<ArrayBuffer>
  /** Returns a number from 0 up to 1, for jitter and for suffixes of slugs. Default `Math.random`. */
  readonly random?: () => number
}
