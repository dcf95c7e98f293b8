import { sql } from 'drizzle-orm'
import * as v from 'valibot'
import { organizationEvent } from '../../engine/audit/event.ts'
import { guard } from '../../database/commit.ts'
import { entitlements } from '../../database/schema.ts'
import { LineOfText, atMost, jsonNumber, parseInput } from '../../base/input.ts'
import { guardLive } from '../../engine/access/access-guards.ts'
import { notifySeatsFreed, type ChangeContext } from '../../engine/changes/change-context.ts'
import { perform } from '../../engine/changes/operation.ts'
import { unchanged } from '../../engine/model/plan.ts'
import { organizationIdOf } from '../../engine/access/organization-ref.ts'
import {
  invalid,
  ok,
  refused,
  type AccessRefusal,
  type InputRefusal,
  type Result,
  type StoreRefusal,
} from '../../base/result.ts'
import { isOperator, isSystem, type OrganizationScope } from '../../engine/access/principal.ts'
import {
  isSameLimit,
  limitView,
  seatLimit,
  usageView,
  type SeatUsage,
} from '../../engine/seats/limit.ts'
import { seenByMemberOrOperator } from './usage.ts'
import { entitlementFrom, entitlementOf } from '../../engine/seats/counts.ts'

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
  | StoreRefusal
  | 'outdated_version'
  | 'seats_unavailable'

/**
 * Sets the seat limit of an organization `{ limit, version?, reason? }`; for operators and the host
 * itself. The limit is a whole number from 0 or `"unlimited"`. A version that is not newer than the one
 * in force changes no row: `outdated_version` carries the limit and the version in force, unless that is
 * the requested limit. Without a version the next one is used. A limit below the seats in use keeps every
 * member and refuses growth.
 *
 * Refusals: `AccessRefusal`, `InputRefusal`, `StoreRefusal`, `outdated_version`, `seats_unavailable`.
 *
 * @example
 * ```ts
 * const operator = { userId, operator: true }
 * await setSeatLimit(seatgate, { caller: operator, organization: 'acme' }, { limit: 25 })
 * ```
 */
export async function setSeatLimit(
  context: ChangeContext,
  scope: OrganizationScope,
  input: SeatLimitInput
): Promise<Result<SeatUsage, SetSeatLimitRefusal>> {
  const { db, seats, seatContext } = context
  const parsed = parseInput(LimitInput, input)
  const written = await perform(context, scope, {
    name: 'seat.limit_change',
    input,
    grows: false,
    refusals: [],
    queries: { entitlement: entitlementOf(db, organizationIdOf(scope.organization)) },
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
      const { limit, reason } = parsed.value
      const [current] = found.rows.entitlement
      const currentVersion = current?.version ?? 0
      const version = parsed.value.version ?? currentVersion + 1
      if (!Number.isSafeInteger(version)) {
        return refused(invalid({ version: ['There is no further version.'] }))
      }
      if (current && version <= currentVersion) {
        return ok(unchanged(entitlementFrom(current)))
      }
      const row = {
        organizationId,
        version,
        limitKind: limit.kind,
        limitSeats: limit.kind === 'finite' ? limit.seats : null,
        reason: reason ?? null,
        updatedAt: now,
      }
      return ok({
        value: { organizationId, version, limit },
        statements: [
          guardLive(context, organizationId),
          guard(
            db,
            'stale',
            sql`coalesce((select version from seatgate_entitlements
              where organization_id = ${organizationId}), 0) = ${currentVersion}`
          ),
          db.insert(entitlements).values(row).onConflictDoUpdate({
            target: entitlements.organizationId,
            set: row,
          }),
        ],
        events: [
          organizationEvent(organizationId, 'seat.limit_changed', {
            version,
            limit: limitView(limit),
            old_limit: current ? limitView(entitlementFrom(current).limit) : null,
            ...(reason && { reason }),
          }),
        ],
      })
    },
  })
  if (!written.ok) return written
  const count = await seats.setLimit(seatContext, written.value)
  if (!count.ok) return count
  const { organizationId, version, limit } = written.value
  // The ledger has received the limit in force again; refuse only if it is not the requested one.
  if (parsed.ok && !isSameLimit(parsed.value.limit, limit)) {
    return refused({ code: 'outdated_version', limit: limitView(limit), version })
  }
  await notifySeatsFreed(context, [organizationId])
  return ok(usageView(count.value))
}
