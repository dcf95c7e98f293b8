import type { ChangeContext } from '../../engine/changes/change-context.ts'
import type { ConfiguredConsumersContext } from '../../engine/audit/consumers.ts'
import { eq, sql, type SQL } from 'drizzle-orm'
import * as v from 'valibot'
import { guard } from '../../database/commit.ts'
import type { Statement, DatabaseContext } from '../../database/database.ts'
import { auditPersonal } from '../../database/schema/audit-tables.ts'
import { exclusions } from '../../database/schema/joining-tables.ts'
import { perform } from '../../engine/changes/operation.ts'
import { unchanged } from '../../engine/model/plan.ts'
import { atLeast, parseInput } from '../../base/input.ts'
import {
  ok,
  refused,
  type CommitRefusal,
  type InputRefusal,
  type Result,
} from '../../base/result.ts'
import { isOperator, isSystem, requestInfoOf, type Scope } from '../../engine/access/principal.ts'
import { libraryEvent } from '../../engine/audit/event.ts'
import { TRAIL_ACTIONS } from '../../engine/audit/part-actions.ts'

/** The result of an erasure, and the sinks that may have copies. */
export interface Erasure {
  /** How many records were erased. */
  readonly erased: number
  /** The sinks that may have received them: ask their receivers. */
  readonly sinks: readonly string[]
}

/** The context of an erasure. */
export interface ErasureContext extends ChangeContext, ConfiguredConsumersContext {
  readonly consumers: ChangeContext['consumers']
}

/** Why {@link erasePersonalData} refuses. */
export type ErasePersonalDataRefusal =
  | 'unauthenticated'
  | 'insufficient_role'
  | InputRefusal
  | CommitRefusal

// An empty id stands for no user in the table.
const Person = v.object({ userId: v.pipe(v.string('Must be a string.'), atLeast(1)) })

/**
 * Erases the personal data of a user from the trail: addresses and user agents of all their events, salts
 * included, and the digests of the address by which organizations exclude them. The events stay, and so
 * does every proof. Records it in each affected organization; for the host itself and its operators.
 *
 * Refusals: `unauthenticated`, `insufficient_role`, `InputRefusal`, `CommitRefusal`.
 *
 * @example
 * ```ts
 * await erasePersonalData(seatgate, { caller: { type: 'system' } }, userId)
 * ```
 */
export async function erasePersonalData(
  context: ErasureContext,
  { caller, ...request }: Scope,
  userId: string
): Promise<Result<Erasure, ErasePersonalDataRefusal>> {
  const { db, consumers, absentConsumers } = context
  const parsed = parseInput(Person, { userId })
  return perform(
    context,
    { caller, ...requestInfoOf(request) },
    {
      name: 'audit.erasure',
      input: userId,
      grows: false,
      refusals: [],
      queries: {
        records: parsed.ok
          ? db
              .select({
                organizationId: sql<string>`organization_id`.as('organization_id'),
                count: sql<number>`count(*)`.as('count'),
              })
              .from(sql`(${recordsOf(userId)})`)
              .groupBy(sql`organization_id`)
          : null,
      },
      plan({ rows: { records } }, by) {
        if (!isOperator(by) && !isSystem(by)) return refused({ code: 'insufficient_role' })
        if (!parsed.ok) return parsed
        const erased = records.reduce((sum, { count }) => sum + count, 0)
        // A sink that is switched off now may have received some.
        const copies = [...consumers, ...absentConsumers].flatMap(({ id, internal }) =>
          internal ? [] : [id]
        )
        const value = { erased, sinks: copies }
        if (erased === 0) return ok(unchanged(value))
        return ok({
          value,
          statements: [
            guardRecords(context, userId, records),
            db.delete(auditPersonal).where(eq(auditPersonal.userId, userId)),
            db
              .update(exclusions)
              .set({ addressLength: null, salt: null, digest: null })
              .where(eq(exclusions.userId, userId)),
          ],
          events: records.map(({ organizationId, count }) =>
            libraryEvent(TRAIL_ACTIONS, organizationId, 'audit.erasure', userId, {
              user_id: userId,
              records: count,
            })
          ),
        })
      },
    }
  )
}

// The personal data of a user's events, and the digest of an excluded user's address.
function recordsOf(userId: string): SQL {
  return sql`select organization_id from seatgate_audit_personal where user_id = ${userId}
    union all select organization_id from seatgate_exclusions
      where user_id = ${userId} and digest is not null`
}

// Guards that exactly these records are erased: each is counted in an event of its organization.
function guardRecords(
  { db }: DatabaseContext,
  userId: string,
  records: readonly { readonly organizationId: string; readonly count: number }[]
): Statement {
  const known = JSON.stringify(
    records.map(({ organizationId, count }) => `${organizationId} ${count}`)
  )
  const present = sql`(select organization_id || ' ' || count(*) as record
    from (${recordsOf(userId)}) group by organization_id)`
  return guard(
    db,
    'stale',
    sql`(select count(*) from ${present}) = ${records.length} and not exists (select 1 from ${present}
      where record not in (select value from json_each(${known})))`
  )
}
