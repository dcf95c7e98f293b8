import {
  known,
  type EntitlementOverride,
  type SeatAmountView,
} from '../../engine/seats/entitlement.ts'
import { limitView, type SeatLimitView } from '../../engine/seats/limit.ts'
import type { PlannedEntitlement } from '../../engine/model/entitle.ts'

/** An override in responses. */
export interface OverrideView {
  readonly included: SeatAmountView | null
  readonly purchased: number | null
  readonly addOns: number | null
  readonly cap: SeatAmountView | null
  /** The start that is ahead or past; null: it applied at once. */
  readonly from: string | null
  readonly until: string | null
  readonly reason: string | null
  /** The operator who has set it; null for the host itself. */
  readonly actorId: string | null
  readonly setAt: string
  /** The numbers that were set before, and apply until `from`; null without them. */
  readonly before: OverrideView | null
}

/** An entitlement in responses to operators. */
export interface EntitlementView {
  readonly included: SeatAmountView
  readonly purchased: number | 'unknown'
  readonly addOns: number | 'unknown'
  /** The hard cap; null without one. */
  readonly cap: number | null
  /** The limit in force. While the numbers are unknown it is the last known one, for a bounded time. */
  readonly limit: SeatLimitView
  /** The version of the limit in force; 0 while the default applies. */
  readonly version: number
  /** The numbers that an operator has set, in force or not; null without them. */
  readonly override: OverrideView | null
  /** Since when the numbers are unknown; null while they are known. */
  readonly unknownSince: string | null
  /** When the clock changes the limit next; null if it does not. */
  readonly nextChange: string | null
}

/** Returns an entitlement as responses have it. */
export function entitlementView({
  entitled,
  entitlement,
  override,
  unknownSince,
  dueAt,
}: PlannedEntitlement): EntitlementView {
  const { included, purchased, addOns, cap } = entitled.seats
  return {
    included: known(included),
    purchased: known(purchased),
    addOns: known(addOns),
    cap,
    limit: limitView(entitlement.limit),
    version: entitlement.version,
    override: override && overrideView(override),
    unknownSince: unknownSince?.toISOString() ?? null,
    nextChange: dueAt?.toISOString() ?? null,
  }
}

function overrideView({
  from,
  until,
  setAt,
  included,
  cap,
  before,
  ...rest
}: EntitlementOverride): OverrideView {
  return {
    included: included === null ? null : known(included),
    purchased: rest.purchased,
    addOns: rest.addOns,
    cap: cap === null ? null : known(cap),
    from: from?.toISOString() ?? null,
    until: until?.toISOString() ?? null,
    reason: rest.reason,
    actorId: rest.actorId,
    setAt: setAt.toISOString(),
    before: before && overrideView(before),
  }
}
