/**
 * Steps 4 to 6 of a change: the host's hooks may refuse, seats are claimed, and the batch is built. They
 * send no query to D1.
 *
 * @module
 */
import { ok, type HookRefusal, type Refusal, type Result } from '../../base/result.ts'
import type { FoundingPlan, Plan, RowsPlan, SeatlessPlan } from '../model/plan.ts'
import type { ReserveRefusal } from '../seats/reserve-rules.ts'
import { askEach } from './ask-hooks.ts'
import { buildBatch, type Prepared } from './change-batch.ts'
import type { ChangeContext, ChangeInfo } from './change-context.ts'
import { recordRefusal } from './limit-events.ts'
import { claimEach, claimSeats, type Claiming } from './seat-claims.ts'

/** Prepares the batch of a plan. A refusal of a hook or of a seat refuses the plan. */
export function prepare<T>(
  context: ChangeContext,
  info: ChangeInfo,
  plan: SeatlessPlan<T>
): Promise<Result<Prepared<T>, HookRefusal>>
export function prepare<T>(
  context: ChangeContext,
  info: ChangeInfo,
  plan: FoundingPlan<T>
): Promise<Result<Prepared<T>, HookRefusal | 'seats_unavailable'>>
export function prepare<T>(
  context: ChangeContext,
  info: ChangeInfo,
  plan: Plan<T>
): Promise<Result<Prepared<T>, HookRefusal | ReserveRefusal>>
export async function prepare<T>(
  context: ChangeContext,
  info: ChangeInfo,
  plan: Plan<T>
): Promise<Result<Prepared<T>, HookRefusal | ReserveRefusal>> {
  const allowed = await askEach(context, plan.before ?? [])
  if (!allowed.ok) return allowed
  const composed = plan.lifecycle
    ? await plan.lifecycle(context, plan.statements)
    : ok(plan.statements)
  if (!composed.ok) return composed
  const claims = plan.claims ?? []
  const claimed = await claimSeats(context, claims)
  if (!claimed.ok) {
    await recordRefusal(context, info, claims[0]?.organizationId ?? null, claimed.error)
    return claimed
  }
  const { value: statements } = composed
  return ok(await buildBatch(context, info, { ...plan, statements }, claimed.value))
}

/** Prepares the batch of a plan of rows: each is refused by itself, and the batch has the remaining rows. */
export async function prepareRows<T>(
  context: ChangeContext,
  info: ChangeInfo,
  { rows, decide }: RowsPlan<T>,
  claiming: Claiming
): Promise<Prepared<T>> {
  const allowed = await Promise.all(rows.map(({ before }) => askEach(context, before)))
  const refusals = allowed.map((answer): Refusal | null => (answer.ok ? null : answer.error))
  const claims = rows.flatMap(({ claim }, index) =>
    claim === null || refusals[index] !== null ? [] : [{ claim, index }]
  )
  const answers = await claimEach(
    context,
    claims.map(({ claim }) => claim),
    claiming
  )
  for (const [position, { claim, index }] of claims.entries()) {
    const answer = answers[position]
    if (!answer || answer.ok) continue
    refusals[index] = answer.error
    await recordRefusal(context, info, claim.organizationId, answer.error)
  }
  const claimed = answers.flatMap((answer) => (answer.ok ? [answer.value] : []))
  return buildBatch(context, info, decide(refusals), claimed)
}
