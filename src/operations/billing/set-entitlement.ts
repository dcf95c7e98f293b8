import * as v from 'valibot'
import { parseInput, jsonNumber, visibleText } from '../../base/input.ts'
import { Instant } from '../../base/instant.ts'
import {
  invalid,
  type InputRefusal,
  type StoreRefusal,
  ok,
  refused,
  type Result,
} from '../../base/result.ts'
import { organizationIdOf } from '../../engine/access/organization-ref.ts'
import {
  isOperator,
  isSystem,
  userIdOf,
  type OrganizationScope,
} from '../../engine/access/principal.ts'
import { billingEvent } from '../../engine/audit/part-actions.ts'
import { perform, type OperationOptions } from '../../engine/changes/operation.ts'
import { inputsFrom, planEntitlement } from '../../engine/model/entitle.ts'
import {
  known,
  isAhead,
  type EntitlementOverride,
  type SeatAmount,
} from '../../engine/seats/entitlement.ts'
import { entitlementQueries } from '../../engine/seats/entitlement-rows.ts'
import { applyLimit, type LimitContext } from '../../engine/changes/apply-limit.ts'
import { entitlementView, type EntitlementView } from './entitlement-view.ts'

const MOST_SEATS = 1_000_000_000

const Seats = jsonNumber({ min: 0, max: MOST_SEATS })

const Included = v.union(
  [v.picklist(['unlimited', 'unknown']), Seats],
  `Must be a whole number from 0 to ${MOST_SEATS}, "unlimited" or "unknown".`
)

const Cap = v.union(
  [v.literal('unlimited'), Seats],
  `Must be a whole number from 0 to ${MOST_SEATS}, or "unlimited".`
)

const Input = v.object(
  {
    included: v.nullish(Included),
    purchased: v.nullish(Seats),
    addOns: v.nullish(Seats),
    cap: v.nullish(Cap),
    from: v.nullish(Instant),
    until: v.nullish(Instant),
    reason: visibleText(500),
  },
  'Must be an object.'
)

/** The input of {@link setEntitlement}. A number that is null or absent stays that of the subscription. */
export interface EntitlementInput {
  /** The included seats. `"unknown"` stops growth once the last known limit is too old. */
  readonly included?: SeatAmount | 'unknown' | null | undefined
  readonly purchased?: number | null | undefined
  readonly addOns?: number | null | undefined
  /** A hard cap; `"unlimited"` lifts that of the plan. */
  readonly cap?: SeatAmount | null | undefined
  /**
   * The start, from now on. Until then the numbers stay as they are, those that were set by hand included.
   * Default: now.
   */
  readonly from?: string | Date | null | undefined
  /** The end, in the future and after the start. Default: without an end. */
  readonly until?: string | Date | null | undefined
  /** The reason, for the audit event; 1 to 500 characters. */
  readonly reason: string
}

/** Why {@link setEntitlement} refuses. */
export type SetEntitlementRefusal =
  | 'unauthenticated'
  | 'organization_not_found'
  | InputRefusal
  | StoreRefusal
  | 'seats_unavailable'

/**
 * Sets numbers of an organization's entitlement by hand: a contract without a provider, or a grant beside
 * a subscription; for operators and the host itself. It replaces what was set before as a whole, from its
 * start on, and without any number it removes that. The limit is computed in the same batch. A limit below the seats in
 * use keeps every member and refuses growth.
 *
 * Refusals: `unauthenticated`, `organization_not_found`, `InputRefusal`, `StoreRefusal`,
 * `seats_unavailable`.
 *
 * @example
 * ```ts
 * const operator = { userId, operator: true }
 * await setEntitlement(seatgate, { caller: operator, organization: 'acme' }, {
 *   included: 25,
 *   until: '2027-01-01T00:00:00Z',
 *   reason: 'Contract 4711',
 * })
 * ```
 */
