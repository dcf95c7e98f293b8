/**
 * Changes what an organization's limit is computed from, and the limit with it, in one batch.
 *
 * @module
 */
import { eq, sql, type SQL } from 'drizzle-orm'
import { organizationEvent, type EventDraft } from '../audit/event.ts'
import { guardLive } from '../access/access-guards.ts'
import { guard } from '../../database/commit.ts'
import type { DatabaseContext, Statement } from '../../database/database.ts'
import {
  entitlementOverrides,
  entitlementStates,
  subscriptions,
} from '../../database/schema/billing-tables.ts'
import { entitlements } from '../../database/schema/seats-tables.ts'
import { baseSeatsOf, unknownEnd, type BillingContext } from '../seats/billing-rules.ts'
import { seatsUsed } from '../seats/counts.ts'
import { entitlementFrom } from '../seats/count-seats.ts'
import { isAhead, type EntitlementOverride } from '../seats/entitlement.ts'
import { entitledNow, type EntitledNow, type EntitlementInputs } from '../seats/entitled-now.ts'
import {
  overrideFrom,
  overrideRow,
  subscriptionFrom,
  subscriptionRow,
  type EntitlementRows,
} from '../seats/entitlement-rows.ts'
import { graceNoticeAt } from '../seats/notice-level.ts'
import { isSameLimit, limitView, type SeatLimit } from '../seats/limit.ts'
import type { Entitlement, ProviderContext } from '../seats/provider.ts'
import type { SeatTypeLimits } from '../../base/seat-types.ts'
import { earliest, type SubscriptionRecord } from '../seats/subscription-state.ts'

/** The context of a function that changes entitlements. */
export interface EntitleContext
  extends DatabaseContext, BillingContext, Pick<ProviderContext, 'seatContext'> {}

/** A change of the inputs of a limit. Without a field the input stays. */
export interface EntitlementChange {
  /** The new override; null removes it. */
  readonly override?: EntitlementOverride | null
  readonly subscription?: SubscriptionRecord
  /** The version of the entitlement, and of a limit that is written though it is the same. */
  readonly version?: number
  /** Whether the clock makes it: what is due by then is tried again after a while. */
  readonly swept?: boolean
  /** The reason, for the event of a changed limit. */
  readonly reason?: string | null
}

/** A planned change of an entitlement. */
export interface PlannedEntitlement {
  readonly entitled: EntitledNow
  /** The entitlement in force after the batch; version 0 if the default applies. */
  readonly entitlement: Entitlement
  readonly override: EntitlementOverride | null
  readonly unknownSince: Date | null
  readonly dueAt: Date | null
  readonly statements: readonly Statement[]
  readonly events: readonly EventDraft[]
}

/** Returns the inputs that the rows record. */
export function inputsFrom(
  rows: Pick<EntitlementRows, 'override' | 'subscriptions'>
): EntitlementInputs {
  const [override] = rows.override
  return {
    override: override ? overrideFrom(override) : null,
    subscriptions: rows.subscriptions.map(subscriptionFrom),
  }
}

/**
 * Plans the limit that the inputs give at `now`, after a change of them. An unknown limit leaves the last
 * known one in force for a bounded time. The batch is guarded by the revision that was read, so that two
 * changes never compute a limit from each other's past.
 */
export function planEntitlement(
  context: EntitleContext,
  organizationId: string,
  rows: EntitlementRows,
  change: EntitlementChange,
  now: Date
): PlannedEntitlement {
  const inputs = changed(inputsFrom(rows), change)
  const [state] = rows.entitlementState
  const present = presentOf(context, organizationId, rows)
  const entitled = kept(context, inputs, change, present, now)
  const unknownSince = entitled.limit.kind === 'unknown' ? (state?.unknownSince ?? now) : null
  const heldUntil = unknownSince && unknownEnd(context, unknownSince)
  const isHeld = heldUntil !== null && now < heldUntil
  const limit = isHeld ? present.limit : entitled.limit
  const { typeLimits } = entitled
  const isSame =
    isSameLimit(limit, present.limit) && areSameLimits(context, typeLimits, present.typeLimits)
  const isNew = change.version !== undefined || !isSame
  const version = change.version ?? present.version + 1
  const typed = Object.keys(typeLimits).length > 0 && { typeLimits }
  const entitlement = isNew ? { organizationId, limit, version, ...typed } : present
  const next = earliest([entitled.nextChange, isHeld ? heldUntil : null])
  return {
    entitled,
    entitlement,
    override: inputs.override,
    unknownSince,
    dueAt: next,
    statements: [
      guardLive(context, organizationId),
      guardAsRead(context, organizationId, rows),
      ...writeInputs(context, organizationId, change),
      writeState(context, organizationId, rows, {
        entitled,
        limit,
        unknownSince,
        next,
        now,
        swept: change.swept === true,
      }),
      ...(isNew ? [writeLimit(context, entitlement, change.reason ?? null, now)] : []),
    ],
    events: isNew ? [limitChanged(entitlement, rows, change.reason ?? null)] : [],
  }
}

