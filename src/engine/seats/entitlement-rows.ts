/**
 * The rows that a limit is computed from, and their records.
 *
 * @module
 */
import { asc, eq, type SQL } from 'drizzle-orm'
import type { Database } from '../../database/database.ts'
import { rowsWhere } from '../../database/kept-query.ts'
import {
  entitlementOverrides,
  entitlementStates,
  subscriptions,
  type EntitlementStateRow,
  type OverrideRow,
  type SubscriptionRow,
} from '../../database/schema/billing-tables.ts'
import type { entitlements } from '../../database/schema/seats-tables.ts'
import { entitlementOf } from './count-seats.ts'
import type { EntitlementOverride, SeatAmount } from './entitlement.ts'
import type { SubscriptionRecord } from './subscription-state.ts'

const UNLIMITED = -1
const UNKNOWN = -2

/** Builds the queries of everything that an organization's limit is computed from. */
export function entitlementQueries(db: Database, organizationId: string | SQL<string | null>) {
  return {
    entitlement: entitlementOf(db, organizationId),
    override: rowsWhere(
      db,
      entitlementOverrides,
      eq(entitlementOverrides.organizationId, organizationId)
    ),
    subscriptions: db
      .select()
      .from(subscriptions)
      .where(eq(subscriptions.organizationId, organizationId))
      .orderBy(asc(subscriptions.provider), asc(subscriptions.subscriptionId)),
    entitlementState: rowsWhere(
      db,
      entitlementStates,
      eq(entitlementStates.organizationId, organizationId)
    ),
  }
}

/** The rows of {@link entitlementQueries}. */
export interface EntitlementRows {
  readonly entitlement: readonly (typeof entitlements.$inferSelect)[]
  readonly override: readonly OverrideRow[]
  readonly subscriptions: readonly SubscriptionRow[]
  readonly entitlementState: readonly EntitlementStateRow[]
}

/** Reads the row of an override. An amount that is unknown is NaN, which makes the limit unknown. */
export function overrideFrom(row: OverrideRow): EntitlementOverride {
  const { organizationId: _, startsAt, endsAt, before, ...fields } = row
  return {
    ...fields,
    included: amountFrom(row.included),
    cap: amountFrom(row.cap),
    from: startsAt,
    until: endsAt,
    before: before === null ? null : overrideFrom(beforeFrom(before, row)),
  }
}

interface StoredBefore extends Omit<
  OverrideRow,
  'organizationId' | 'startsAt' | 'endsAt' | 'setAt' | 'before'
> {
  readonly startsAt: number | null
  readonly endsAt: number | null
  readonly setAt: number
}

function beforeFrom(text: string, { organizationId }: OverrideRow): OverrideRow {
  const { startsAt, endsAt, setAt, ...fields } = JSON.parse(text) as StoredBefore
  const date = (time: number | null) => (time === null ? null : new Date(time))
  return {
    ...fields,
    organizationId,
    startsAt: date(startsAt),
    endsAt: date(endsAt),
    setAt: new Date(setAt),
    before: null,
  }
}

function beforeText(organizationId: string, override: EntitlementOverride): string {
  const { organizationId: _, before: __, ...row } = overrideRow(organizationId, override)
  const stored: StoredBefore = {
    ...row,
    startsAt: row.startsAt?.getTime() ?? null,
    endsAt: row.endsAt?.getTime() ?? null,
    setAt: row.setAt.getTime(),
  }
  return JSON.stringify(stored)
}

/** Returns the row of an override. */
export function overrideRow(organizationId: string, override: EntitlementOverride): OverrideRow {
  const { included, cap, from, until, before, ...fields } = override
  return {
    ...fields,
    organizationId,
    included: stored(included),
    cap: stored(cap),
    startsAt: from,
    endsAt: until,
    before: before && beforeText(organizationId, before),
  }
}

function amountFrom(value: number | null): SeatAmount | null {
  if (value === UNLIMITED) return 'unlimited'
  return value === UNKNOWN ? Number.NaN : value
}

function stored(amount: SeatAmount | null): number | null {
  if (amount === 'unlimited') return UNLIMITED
  return Number.isNaN(amount) ? UNKNOWN : amount
}

/** Reads the row of a subscription. A quantity that was no whole number is NaN. */
export function subscriptionFrom(row: SubscriptionRow): SubscriptionRecord {
  return { ...row, quantity: row.quantity ?? Number.NaN, addOns: row.addOns ?? Number.NaN }
}

/** Returns the row of a subscription. */
export function subscriptionRow(record: SubscriptionRecord): SubscriptionRow {
  return { ...record, quantity: whole(record.quantity), addOns: whole(record.addOns) }
}

function whole(quantity: number): number | null {
  return Number.isSafeInteger(quantity) && quantity >= 0 ? quantity : null
}
