import type { EventRules } from './operations/audit/host-event-rules.ts'
import { cursorKey } from './operations/audit/list.ts'
import type { WithSeatCount } from './engine/audit/record-events.ts'
import { checkedSinks } from './parts/forwarding/forwarding.ts'
import type { AuditLog } from './parts/log/log.ts'
import type { Sink } from './engine/delivery/sink.ts'
import type { Listener } from './engine/changes/change-context.ts'
import {
  checkedEventRules,
  checkedHooks,
  checkedInvitations,
  checkedOperationRetention,
  checkedJoining,
  checkedLifecycle,
  checkedLimit,
  checkedLog,
  checkedRetention,
  checkedRoles,
  checkedSeconds,
  checkedSessions,
  checkedSlugs,
  checkedProofs,
  checkedVerification,
  quietly,
} from './configuration.ts'
import type { Database, UserTable } from './database/database.ts'
import type { Hooks, LifecycleHooks } from './engine/model/hooks.ts'
import type { InvitationRules } from './operations/invitations/invitation-config.ts'
import type { JoinRules } from './operations/joining/join-rules.ts'
import type { Roles } from './engine/access/roles.ts'
import { checkSeatgateOptions } from './option-names.ts'
import type { EmailVerification } from './engine/model/exclusions.ts'
import type { StepUp, VerifyPassword } from './engine/access/step-up.ts'
import type { SeatgateOptions } from './options.ts'
import type { SlugRules } from './engine/model/slug.ts'
import type { RecordedData } from './proof/personal.ts'
import { reportToConsole } from './report-to-console.ts'
import { retentionListeners, type RetentionWindow } from './parts/retention/retention-windows.ts'
import type { Runtime, WakeUpQueue } from './base/runtime.ts'
import type { SeatContext, SeatProvider } from './engine/seats/provider.ts'
import { RefusalCounts } from './engine/seats/reserve-rules.ts'
import { withSeatCount } from './engine/seats/counts.ts'
import type { SessionStore } from './engine/model/session-store.ts'
import { unscoped } from './tenancy/tenant-database.ts'

/** The parts of a configuration, each null if it was not passed. */
export interface Parts {
  readonly invitations: InvitationRules | null
  readonly joining: JoinRules | null
}

/**
 * A checked configuration: what every function of the library works with. `Role` is the union of the
 * configured roles, where `roles` was written as a list of literals. `Has` says which parts it has:
 * functions of a part take a configuration that has the part.
 */
export interface Seatgate<Role extends string = string, Has extends Parts = Parts> extends Runtime {
  readonly db: Database
  readonly seats: SeatProvider
  readonly seatContext: SeatContext
  readonly withSeatCount: WithSeatCount
  /** The store of sessions; null if sessions have no active organization. */
  readonly sessions: SessionStore | null
  readonly users: UserTable | null
  readonly roles: Roles<Role>
  readonly slugs: SlugRules
  readonly verifyPassword: VerifyPassword | null
  readonly stepUp: StepUp | null
  readonly emailVerification: EmailVerification | 'always' | null
  readonly invitations: Has['invitations']
  /** The rules of joining; null if users join only by invitation or by being added. */
  readonly joining: Has['joining']
  readonly hooks: Hooks
  readonly lifecycle: LifecycleHooks
  readonly hookDeadlineSeconds: number
  readonly sinks: readonly Sink[]
  /** Sinks that are missing for now: the events that they have not received are kept for them. */
  readonly missingSinks: readonly Sink[]
  /** Which personal data of a request are recorded. */
  readonly recordedData: RecordedData
  readonly eventRules: EventRules
  /** The log; null if none is configured. */
  readonly log: AuditLog | null
  /** How long events are kept; none: for ever. */
  readonly operationRetentionDays: number
  readonly retention: readonly RetentionWindow[]
  readonly cursorKey: Uint8Array
  readonly refusals: RefusalCounts
  readonly queue: WakeUpQueue | null
  readonly listeners: readonly Listener[]
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
 *   queue: env.AUDIT_QUEUE,
 *   waitUntil,
 * })
 * ```
 */
export function createSeatgate<
  const Role extends string = string,
  Invitations extends Parts['invitations'] = null,
  Joining extends Parts['joining'] = null,
>(
  options: SeatgateOptions<Role> & {
    readonly invitations?: Invitations
    readonly joining?: Joining
  }
): Seatgate<Role, { readonly invitations: Invitations; readonly joining: Joining }> {
  checkSeatgateOptions(options)
  if (typeof options.database?.batch !== 'function') {
    throw new TypeError('createSeatgate: database must be a Drizzle handle on D1.')
  }
  if (typeof options.seats?.reserve !== 'function') {
    throw new TypeError('createSeatgate: seats must be a seat provider, such as ledgerSeats().')
  }
  const defaultLimit = checkedLimit(options.defaultSeatLimit ?? 'unlimited')
  // The library scopes its own queries; the guard of `tenantDatabase` is for the host's.
  const db = unscoped(options.database)
  const now = options.now ?? (() => new Date())
  const seatContext: SeatContext = { db, defaultLimit, now }
  const outbox = options.seats.outbox?.(seatContext)
  const queue = options.queue ?? null
  const report = options.report ?? reportToConsole
  const joining = checkedJoining(options)
  const sinks = [...(outbox ? [outbox] : []), ...(options.sinks ?? [])]
  const forwarding = checkedSinks(sinks, { queue, report })
  const retention = checkedRetention(options)
  return {
    db,
    seats: options.seats,
    seatContext,
    withSeatCount: (metadata, organizationId, at) =>
      withSeatCount(metadata, seatContext, organizationId, at),
    sessions: checkedSessions(options.sessions),
    users: options.users ?? null,
    roles: checkedRoles(options),
    slugs: checkedSlugs(options),
    ...checkedProofs(options),
    emailVerification: checkedVerification(options),
    invitations: checkedInvitations(options.invitations ?? null) as Invitations,
    joining: joining as Joining,
    newSecret: options.newSecret ?? (() => crypto.getRandomValues(new Uint8Array(32))),
    hooks: checkedHooks(options.hooks ?? {}),
    lifecycle: checkedLifecycle(options.lifecycle ?? {}),
    hookDeadlineSeconds: checkedSeconds('hookDeadlineSeconds', options.hookDeadlineSeconds ?? 5),
    sinks: forwarding.sinks,
    missingSinks: forwarding.missingSinks,
    recordedData: {
      ipAddress: options.recordIpAddress ?? true,
      userAgent: options.recordUserAgent ?? true,
    },
    eventRules: checkedEventRules(options),
    log: checkedLog(options),
    operationRetentionDays: checkedOperationRetention(options),
    retention,
    cursorKey: cursorKey(options.invitations?.secret),
    refusals: new RefusalCounts(),
    queue,
    listeners: [
      ...retentionListeners(retention),
      forwarding.listener,
      ...(joining?.listeners ?? []),
    ],
    waitUntil: options.waitUntil ?? null,
    report,
    measure: quietly(options.measure),
    now,
    newId: options.newId ?? (() => crypto.randomUUID()),
    random: options.random ?? Math.random,
  }
}
