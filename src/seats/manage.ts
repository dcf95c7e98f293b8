import { sql } from 'drizzle-orm'
import * as v from 'valibot'
import { guard } from '../database/commit.ts'
import { entitlements } from '../database/schema.ts'
import { parseInput } from '../input.ts'
import { perform } from '../operations/perform.ts'
import { unchanged } from '../operations/plan.ts'
import type { Queries } from '../database/batch.ts'
import { find, type Found } from '../organizations/standing.ts'
import { invalid } from '../refusal.ts'
import { ok, refused, type Result } from '../result.ts'
import type { OrganizationScope } from '../scope.ts'
import type { Seatgate } from '../seatgate.ts'
import { limitView, seatLimit } from './limit.ts'
import { entitlementFrom, entitlementNamed } from './truth.ts'
import { usageView, type SeatUsage } from './usage.ts'

/**
 * Tells how many seats an organization uses, and its limit; for its members and for operators.
 *
 * Refusals: `unauthenticated`, `organization_not_found`, `seats_unavailable`.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * const usage = await seatUsage(seatgate, { caller: { userId }, organization: 'acme' })
 * if (usage.ok) console.log(usage.value.available)
 * ```
 */
export async function seatUsage(
  seatgate: Seatgate,
  scope: OrganizationScope
): Promise<Result<SeatUsage>> {
  const found = await find(seatgate.db, scope, {})
  const { caller, organization, membership } = found
  if (caller === null) return refused({ code: 'unauthenticated' })
  if (organization === null || (membership === null && caller.operator !== true)) {
    return refused({ code: 'organization_not_found' })
  }
  const count = await seatgate.seats.usage(seatgate.seatContext, organization.id)
  return count.ok ? ok(usageView(count.value)) : count
}

const LimitInput = v.object(
  {
    limit: v.pipe(
      v.unknown(),
      v.transform(seatLimit),
      v.check((limit) => limit.kind !== 'unknown', 'Must be a whole number from 0, or "unlimited".')
    ),
    version: v.nullish(
      v.pipe(
        v.number('Must be a number.'),
        v.safeInteger('Must be a whole number.'),
        v.minValue(1, 'Must be at least 1.')
      )
    ),
    reason: v.nullish(
      v.pipe(v.string('Must be a text.'), v.maxLength(500, 'Must be at most 500 characters long.'))
    ),
  },
  'Must be an object.'
)

/**
 * Sets what an organization bought `{ limit, version?, reason? }`; for operators alone. The limit is
 * a whole number from 0 or `"unlimited"`. A version that is not newer than the one on record changes
 * nothing; without one the next is taken. Lowering the limit below use keeps every member and
 * refuses growth until it fits again.
 *
 * Refusals: `unauthenticated`, `organization_not_found`, `insufficient_role`, `validation_error`,
 * `seats_unavailable`.
 *
 * @example
 * ```ts
 * const operator = { userId, operator: true }
 * await setSeatLimit(seatgate, { caller: operator, organization: 'acme' }, { limit: 25 })
 * ```
 */
export async function setSeatLimit(
  seatgate: Seatgate,
  scope: OrganizationScope,
  input: unknown
): Promise<Result<SeatUsage>> {
  const { db, seats, seatContext } = seatgate
  const parsed = parseInput(LimitInput, input)
  const written = await perform(seatgate, scope, {
    name: 'seat.limit_change',
    input,
    grows: false,
    queries: { entitlement: entitlementNamed(db, scope.organization) },
    plan(found, _caller, now) {
      const organizationId = organizationForOperator(found)
      if (!organizationId.ok) return organizationId
      if (!parsed.ok) return parsed
      if (!seats.enforces) {
        return refused(invalid({ limit: ['Seats are not limited here.'] }))
      }
      const { limit, reason } = parsed.value
      const [present] = found.rows.entitlement
      const presentVersion = present?.version ?? 0
      const version = parsed.value.version ?? presentVersion + 1
      if (present && version <= presentVersion) {
        return ok(unchanged(organizationId.value, entitlementFrom(present)))
      }
      const row = {
        organizationId: organizationId.value,
        version,
        limitKind: limit.kind,
        limitSeats: limit.kind === 'finite' ? limit.seats : null,
        reason: reason ?? null,
        updatedAt: now,
      }
      return ok({
        value: { organizationId: organizationId.value, version, limit },
        organizationId: organizationId.value,
        statements: [
          guard(
            db,
            'stale',
            sql`coalesce((select version from entitlements
              where organization_id = ${organizationId.value}), 0) = ${presentVersion}`
          ),
          db.insert(entitlements).values(row).onConflictDoUpdate({
            target: entitlements.organizationId,
            set: row,
          }),
        ],
        events: [
          {
            action: 'seat.limit_changed',
            target: { type: 'organization', id: organizationId.value },
            metadata: {
              version,
              limit: limitView(limit),
              old_limit: present ? (present.limitSeats ?? present.limitKind) : null,
              ...(reason && { reason }),
            },
          },
        ],
      })
    },
  })
  if (!written.ok) return written
  const count = await seats.setLimit(seatContext, written.value)
  return count.ok ? ok(usageView(count.value)) : count
}

// Whoever may not see the organization learns nothing of it; whoever may, learns why not.
function organizationForOperator({
  caller,
  organization,
  membership,
}: Found<Queries>): Result<string> {
  if (organization === null || (membership === null && caller?.operator !== true)) {
    return refused({ code: 'organization_not_found' })
  }
  return caller?.operator === true ? ok(organization.id) : refused({ code: 'insufficient_role' })
}