// Without billing a limit that subscriptions gave stays, until an operator sets another one.
function kept(
  context: EntitleContext,
  inputs: EntitlementInputs,
  change: EntitlementChange,
  { limit, version, typeLimits }: Entitlement,
  now: Date
): EntitledNow {
  const entitled = entitledNow(context, inputs, now)
  const { override } = inputs
  const isFirstAhead = isAhead(override, now) && override?.before === null
  const isSetByHand = (override !== null || change.override !== undefined) && !isFirstAhead
  if (context.billing !== null || version === 0) return entitled
  const types = { ...entitled.typeLimits, ...typeLimits }
  if (isSetByHand) return { ...entitled, typeLimits: types }
  return { ...entitled, seats: baseSeatsOf(limit), limit, typeLimits: types }
}

function changed(
  { override, subscriptions: records }: EntitlementInputs,
  change: EntitlementChange
): EntitlementInputs {
  const { subscription } = change
  const others = records.filter((record) => !isSame(record, subscription))
  return {
    override: change.override === undefined ? override : change.override,
    subscriptions: subscription ? [...others, subscription] : records,
  }
}

function isSame(record: SubscriptionRecord, other: SubscriptionRecord | undefined): boolean {
  return record.provider === other?.provider && record.subscriptionId === other.subscriptionId
}

function presentOf(
  { seatContext }: EntitleContext,
  organizationId: string,
  { entitlement: [row] }: EntitlementRows
): Entitlement {
  return row
    ? entitlementFrom(row)
    : { organizationId, version: 0, limit: seatContext.defaultLimit }
}

// A type without a stored limit has that of the configuration.
function areSameLimits(
  { seatContext: { seatTypes } }: EntitleContext,
  limits: SeatTypeLimits,
  present: SeatTypeLimits = {}
): boolean {
  return [...seatTypes].every(
    ([type, { defaultLimit }]) => limits[type] === (present[type] ?? defaultLimit)
  )
}

/** Guards that no input of the limit, and not the limit itself, has changed since it was read. */
export function guardAsRead(
  { db }: DatabaseContext,
  organizationId: string,
  { entitlement: [row], entitlementState: [state] }: EntitlementRows
): Statement {
  return guard(
    db,
    'stale',
    sql`coalesce((select version from seatgate_entitlements
        where organization_id = ${organizationId}), 0) = ${row?.version ?? 0}
      and coalesce((select revision from seatgate_entitlement_states
        where organization_id = ${organizationId}), 0) = ${state?.revision ?? 0}`
  )
}

function writeInputs(
  { db }: DatabaseContext,
  organizationId: string,
  { override, subscription }: EntitlementChange
): readonly Statement[] {
  const statements: Statement[] = []
  if (override === null) {
    statements.push(
      db.delete(entitlementOverrides).where(eq(entitlementOverrides.organizationId, organizationId))
    )
  } else if (override !== undefined) {
    const row = overrideRow(organizationId, override)
    statements.push(
      db
        .insert(entitlementOverrides)
        .values(row)
        .onConflictDoUpdate({ target: entitlementOverrides.organizationId, set: row })
    )
  }
  if (subscription) {
    const row = subscriptionRow(subscription)
    statements.push(
      db
        .insert(subscriptions)
        .values(row)
        .onConflictDoUpdate({
          target: [subscriptions.provider, subscriptions.subscriptionId],
          set: row,
        })
    )
  }
  return statements
}

