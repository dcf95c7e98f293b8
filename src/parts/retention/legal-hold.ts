import type { HasRetention } from './retention-windows.ts'
import { and, eq, exists, isNotNull, isNull } from 'drizzle-orm'
import * as v from 'valibot'
import { trailEvent } from '../../engine/audit/part-actions.ts'
import { guard } from '../../database/commit.ts'
import { auditRetention } from '../../database/schema/log-tables.ts'
import { parseInput, visibleText } from '../../base/input.ts'
import type { ChangeContext } from '../../engine/changes/change-context.ts'
import { perform } from '../../engine/changes/operation.ts'
import { partOf } from '../../engine/changes/part.ts'
import { unchanged } from '../../engine/model/plan.ts'
import {
  ok,
  refused,
  type AccessRefusal,
  type CommitRefusal,
  type InputRefusal,
  type Result,
} from '../../base/result.ts'
import { isOperator, isSystem, type OrganizationScope } from '../../engine/access/principal.ts'

const Hold = v.object(
  {
    reason: visibleText(),
  },
  'Must be an object.'
)

/** The context of placing and releasing a hold. */
export interface HoldContext extends ChangeContext, HasRetention {}

/** Whether a legal hold keeps an organization's trail. */
export interface LegalHold {
  readonly organizationId: string
  readonly held: boolean
}

/** The input of {@link placeLegalHold} and {@link releaseLegalHold}. */
export interface LegalHoldInput {
  /** The reason, for the audit event. */
  readonly reason: string
}

/** Why {@link placeLegalHold} refuses. */
export type PlaceLegalHoldRefusal = AccessRefusal | InputRefusal | CommitRefusal

/**
 * Keeps all of an organization's trail until the hold is released: no run purges events, forced or not,
 * which the database's triggers also enforce. Identify the organization by its id, even if it is deleted.
 * Records `audit.hold_place` with the `{ reason }`. For the host itself and its operators.
 *
 * Refusals: `AccessRefusal` (`organization_not_found` if there is no such trail), `InputRefusal`,
 * `CommitRefusal`.
 *
 * @example
 * ```ts
 * await placeLegalHold(seatgate, { caller, organization: organizationId }, { reason: 'case 7' })
 * ```
 */
export function placeLegalHold(
  context: HoldContext,
  scope: OrganizationScope,
  input: LegalHoldInput
): Promise<Result<LegalHold, PlaceLegalHoldRefusal>> {
  return change(context, scope, input, true)
}

/** Why {@link releaseLegalHold} refuses. */
export type ReleaseLegalHoldRefusal = PlaceLegalHoldRefusal

/**
 * Releases an organization's trail to retention again. Records `audit.hold_release` with the `{ reason
 * }`.
 *
 * Refusals: `PlaceLegalHoldRefusal`.
 *
 * @example
 * ```ts
 * await releaseLegalHold(seatgate, { caller, organization: organizationId }, { reason: 'settled' })
 * ```
 */
export function releaseLegalHold(
  context: HoldContext,
  scope: OrganizationScope,
  input: LegalHoldInput
): Promise<Result<LegalHold, ReleaseLegalHoldRefusal>> {
  return change(context, scope, input, false)
}

function change(
  context: HoldContext,
  { organization: organizationId, ...scope }: OrganizationScope,
  input: unknown,
  held: boolean
): Promise<Result<LegalHold, PlaceLegalHoldRefusal>> {
  const { db } = context
  partOf(context, 'retention')
  const parsed = parseInput(Hold, input)
  const action = held ? 'audit.hold_place' : 'audit.hold_release'
  const here = eq(auditRetention.organizationId, organizationId)
  const before = and(here, held ? isNull(auditRetention.heldAt) : isNotNull(auditRetention.heldAt))
  return perform(context, scope, {
    name: action,
    input: [organizationId, input],
    grows: false,
    refusals: [],
    queries: {
      existing: db.select({ heldAt: auditRetention.heldAt }).from(auditRetention).where(here),
    },
    plan({ rows: { existing } }, by, now) {
      if (!isOperator(by) && !isSystem(by)) return refused({ code: 'insufficient_role' })
      const [row] = existing
      if (row === undefined) return refused({ code: 'organization_not_found' })
      if (!parsed.ok) return parsed
      const { reason } = parsed.value
      const value = { organizationId, held }
      if ((row.heldAt !== null) === held) return ok(unchanged(value))
      return ok({
        value,
        statements: [
          guard(db, 'stale', exists(db.select().from(auditRetention).where(before))),
          db
            .update(auditRetention)
            .set({ heldAt: held ? now : null, heldReason: held ? reason : null })
            .where(here),
        ],
        events: [trailEvent(organizationId, action, { reason })],
      })
    },
  })
}
