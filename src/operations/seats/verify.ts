import { observed } from '../../engine/access/observed.ts'
import type { Queries } from '../../database/batch.ts'
import type { AccessContext } from '../../engine/access/roles.ts'
import { find, type Found } from '../../engine/access/authorize.ts'
import { ok, refused, type AccessRefusal, type Result } from '../../base/result.ts'
import type { Runtime } from '../../base/runtime.ts'
import { isOperator, isSystem, type OrganizationScope } from '../../engine/access/principal.ts'
import { examine, type Examination, type SeatDifference } from './differences.ts'
import { unlimited, usageView, type SeatCount, type SeatUsage } from '../../engine/seats/limit.ts'
import type { ProviderContext } from '../../engine/seats/provider.ts'
import { seenByMemberOrOperator } from './usage.ts'

/** An organization's seats in D1 and in the ledger, with the differences. */
export interface SeatVerification {
  /** The seats of the default type in D1, the source of truth. */
  readonly stored: SeatUsage
  /** The seats in the ledger; null without a ledger, or if it has not started. */
  readonly ledger: SeatUsage | null
  /** The differences; an empty list is good. A change in progress is not a difference. */
  readonly differences: readonly SeatDifference[]
}

/** Why {@link verifySeats} refuses. */
export type VerifySeatsRefusal = AccessRefusal | 'seats_unavailable' | 'operation_in_progress'

/**
 * Compares an organization's seats in D1 with its ledger and its counter, for operators and the host
 * itself. Changes no row, and reads a few rows for each member.
 *
 * Refusals: `AccessRefusal`, `seats_unavailable`, `operation_in_progress` (the ledger restarts at this
 * moment).
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * const operator = { userId, operator: true }
 * const seats = await verifySeats(seatgate, { caller: operator, organization: 'acme' })
 * if (seats.ok) for (const { kind, id } of seats.value.differences) console.log(kind, id)
 * ```
 */
export function verifySeats(
  context: AccessContext & ProviderContext & Pick<Runtime, 'now'>,
  scope: OrganizationScope
): Promise<Result<SeatVerification, VerifySeatsRefusal>> {
  return observed(context, 'seat.verify', async (context) => {
    const organizationId = verifiable(await find(context.db, scope, {}))
    if (!organizationId.ok) return organizationId
    const examined = await examine(context, organizationId.value)
    return examined.ok ? ok(verificationView(context, examined.value)) : examined
  })
}

/** Returns the id of the organization, for those who may administer its seats. */
export function verifiable(found: Found<Queries>): Result<string, AccessRefusal> {
  if (found.caller === null) return refused({ code: 'unauthenticated' })
  const organization = seenByMemberOrOperator(found)
  if (!organization.ok) return organization
  const allowed = isOperator(found.caller) || isSystem(found.caller)
  return allowed ? ok(organization.value.id) : refused({ code: 'insufficient_role' })
}

/** Returns the differences as operators see them. */
function verificationView(
  context: ProviderContext,
  { overview, ledger, differences }: Examination
): SeatVerification {
  return {
    stored: usageView(storedCount(context, overview)),
    ledger: ledger && usageView({ ...ledger, limit: limitOf(context, ledger) }),
    differences,
  }
}

/** Counts the seats in use in D1. */
export function storedCount(
  context: ProviderContext,
  { rows, typed, reserved, version, limit }: Examination['overview']
): SeatCount {
  const held = rows.seats - typed
  return { limit: limitOf(context, { limit }), version, held, reserved }
}

function limitOf(
  { seats, seatContext }: ProviderContext,
  { limit }: Pick<Examination['overview'], 'limit'>
) {
  return seats.enforces ? (limit ?? seatContext.defaultLimit) : unlimited
}
