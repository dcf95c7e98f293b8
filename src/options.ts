import type { PublishedCheckpoint, Sealer } from './engine/audit/sealer.ts'
import type { Sink } from './engine/delivery/sink.ts'
import type { Database } from './database/database.ts'
import type { Hooks, LifecycleHooks } from './engine/model/hooks.ts'
import type { EmailVerification } from './engine/model/verified-address.ts'
import type { InvitationRules } from './operations/invitations/invitation-config.ts'
import type { JoinRules } from './operations/joining/join-rules.ts'
import type { Metric } from './base/metric.ts'
import type { StepUp, VerifyPassword } from './engine/access/step-up.ts'
import type { RetentionWindow } from './parts/retention/retention-windows.ts'
import type { Report, WakeUpQueue } from './base/runtime.ts'
import type { SeatProvider } from './engine/seats/provider.ts'
import type { SessionStore } from './engine/model/session-store.ts'
import type { UserTable } from './database/user-table.ts'

/** Options of `createSeatgate`. */
export interface SeatgateOptions<Role extends string = string> {
  /** The host's Drizzle handle on D1, with the tables of `migrations/`. */
  readonly database: Database
  /**
   * Where seats are counted: `ledgerSeats(env.SEATS)`, `d1Seats()` or `unlimitedSeats()`. One that has an
   * object for each organization may seal the audit log there, too.
   */
  readonly seats: SeatProvider & Partial<Sealer>
  /**
   * Where sessions keep their active organization: `d1Sessions()` or the host's own store. Without
   * sessions `"none"`, said on purpose: then nothing has an active organization.
   */
  readonly sessions: SessionStore | 'none'
  /** The limit of an organization without an entitlement. Default `"unlimited"`. */
  readonly defaultSeatLimit?: number | 'unlimited'
  /** The host's users. Without it nobody checks that a new member exists, or shows who it is. */
  readonly users?: UserTable
  /** Checks a password. Slug change and deletion need this or `stepUp`. */
  readonly verifyPassword?: VerifyPassword
  /** Checks another proof than a password. */
  readonly stepUp?: StepUp

  /**
   * The names of the roles. Default owner, admin, member. They are a set, not a hierarchy. Written in
   * the call, they are the type of every role that an operation takes.
   */
  readonly roles?: readonly Role[]
  /** The role of which an organization always keeps one. Default `"owner"`. */
  readonly ownerRole?: NoInfer<Role>
  /** Who invites. Default owner and admin. */
  readonly invitationAdminRoles?: readonly NoInfer<Role>[]
  /** Who adds, suspends and removes members and reads the audit trail. Default as who invites. */
  readonly memberAdminRoles?: readonly NoInfer<Role>[]
  /** Who renames the organization, changes its slug and its policy. Default as who invites. */
  readonly organizationAdminRoles?: readonly NoInfer<Role>[]

  /** What a slug looks like. Default `/^[a-z][a-z0-9-]*[a-z0-9]$/`. */
  readonly slugFormat?: RegExp
  /** How long a slug is, in characters. Default 3 to 63. */
  readonly slugLength?: { readonly min: number; readonly max: number }
  /** Words that are no slugs, in place of the library's own list. */
  readonly reservedSlugs?: readonly string[]
  /** Words that are no slugs, beside the list. */
  readonly additionalReservedSlugs?: readonly string[]
  /** How many days an old slug leads members to the new one. Default 7. */
  readonly slugAliasDays?: number

  /**
   * How many days the answer to an `Idempotency-Key` is kept, or `Infinity`. After that a repeat is an
   * operation of its own. Needs `sweepHandler`. Default 90.
   */
  readonly operationRetentionDays?: number
  /**
   * How the host knows whose addresses are verified. `"always"` says that each address in its table was
   * verified before it got there. Without it no address counts as verified.
   */
  readonly emailVerification?: EmailVerification | 'always'

  /** Invites people by e-mail address: `invitations({ … })`. Default null: there are no invitations. */
  readonly invitations?: InvitationRules | null
  /** Lets people join by domain or on request: `joinRules({ … })`. Default: nobody does. */
  readonly joining?: JoinRules | null

  /** The host's word on what happens. Default: everything is allowed, nobody is told. */
  readonly hooks?: Hooks
  /** Hooks in the life of a user. */
  readonly lifecycle?: LifecycleHooks
  /** How long a hook may take before its operation is refused. Default 5. */
  readonly hookDeadlineSeconds?: number

  /** Whether audit events keep the address a request came from, to be erased apart. Default true. */
  readonly recordIpAddress?: boolean
  /** Whether audit events keep the user agent, to be erased apart. Default true. */
  readonly recordUserAgent?: boolean
  /** Prefixes that the host's own events must not have, in place of those of identity systems. */
  readonly reservedActionPrefixes?: readonly string[]
  /** How large an event's metadata may be, as JSON, in bytes. Default and at most 8192. */
  readonly auditMetadataBytes?: number
  /**
   * The private key of `generateLogKey`, with which checkpoints of the audit log are signed. Without
   * it no log is kept, and nothing can be proven.
   */
  readonly auditLogKey?: string
  /**
   * Keeps signed checkpoints where whoever writes to the database cannot: in R2, say. It is called until
   * the last one of each log was taken, so the same one may come twice. Never replace one by another.
   * What takes longer than 15 seconds counts as not taken.
   */
  readonly publishCheckpoint?: (checkpoint: PublishedCheckpoint) => Promise<unknown>
  /**
   * How long audit events are kept. Needs `auditLogKey`, and `sweepHandler` in the same Worker. Default:
   * for ever.
   */
  readonly retention?: readonly RetentionWindow[]
  /** Where audit events are forwarded to. Default nowhere. */
  readonly sinks?: readonly Sink[]
  /**
   * Wakes the forwarder after each change. Without it events are forwarded after the answer, where
   * `waitUntil` keeps that alive, and otherwise by the sweep.
   */
  readonly queue?: WakeUpQueue
  /** Keeps work after the answer alive; `waitUntil` of `cloudflare:workers`. Default: awaited. */
  readonly waitUntil?: (work: Promise<unknown>) => void
  /**
   * Is called for failures that change no answer, and for stores that did not answer. The default prints
   * one line of JSON to `console.error`: the event, the organization and the message of the innermost
   * cause, without the parameters of statements and without e-mail addresses.
   */
  readonly report?: (report: Report) => void
  /** Counts what happens. What it throws changes nothing. */
  readonly measure?: (metric: Metric) => void
  /** The time. Default the system's clock. */
  readonly now?: () => Date
  /** New ids, never repeated. Default random UUIDs. */
  readonly newId?: () => string
  /** 32 bytes that nobody can guess. Default those of Web Crypto. */
  readonly newSecret?: () => Uint8Array<ArrayBuffer>
  /** Numbers from 0 up to 1, for jitter and for suffixes of slugs. Default `Math.random`. */
  readonly random?: () => number
}