export async function setEntitlement(
  seatgate: LimitContext,
  scope: OrganizationScope,
  input: EntitlementInput,
  options: OperationOptions = {}
): Promise<Result<EntitlementView, SetEntitlementRefusal>> {
  const { db, seats } = seatgate
  const parsed = parseInput(Input, input)
  const written = await perform(
    seatgate,
    scope,
    {
      name: 'seat.entitlement_change',
      input,
      grows: false,
      refusals: [],
      queries: entitlementQueries(db, organizationIdOf(scope.organization)),
      plan({ organization, rows }, caller, now) {
        if (!isOperator(caller) && !isSystem(caller)) {
          return refused({ code: 'organization_not_found' })
        }
        if (organization === null) return refused({ code: 'organization_not_found' })
        if (!parsed.ok) return parsed
        const { value } = parsed
        const errors = datesAreWrong(value, now)
        if (errors !== null) return refused(invalid(errors))
        if (!seats.enforces) {
          return refused(invalid({ included: ['This seat provider does not limit seats.'] }))
        }
        const { override: earlier } = inputsFrom(rows)
        if (value.from && isRemoval(value)) {
          return refused(invalid({ from: ['Must be with a number that starts then.'] }))
        }
        const override = overrideOf(value, earlier, userIdOf(caller), now)
        const { id } = organization
        const { reason } = value
        const planned = planEntitlement(seatgate, id, rows, { override, reason }, now)
        return ok({
          value: { view: entitlementView(planned), entitlement: planned.entitlement },
          statements: planned.statements,
          events: [
            billingEvent(id, 'seat.entitlement_set', {
              ...eventNumbers(override),
              reason,
              version: planned.entitlement.version,
            }),
            ...planned.events,
          ],
        })
      },
    },
    options
  )
  if (!written.ok) return written
  const { view, entitlement } = written.value
  const applied = await applyLimit(seatgate, entitlement)
  return applied.ok ? ok(view) : applied
}

function isRemoval({ included, purchased, addOns, cap }: v.InferOutput<typeof Input>): boolean {
  return [included, purchased, addOns, cap].every((number) => number == null)
}

function datesAreWrong(
  { from, until }: Pick<v.InferOutput<typeof Input>, 'from' | 'until'>,
  now: Date
): Record<string, string[]> | null {
  if (from && from < now) return { from: ['Must not be in the past.'] }
  if (until && until <= now) return { until: ['Must be in the future.'] }
  if (from && until && until <= from) return { until: ['Must be after `from`.'] }
  return null
}

// Until its start the numbers in force stay. Those that have ended stay on record, so that a limit that
// they gave is not kept as one that no operator has set.
function overrideOf(
  { included, purchased, addOns, cap, from, until, reason }: v.InferOutput<typeof Input>,
  earlier: EntitlementOverride | null,
  actorId: string | null,
  setAt: Date
): EntitlementOverride | null {
  const numbers = {
    included: included === 'unknown' ? Number.NaN : (included ?? null),
    purchased: purchased ?? null,
    addOns: addOns ?? null,
    cap: cap ?? null,
  }
  if (Object.values(numbers).every((number) => number === null)) return null
  const starts = from && from > setAt ? from : null
  const before = starts && (isAhead(earlier, setAt) ? (earlier?.before ?? null) : earlier)
  const kept = before && { ...before, before: null }
  return { ...numbers, from: starts, until: until ?? null, reason, actorId, setAt, before: kept }
}

// The numbers that are set, as the event records them; a removal has no numbers.
function eventNumbers(override: EntitlementOverride | null) {
  if (override === null) return {}
  const { included, purchased, addOns, cap, from, until } = override
  return {
    ...(included !== null && { included: known(included) }),
    ...(purchased !== null && { purchased }),
    ...(addOns !== null && { add_ons: addOns }),
    ...(cap !== null && { cap: known(cap) }),
    ...(from !== null && { from: from.toISOString() }),
    ...(until !== null && { until: until.toISOString() }),
  }
}
