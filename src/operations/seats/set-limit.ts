import * as v from 'valibot'
import { LineOfText, atMost, jsonNumber, parseInput } from '../../base/input.ts'
import { applyLimit, type LimitContext } from '../../engine/changes/apply-limit.ts'
import { perform } from '../../engine/changes/operation.ts'
import { unchanged } from '../../engine/model/plan.ts'
import { organizationIdOf } from '../../engine/access/organization-ref.ts'
import {
  invalid,
  ok,
  refused,
  type AccessRefusal,
  type CommitRefusal,
  type InputRefusal,
  type Result,
} from '../../base/result.ts'
import {
  isOperator,
  isSystem,
  userIdOf,
  type OrganizationScope,
} from '../../engine/access/principal.ts'
import { planEntitlement } from '../../engine/model/entitle.ts'
import type { EntitlementOverride } from '../../engine/seats/entitlement.ts'
import { entitlementQueries } from '../../engine/seats/entitlement-rows.ts'
import {
  isSameLimit,
  limitView,
  seatLimit,
  usageView,
  type SeatLimit,
  type SeatUsage,
} from '../../engine/seats/limit.ts'
import { seenByMemberOrOperator } from './usage.ts'
import { entitlementFrom } from '../../engine/seats/counts.ts'

const LONGEST_REASON = 500

// Half of the exact integers. The other half is left for changes without a version, which take the next
// one and so never reach the end.
const LARGEST_VERSION = 2 ** 52

const LimitInput = v.object(
  {
    limit: v.pipe(
      v.unknown(),
      v.transform(seatLimit),
      v.check((limit) => limit.kind !== 'unknown', 'Must be a whole number from 0, or "unlimited".')
    ),
    version: v.nullish(jsonNumber({ min: 1, max: LARGEST_VERSION })),
    reason: v.nullish(v.pipe(LineOfText, atMost(LONGEST_REASON))),
  },
  'Must be an object.'
)

/** The input of {@link setSeatLimit}. */
export interface SeatLimitInput {
  /** The number of seats: a whole number from 0, or `"unlimited"`. */
  readonly limit: number | 'unlimited'
  /** The version of the entitlement; a version that is not newer is refused. Default: the next one. */
  readonly version?: number | null | undefined
  /** The reason, for the audit event; at most 255 characters. */
  readonly reason?: string | null | undefined
}

/** Why {@link setSeatLimit} refuses. */
export type SetSeatLimitRefusal =
  | AccessRefusal
  | InputRefusal
  | CommitRefusal
  | 'outdated_version'
  | 'seats_unavailable'

/**
 * Sets the seat limit of an organization `{ limit, version?, reason? }`; for operators and the host
 * itself. It holds in place of the numbers of every plan, until `setEntitlement` replaces it. The limit is
 * a whole number from 0 or `"unlimited"`. A version that is not newer than the one
 * in force changes no row: `outdated_version` carries the limit and the version in force, unless that is
 * the requested limit. Without a version the next one is used. A limit below the seats in use keeps every
 * member and refuses growth.
 *
 * Refusals: `AccessRefusal`, `InputRefusal`, `CommitRefusal`, `outdated_version`, `seats_unavailable`.
 *
 * @example
 * ```ts
 * const operator = { userId, operator: true }
 * await setSeatLimit(seatgate, { caller: operator, organization: 'acme' }, { limit: 25 })
 * ```
 */
export async function setSeatLimit(
  context: LimitContext,
  scope: OrganizationScope,
  input: SeatLimitInput
): Promise<Result<SeatUsage, SetSeatLimitRefusal>> {
  const { db, seats } = context
  const parsed = parseInput(LimitInput, input)
  const written = await perform(context, scope, {
    name: 'seat.limit_change',
    input,
    grows: false,
    refusals: [],
    queries: entitlementQueries(db, organizationIdOf(scope.organization)),
    plan(found, caller, now) {
      const organization = seenByMemberOrOperator(found)
      if (!organization.ok) return organization
      if (!isOperator(caller) && !isSystem(caller)) {
        return refused({ code: 'insufficient_role' })
      }
      if (!parsed.ok) return parsed
      if (!seats.enforces) {
        return refused(invalid({ limit: ['This seat provider does not limit seats.'] }))
      }
      const organizationId = organization.value.id
      const { limit, reason = null } = parsed.value
      const [current] = found.rows.entitlement
      const currentVersion = current?.version ?? 0
      const version = parsed.value.version ?? currentVersion + 1
      if (!Number.isSafeInteger(version)) {
        return refused(invalid({ version: ['There is no further version.'] }))
      }
      if (current && version <= currentVersion) {
        return ok(unchanged(entitlementFrom(current)))
      }
      const override = fixedAt(limit, { reason, actorId: userIdOf(caller), setAt: now })
      const change = { override, version, reason }
      const planned = planEntitlement(context, organizationId, found.rows, change, now)
      return ok({
        value: { organizationId, version, limit },
        statements: planned.statements,
        events: planned.events,
      })
    },
  })
  if (!written.ok) return written
  const { version, limit } = written.value
  // The ledger receives the limit in force again; refuse only if it is not the requested one.
  const isRequested = !parsed.ok || isSameLimit(parsed.value.limit, limit)
  const count = await applyLimit(context, written.value, isRequested)
  if (!count.ok) return count
  if (!isRequested) {
    return refused({ code: 'outdated_version', limit: limitView(limit), version })
  }
  return ok(usageView(count.value))
}

// The plan of the organization does not change this limit.
function fixedAt(
  limit: SeatLimit,
  by: Pick<EntitlementOverride, 'reason' | 'actorId' | 'setAt'>
): EntitlementOverride {
  const included = limit.kind === 'finite' ? limit.seats : 'unlimited'
  return { included, purchased: 0, addOns: 0, cap: 'unlimited', until: null, ...by }
}
