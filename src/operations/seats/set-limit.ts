import * as v from 'valibot'
import { LineOfText, atMost, jsonNumber, parseInput } from '../../base/input.ts'
import { applyLimit, type LimitContext } from '../../engine/changes/apply-limit.ts'
import { rightsOf } from '../../engine/access/roles.ts'
import { perform } from '../../engine/changes/operation.ts'
import { unchanged } from '../../engine/model/plan.ts'
import { organizationIdOf } from '../../engine/access/organization-ref.ts'
import {
  HOOK_REFUSALS,
  invalid,
  ok,
  refused,
  type AccessRefusal,
  type HookRefusal,
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
import {
  planRemovals,
  RemoveInput,
  removalQueries,
  type RemovalContext,
} from '../../engine/model/removals.ts'
import { invalidateGrants, ledgerEpoch } from '../../engine/seats/assigned-seats.ts'
import { guardFits, toFree, toFreeQueries } from '../../engine/model/seats-to-free.ts'
import type { Entitlement } from '../../engine/seats/provider.ts'
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
import { entitlementFrom } from '../../engine/seats/count-seats.ts'

const LONGEST_REASON = 500

// Half of the exact integers. The other half is left for changes without a version, which take the next
// one and so never reach the end.
const LARGEST_VERSION = 2 ** 52

const LimitInput = v.object(
  {
    limit: v.pipe(
      v.union(
        [v.literal('unlimited'), jsonNumber({ min: 0 })],
        'Must be a whole number from 0, or "unlimited".'
      ),
      v.transform((limit) => seatLimit(limit))
    ),
    version: v.nullish(jsonNumber({ min: 1, max: LARGEST_VERSION })),
    reason: v.nullish(v.pipe(LineOfText, atMost(LONGEST_REASON))),
    remove: RemoveInput,
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
  /**
   * Members to remove in the same batch, by their user ids; at most 50. The limit then has to fit: with
   * too few of them it is refused with `seats_in_use`. Default: no member, and a limit below the seats in use
   * refuses growth.
   */
  readonly remove?: readonly string[] | null | undefined
}

/** Why {@link setSeatLimit} refuses. */
export type SetSeatLimitRefusal =
  | AccessRefusal
  | InputRefusal
  | CommitRefusal
  | HookRefusal
  | 'outdated_version'
  | 'seats_unavailable'
  | 'seats_in_use'
  | 'not_found'
  | 'last_owner'

/**
 * Sets the seat limit of an organization `{ limit, version?, reason? }`; for operators and the host
 * itself. It holds in place of the numbers of every plan, until `setEntitlement` replaces it. The limit is
 * a whole number from 0 or `"unlimited"`. A version that is not newer than the one
 * in force changes no row: `outdated_version` carries the limit and the version in force, unless that is
 * the requested limit. Without a version the next one is used. A limit below the seats in use keeps every
 * member and refuses growth.
 *
 * With `remove` members are removed in the same batch, as a whole: it is refused if one is not a
 * member (`not_found`), if no owner would remain (`last_owner`), or if the seats in use would not fit
 * (`seats_in_use`, with the number to free and candidates).
 *
 * Refusals: `AccessRefusal`, `InputRefusal`, `CommitRefusal`, `HookRefusal`, `outdated_version`,
 * `seats_unavailable`, `seats_in_use`, `not_found`, `last_owner`.
 *
 * @example
 * ```ts
 * const operator = { userId, operator: true }
 * await setSeatLimit(seatgate, { caller: operator, organization: 'acme' }, { limit: 25 })
 * ```
 */
export async function setSeatLimit(
  context: LimitContext & RemovalContext,
  scope: OrganizationScope,
  input: SeatLimitInput
): Promise<Result<SeatUsage, SetSeatLimitRefusal>> {
  const { db, seats } = context
  const parsed = parseInput(LimitInput, input)
  const removed = (parsed.ok && parsed.value.remove) || []
  const written = await perform(context, scope, {
    name: 'seat.limit_change',
    input,
    grows: false,
    refusals: [...HOOK_REFUSALS, 'last_owner'],
    queries: {
      ...entitlementQueries(db, organizationIdOf(scope.organization)),
      ...(removed.length > 0 && {
        ...toFreeQueries(context, organizationIdOf(scope.organization)),
        ledger: ledgerEpoch(db, organizationIdOf(scope.organization)),
      }),
      ...removalQueries(context, scope, removed),
    },
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
        if (removed.length > 0) return refused(outdated(entitlementFrom(current)))
        return ok(unchanged({ ...entitlementFrom(current), epoch: null }))
      }
      const override = fixedAt(limit, { reason, actorId: userIdOf(caller), setAt: now })
      const change = { override, version, reason }
      const planned = planEntitlement(context, organizationId, found.rows, change, now)
      const actor = rightsOf(context.roles, { role: context.roles.owner })
      const by = { caller, actor, now }
      const removals = planRemovals(context, found.rows, removed, by)
      if (!removals.ok) return removals
      const { freeing, statements, events, ...leaving } = removals.value
      const mustFree = toFree(found.rows, limit, freeing)
      if (removed.length > 0 && mustFree.seats > 0) {
        return refused({ code: 'seats_in_use', mustFree })
      }
      return ok({
        ...leaving,
        value: { organizationId, version, limit, epoch: found.rows.ledger?.[0]?.epoch ?? null },
        statements: [
          ...statements,
          ...planned.statements,
          // Without it a member could be added after this by a seat that was granted before.
          ...(removed.length > 0
            ? [
                ...guardFits(context, organizationId, limit, now),
                invalidateGrants(context, organizationId),
              ]
            : []),
        ],
        events: [...events, ...planned.events],
      })
    },
  })
  if (!written.ok) return written
  const { epoch, ...entitlement } = written.value
  const { version, limit, organizationId } = entitlement
  // The ledger that lost its grants starts again; if it is not reached now, the next claim starts it.
  if (epoch !== null) await seats.renew?.(context.seatContext, organizationId, epoch)
  // The ledger receives the limit in force again; refuse only if it is not the requested one.
  const isRequested = !parsed.ok || isSameLimit(parsed.value.limit, limit)
  const count = await applyLimit(context, entitlement, isRequested)
  if (!count.ok) return count
  if (!isRequested) return refused(outdated({ limit, version }))
  return ok(usageView(count.value))
}

function outdated({ limit, version }: Pick<Entitlement, 'limit' | 'version'>) {
  return { code: 'outdated_version', limit: limitView(limit), version } as const
}

// The plan of the organization does not change this limit.
function fixedAt(
  limit: SeatLimit,
  by: Pick<EntitlementOverride, 'reason' | 'actorId' | 'setAt'>
): EntitlementOverride {
  const included = limit.kind === 'finite' ? limit.seats : 'unlimited'
  const always = { from: null, until: null, before: null }
  return { included, purchased: 0, addOns: 0, cap: 'unlimited', ...always, ...by }
}
