import type { SQLiteColumn, SQLiteTable } from 'drizzle-orm/sqlite-core'
import type { Sink } from './audit/sink.ts'
import type { Database } from './database/database.ts'
import { seatLimit, type SeatLimit } from './seats/limit.ts'
import type { SeatContext, SeatProvider } from './seats/provider.ts'

/** The host's table of users, in Drizzle. Read only: members are shown with it. */
export type UserTable = SQLiteTable & {
  readonly id: SQLiteColumn
  readonly email: SQLiteColumn
  readonly name: SQLiteColumn
}

/** A wake-up on the queue: ids only. Losing one costs time, never an event. */
export interface WakeUp {
  readonly organizationId: string
}

/** Where wake-ups are sent; a Cloudflare Queue is one. */
export interface WakeUpQueue {
  send(message: WakeUp, options?: { readonly delaySeconds?: number }): Promise<unknown>
  sendBatch(messages: readonly { readonly body: WakeUp }[]): Promise<unknown>
}

/** Something that went wrong where no caller could be told. `error` may hold personal data. */
export interface Report {
  readonly event: string
  readonly organizationId?: string
  readonly error: unknown
}

/** Options of {@link createSeatgate}. */
export interface SeatgateOptions {
  /** The host's Drizzle handle on D1, with the tables of `migrations/`. */
  readonly database: Database
  /** Where seats are counted: `ledgerSeats(env.SEATS)`, `d1Seats()` or `unlimitedSeats()`. */
  readonly seats: SeatProvider
  /** The limit of an organization without an entitlement. Default `"unlimited"`. */
  readonly defaultSeatLimit?: number | 'unlimited'
  /** The host's users. Without it nobody checks that a new member exists, or shows who it is. */
  readonly users?: UserTable
  /** The names of the roles. Default owner, admin, member. They are a set, not a hierarchy. */
  readonly roles?: readonly string[]
  /** The role of which an organization always keeps one. Default `"owner"`. */
  readonly ownerRole?: string
  /** Who adds and removes members and reads the audit trail. Default owner and admin. */
  readonly memberAdminRoles?: readonly string[]
  /** Who renames the organization. Default as `memberAdminRoles`. */
  readonly organizationAdminRoles?: readonly string[]
  /** Where audit events are forwarded to. Default nowhere. */
  readonly sinks?: readonly Sink[]
  /** Wakes the forwarder after each change. Without it the sweep alone forwards. */
  readonly queue?: WakeUpQueue
  /** Keeps work after the answer alive; `waitUntil` of `cloudflare:workers`. Default: awaited. */
  readonly waitUntil?: (work: Promise<unknown>) => void
  /** Hears of failures that change no answer. Default: `console.error` with the event's name. */
  readonly report?: (report: Report) => void
  /** The time. Default the system's clock. */
  readonly now?: () => Date
  /** New ids, never repeated. Default random UUIDs. */
  readonly newId?: () => string
  /** Numbers from 0 up to 1, for jitter. Default `Math.random`. */
  readonly random?: () => number
}

/** A checked configuration: what every function of the library works with. */
export interface Seatgate {
  readonly db: Database
  readonly seats: SeatProvider
  readonly seatContext: SeatContext
  readonly users: UserTable | null
  readonly roles: Roles
  readonly sinks: readonly Sink[]
  readonly queue: WakeUpQueue | null
  readonly waitUntil: ((work: Promise<unknown>) => void) | null
  readonly report: (report: Report) => void
  readonly now: () => Date
  readonly newId: () => string
  readonly random: () => number
}

/** The configured roles, and what they may do. */
export interface Roles {
  readonly all: readonly string[]
  readonly owner: string
  readonly memberAdmins: readonly string[]
  readonly organizationAdmins: readonly string[]
}

/**
 * Checks a configuration, once, at start.
 *
 * @throws {TypeError} naming the option that is wrong.
 *
 * @example
 * ```ts
 * import { env, waitUntil } from 'cloudflare:workers'
 *
 * export const seatgate = createSeatgate({
 *   database: drizzle(env.DB),
 *   seats: ledgerSeats(env.SEATS),
 *   queue: env.AUDIT_QUEUE,
 *   waitUntil,
 * })
 * ```
 */
export function createSeatgate(options: SeatgateOptions): Seatgate {
  if (typeof options.database?.batch !== 'function') {
    throw new TypeError('createSeatgate: database must be a Drizzle handle on D1.')
  }
  if (typeof options.seats?.reserve !== 'function') {
    throw new TypeError('createSeatgate: seats must be a seat provider, such as ledgerSeats().')
  }
  const defaultLimit = checkedLimit(options.defaultSeatLimit ?? 'unlimited')
  const seatContext: SeatContext = { db: options.database, defaultLimit }
  const outbox = options.seats.outbox?.(seatContext)
  return {
    db: options.database,
    seats: options.seats,
    seatContext,
    users: options.users ?? null,
    roles: checkedRoles(options),
    sinks: checkedSinks([...(outbox ? [outbox] : []), ...(options.sinks ?? [])]),
    queue: options.queue ?? null,
    waitUntil: options.waitUntil ?? null,
    report: options.report ?? ((report) => console.error(report.event)),
    now: options.now ?? (() => new Date()),
    newId: options.newId ?? (() => crypto.randomUUID()),
    random: options.random ?? Math.random,
  }
}

function checkedLimit(value: number | 'unlimited'): SeatLimit {
  const limit = seatLimit(value)
  if (limit.kind === 'unknown') {
    throw new TypeError(
      'createSeatgate: defaultSeatLimit must be "unlimited" or a whole number from 0.'
    )
  }
  return limit
}

function checkedRoles(options: SeatgateOptions): Roles {
  const all = options.roles ?? ['owner', 'admin', 'member']
  if (options.roles && !(options.ownerRole && options.memberAdminRoles)) {
    throw new TypeError('createSeatgate: roles needs ownerRole and memberAdminRoles beside it.')
  }
  const owner = options.ownerRole ?? 'owner'
  const memberAdmins = options.memberAdminRoles ?? ['owner', 'admin']
  const organizationAdmins = options.organizationAdminRoles ?? memberAdmins
  const known = (name: string, roles: readonly string[]) => {
    const stranger = roles.find((role) => !all.includes(role))
    if (stranger !== undefined) {
      throw new TypeError(`createSeatgate: ${name} has "${stranger}", which is not in roles.`)
    }
    if (roles.length === 0) throw new TypeError(`createSeatgate: ${name} must not be empty.`)
  }
  known('ownerRole', [owner])
  known('memberAdminRoles', memberAdmins)
  known('organizationAdminRoles', organizationAdmins)
  return { all, owner, memberAdmins, organizationAdmins }
}

function checkedSinks(sinks: readonly Sink[]): readonly Sink[] {
  const ids = sinks.map((sink) => sink.id)
  const twice = ids.find((id, index) => ids.indexOf(id) !== index)
  if (twice !== undefined) throw new TypeError(`createSeatgate: two sinks have the id "${twice}".`)
  return sinks
}
