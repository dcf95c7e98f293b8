import { lte, eq, inArray } from 'drizzle-orm'
import * as v from 'valibot'
import { isInPerson, requestInfoOf, type Scope } from '../../engine/access/principal.ts'
import { find } from '../../engine/access/authorize.ts'
import { libraryEvent, SYSTEM, type EventDraft } from '../../engine/audit/event.ts'
import { TRAIL_ACTIONS } from '../../engine/audit/part-actions.ts'
import { buildBatch } from '../../engine/changes/prepare-change.ts'
import type { ChangeContext } from '../../engine/changes/change-context.ts'
import { commitTogether } from '../../engine/changes/together.ts'
import { countUp } from '../../engine/model/rate-limits.ts'
import { batch } from '../../database/batch.ts'
import { rowsWhere } from '../../database/kept-query.ts'
import type { DatabaseContext, Statement } from '../../database/database.ts'
import { rateLimits } from '../../database/schema/changes-tables.ts'
import { stepUps } from '../../database/schema/sessions-tables.ts'
import { parseInput } from '../../base/input.ts'
import { ok, refused, type InputRefusal, type Result } from '../../base/result.ts'

/** How proofs of presence are counted and how long they hold. */
export interface StepUpRules {
  /** For how long a session is fresh after a proof. */
  readonly freshSeconds: number
  /** How many proofs a user may try within the window. */
  readonly mostAttempts: number
  readonly windowSeconds: number
}

/** The input of {@link stepUp}: the act that the proof is for, and the proof itself. */
export interface StepUpInput {
  readonly action: string
  readonly params?: unknown
}

/** Until when the session is fresh. */
export interface Fresh {
  readonly freshUntil: string
}

/** Why {@link stepUp} refuses. */
export type StepUpRefusal =
  | 'unauthenticated'
  | 'no_session'
  | 'step_up_failed'
  | 'rate_limited'
  | 'unavailable'
  | InputRefusal

/** The name of an act, such as `billing.requeue`. */
export const StepUpAction = v.pipe(
  v.string('Must be a string.'),
  v.regex(/^[a-z][a-z0-9_.]{0,63}$/, 'Must be lower-case letters, digits, dots and underscores.')
)

const Input = v.object(
  { action: StepUpAction, params: v.optional(v.unknown()) },
  'Must be an object.'
)

/**
 * Checks a proof `{ action, params }` of the caller's presence and makes the caller's session fresh. An
 * attempt is counted before it is checked, so that concurrent ones do not pass the cap. The outcome is
 * recorded in the trail of the platform, without `params`; so is the first attempt beyond the cap.
 *
 * Refusals: `StepUpRefusal`.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 */
export async function stepUp(
  context: ChangeContext,
  rules: StepUpRules,
  scope: Scope,
  input: StepUpInput,
  verify: (userId: string, action: string, params: unknown) => Promise<boolean>
): Promise<Result<Fresh, StepUpRefusal>> {
  const { db, now, report } = context
  const { caller } = await find(db, scope, {})
  if (caller === null || !isInPerson(caller)) return refused({ code: 'unauthenticated' })
  const { userId, session } = caller
  if (session === undefined) return refused({ code: 'no_session' })
  const parsed = parseInput(Input, input)
  if (!parsed.ok) return parsed
  const { action, params } = parsed.value
  const time = now()
  const { count, endsAt } = await countAttempt(context, userId, rules, time)
  const info = { caller, ...requestInfoOf(scope), now: time }
  const record = async (event: EventDraft, statements: readonly Statement[] = []) => {
    const plan = { value: null, statements, events: [event] }
    return commitTogether(context, await buildBatch(context, info, plan))
  }
  const about = { user_id: userId, act: action }

  if (count > rules.mostAttempts) {
    if (count === rules.mostAttempts + 1) {
      const metadata = { ...about, attempts: rules.mostAttempts }
      await record({
        ...libraryEvent(TRAIL_ACTIONS, SYSTEM, 'operator.step_up_block', userId, metadata),
        outcome: 'failure',
      })
    }
    const retryAfterSeconds = Math.max(1, Math.ceil((endsAt - time.getTime()) / 1000))
    return refused({ code: 'rate_limited', retryAfterSeconds })
  }

  const event = libraryEvent(TRAIL_ACTIONS, SYSTEM, 'operator.step_up', userId, about)
  let isRight: unknown
  try {
    isRight = await verify(userId, action, params)
  } catch (error) {
    report({ event: 'step_up_check_failed', error })
    await record({ ...event, outcome: 'error' })
    return refused({ code: 'unavailable' })
  }
  if (isRight !== true) {
    await record({ ...event, outcome: 'failure' })
    return refused({ code: 'step_up_failed' })
  }
  const freshUntil = new Date(now().getTime() + rules.freshSeconds * 1000)
  // Fresh and on record, or neither.
  const recorded = await record(event, [
    db
      .insert(stepUps)
      .values({ sessionId: session.id, userId, freshUntil })
      .onConflictDoUpdate({ target: stepUps.sessionId, set: { userId, freshUntil } }),
    db.delete(rateLimits).where(eq(rateLimits.key, attemptsOf(userId))),
  ])
  return recorded.ok
    ? ok({ freshUntil: freshUntil.toISOString() })
    : refused({ code: 'unavailable' })
}

function attemptsOf(userId: string): string {
  return `step_up:${userId}`
}

async function countAttempt(
  { db }: DatabaseContext,
  userId: string,
  { windowSeconds }: StepUpRules,
  now: Date
): Promise<{ readonly count: number; readonly endsAt: number }> {
  const { counted } = await batch(db, {
    counted: countUp(db, attemptsOf(userId), 1, now, windowSeconds * 1000).returning(),
  })
  const [row] = counted
  return { count: row?.count ?? Infinity, endsAt: (row?.endsAt ?? now).getTime() }
}

/** Returns whether a session is fresh: its user has proven who they are, not too long ago. */
export async function isFresh(
  { db, now }: DatabaseContext & Pick<ChangeContext, 'now'>,
  { sessionId, userId }: { readonly sessionId: string; readonly userId: string }
): Promise<boolean> {
  const { found } = await batch(db, {
    found: rowsWhere(db, stepUps, eq(stepUps.sessionId, sessionId)),
  })
  const [row] = found
  return row !== undefined && row.userId === userId && row.freshUntil > now()
}

/**
 * Ends the freshness of a session. Call it when the session ends.
 *
 * @example
 * ```ts
 * await endStepUp(seatgate, sessionId)
 * ```
 */
export async function endStepUp({ db }: DatabaseContext, sessionId: string): Promise<void> {
  await batch(db, { ended: db.delete(stepUps).where(eq(stepUps.sessionId, sessionId)) })
}

const ROWS_PER_SWEEP = 1000

/** Builds the statement that deletes proofs that no longer count, the oldest first. */
export function purgeStepUps({ db }: DatabaseContext, now: Date): Statement {
  const past = db
    .select({ sessionId: stepUps.sessionId })
    .from(stepUps)
    .where(lte(stepUps.freshUntil, now))
    .orderBy(stepUps.freshUntil)
    .limit(ROWS_PER_SWEEP)
  return db.delete(stepUps).where(inArray(stepUps.sessionId, past))
}