interface NextState {
  readonly entitled: EntitledNow
  readonly limit: SeatLimit
  readonly unknownSince: Date | null
  readonly next: Date | null
  readonly now: Date
  readonly swept: boolean
}

// Seats are counted at the place of the statement in the batch: a member who leaves in between counts.
function writeState(
  context: EntitleContext,
  organizationId: string,
  rows: EntitlementRows,
  { entitled, limit, unknownSince, next, now, swept }: NextState
): Statement {
  const [state] = rows.entitlementState
  const isOver = above(organizationId, limit, now)
  const before = presentOf(context, organizationId, rows).limit
  const wasOver = state?.overSince ? above(organizationId, before, now) : null
  const { policy, overGraceDays } = entitled
  const graceEnd = policy === 'allow_with_grace' ? later(now, overGraceDays) : null
  const since = whenThen(wasOver, state?.overSince ?? null, now)
  const until = whenThen(wasOver, state?.overGraceEnd ?? graceEnd, graceEnd)
  const end = policy === 'block_change' ? null : (state?.overGraceEnd ?? graceEnd ?? now)
  const retried = swept && end && end <= now ? new Date(now.getTime() + RETRY_MS) : end
  // The end of a grace is noticed before it.
  const noticeAt = retried && graceNoticeAt(state?.overSince ?? now, retried)
  const due = noticeAt && noticeAt > now ? noticeAt : retried
  const row = {
    organizationId,
    revision: (state?.revision ?? 0) + 1,
    unknownSince,
    overSince: isOver && sql`case when ${isOver} then ${since} end`,
    overGraceEnd: isOver && sql`case when ${isOver} then ${until} end`,
    dueAt:
      isOver && due
        ? sql`case when ${isOver} then ${time(earliest([next, due]))} else ${time(next)} end`
        : next,
  }
  return context.db
    .insert(entitlementStates)
    .values(row)
    .onConflictDoUpdate({
      target: entitlementStates.organizationId,
      set: {
        revision: sql`excluded.revision`,
        unknownSince: sql`excluded.unknown_since`,
        overSince: sql`excluded.over_since`,
        overGraceEnd: sql`excluded.over_grace_end`,
        dueAt: sql`excluded.due_at`,
      },
    })
}

// Null if the limit is not a number, which no use exceeds.
function above(organizationId: string, limit: SeatLimit, now: Date): SQL | null {
  if (limit.kind !== 'finite') return null
  return sql`${seatsUsed(organizationId, now)} > ${limit.seats}`
}

function whenThen(condition: SQL | null, then: Date | null, otherwise: Date | null): SQL {
  if (condition === null) return time(otherwise)
  return sql`case when ${condition} then ${time(then)} else ${time(otherwise)} end`
}

// A bound number is a real number to D1, hence the cast.
function time(instant: Date | null): SQL {
  return instant ? sql`cast(${instant.getTime()} as integer)` : sql`null`
}

// For how long an excess that could not be suspended waits, such as one of owners.
const RETRY_MS = 15 * 60 * 1000
const DAY_MS = 24 * 60 * 60 * 1000

function later(now: Date, days: number): Date {
  return new Date(now.getTime() + days * DAY_MS)
}

function writeLimit(
  { db }: DatabaseContext,
  { organizationId, version, limit, typeLimits }: Entitlement,
  reason: string | null,
  now: Date
): Statement {
  const row = {
    organizationId,
    version,
    limitKind: limit.kind,
    limitSeats: limit.kind === 'finite' ? limit.seats : null,
    typeLimits: typeLimits ?? null,
    reason,
    updatedAt: now,
  }
  return db
    .insert(entitlements)
    .values(row)
    .onConflictDoUpdate({ target: entitlements.organizationId, set: row })
}

function limitChanged(
  { organizationId, version, limit, typeLimits }: Entitlement,
  { entitlement: [row] }: EntitlementRows,
  reason: string | null
): EventDraft {
  return organizationEvent(organizationId, 'seat.limit_changed', {
    version,
    limit: limitView(limit),
    old_limit: row ? limitView(entitlementFrom(row).limit) : null,
    ...(typeLimits && { type_limits: typeLimits }),
    ...(reason && { reason }),
  })
}
