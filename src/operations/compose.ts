import type { Statement } from '../database/database.ts'
import { StoreUnavailable } from '../database/database.ts'
import { ok, refused, type Result } from '../result.ts'
import type { Seatgate } from '../seatgate.ts'
import { conclude, refusalOf, type Prepared } from './batch.ts'

/** The host's own statements around those of the library. */
export interface HostStatements {
  readonly before?: readonly Statement[]
  readonly after?: readonly Statement[]
}

/**
 * Makes a prepared change together with the host's own statements, in one D1 batch: all of it, or
 * nothing. Seats are confirmed or released as it turns out.
 *
 * Refusals: whatever the change is refused for; `seats_unavailable` or `unavailable` if D1 did not
 * answer, and the outcome is unknown: what was written stands, a seat that was not used is free within
 * a minute.
 *
 * @throws what D1 said, if a constraint of the host's own tables broke. Nothing was written.
 *
 * @example
 * ```ts
 * const founding = await prepareOrganization(seatgate, { caller: { userId } }, { name: 'Acme' })
 * if (!founding.ok) return founding
 * const insertUser = db.insert(users).values({ id: userId, email })
 * return commitTogether(seatgate, founding.value, { before: [insertUser] })
 * ```
 */
export async function commitTogether<T>(
  seatgate: Seatgate,
  prepared: Prepared<T>,
  { before = [], after = [] }: HostStatements = {}
): Promise<Result<T>> {
  try {
    const done = await conclude(seatgate, prepared, [...before, ...prepared.statements, ...after])
    if (done.committed) return ok(prepared.value)
    const refusal = refusalOf(done)
    if (refusal === null && done.constraint !== null) throw done.error
    return refused(refusal ?? { code: 'operation_in_progress' })
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error
    seatgate.report({ event: 'store_unavailable', error: error.cause })
    const grows = prepared.takenSeats.length > 0
    return refused({ code: grows ? 'seats_unavailable' : 'unavailable' })
  }
}
