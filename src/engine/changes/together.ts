import { observed } from '../access/observed.ts'
import { checkOptionNames } from '../../base/names.ts'
import type { Statement } from '../../database/database.ts'
import { ok, refused, type Refusal, type Result } from '../../base/result.ts'
import type { Prepared } from './prepare-change.ts'
import { conclude } from './conclude.ts'
import type { ChangeContext } from './change-context.ts'
import { refusalOf, storeRefusal } from './operation-refusals.ts'

/** The host's own statements around those of the library. */
export interface HostStatements {
  readonly before?: readonly Statement[]
  readonly after?: readonly Statement[]
  /**
   * Returns a refusal for a broken constraint of the host, named as SQLite names it. Null, or no
   * function, means `host_conflict`.
   */
  readonly onConflict?: (constraint: string) => Refusal | null
}

/**
 * Commits a prepared change together with the host's own statements, in one D1 batch. Afterwards its
 * seats are confirmed or released.
 *
 * A member and events are written once: if their batch is sent again after its commit, it is rolled back
 * and refused with `operation_in_progress`.
 *
 * Refusals: those of the change; `host_conflict` if a constraint or a trigger of the host's own breaks,
 * unless `onConflict` answers otherwise; `seats_unavailable` or `unavailable` if D1 does not answer, and
 * the outcome is unknown: what was written stands, a seat that was not used is free within a minute.
 *
 * @example
 * ```ts
 * const founding = await prepareOrganization(seatgate, { caller: { userId } }, { name: 'Acme' })
 * if (!founding.ok) return founding
 * return commitTogether(seatgate, founding.value, {
 *   before: [db.insert(users).values({ id: userId, email })],
 *   onConflict: (constraint) => (constraint.endsWith('users.email') ? EMAIL_TAKEN : null),
 * })
 * ```
 */
export function commitTogether<T>(
  context: ChangeContext,
  prepared: Prepared<T>,
  statements: HostStatements = {}
): Promise<Result<T>> {
  return observed(context, 'together.commit', async (context) => {
    checkOptionNames('commitTogether', statements, ['before', 'after', 'onConflict'])
    const { before = [], after = [], onConflict } = statements
    try {
      const done = await conclude(context, prepared, [...before, ...prepared.statements, ...after])
      if (done.committed) return ok(prepared.value)
      const answer = done.code === 'host_conflict' ? onConflict?.(done.constraint ?? '') : null
      return refused(answer ?? refusalOf(context, done) ?? { code: 'operation_in_progress' })
    } catch (error) {
      return refused(storeRefusal(context, error, { grows: prepared.takenSeats.length > 0 }))
    }
  })
}
