/**
 * Does what changes have left to be done outside the database. At least once, until it succeeds; what has
 * not succeeded after 90 days is given up and reported.
 *
 * @module
 */
import type { HookContext } from '../hooks/hooks.ts'
import type { Runtime } from '../runtime.ts'
import { and, asc, inArray, lte, sql } from 'drizzle-orm'
import { budgeted } from '../database/statement-budget.ts'
import { backoffSeconds } from '../forwarding/backoff.ts'
import { batch } from '../database/batch.ts'
import type { Database, Statement, DatabaseContext } from '../database/database.ts'
import { fieldOf, insertRows } from '../database/insert-rows.ts'
import { intents } from '../database/schema.ts'
import type { MailPayload } from '../invitations/mail-intent.ts'
import { sendInvitation, type MailContext } from '../invitations/send.ts'
import { shortened } from '../proof/text.ts'
import type { Pointers, SessionStoreContext } from '../sessions/store.ts'
import { within } from '../within.ts'
import type { Intent } from './intent.ts'

/** An intent that is on record. */
export interface RecordedIntent {
  readonly id: string
  readonly organizationId: string
  readonly kind: string
  readonly payload: unknown
  /** How often it was tried, this time included. */
  readonly attempts: number
  /** When it was recorded, of one that was tried before. */
  readonly createdAt?: Date
}

/** What doing intents needs. */
export interface JobContext
  extends MailContext, SessionStoreContext, Pick<HookContext, 'hooks'>, Pick<Runtime, 'random'> {}

// Nobody else takes up what is under way.
const CLAIM_SECONDS = 60
const CALL_SECONDS = 15
const MOST_AT_ONCE = 100
// Of a mail that the mailer does not take; and for taking up and putting off all of them together.
const STATEMENTS_EACH = 6
const STATEMENTS_TOGETHER = 4
// What has not succeeded by then never will.
const GIVEN_UP_MS = 90 * 24 * 60 * 60 * 1000
const LONGEST_REASON = 500

/**
 * Builds the statements that record intents. Who records them tries the first hundred of them, which are
 * answered as `recorded`; the others are due at the next sweep.
 */
export function recordIntents(
  { db, newId }: DatabaseContext & Pick<Runtime, 'newId'>,
  drafts: readonly Intent[],
  now: Date
): { readonly statements: readonly Statement[]; readonly recorded: readonly RecordedIntent[] } {
  const all = drafts.map((draft) => ({ ...draft, id: newId(), attempts: 1 }))
  const [recorded, left] = [all.slice(0, MOST_AT_ONCE), all.slice(MOST_AT_ONCE)]
  const rows = [
    ...recorded.map((intent) => ({ ...intent, dueAt: claimedUntil(now), createdAt: now })),
    ...left.map((intent) => ({ ...intent, attempts: 0, dueAt: now, createdAt: now })),
  ]
  return { statements: insertRows(db, intents, rows), recorded }
}

/** How many statements D1 is asked at most for {@link fulfil}; what hooks ask is the host's own. */
export function statementsToFulfil(claimed: readonly RecordedIntent[]): number {
  return claimed.length * STATEMENTS_EACH + STATEMENTS_TOGETHER
}

/** Tries intents once, side by side: each is done and gone, or due again later. */
export async function fulfil(
  seatgate: JobContext,
  claimed: readonly RecordedIntent[]
): Promise<void> {
  const { db } = seatgate
  if (claimed.length === 0) return
  const failures = await Promise.all(claimed.map((intent) => attempt(seatgate, intent)))
  const failed = failures.flatMap((failure) => (failure === null ? [] : [failure]))
  const done = claimed.filter((_intent, index) => failures[index] === null)
  await batch(db, {
    ...(done.length > 0 && { done: db.delete(intents).where(inIds(done)) }),
    ...(failed.length > 0 && { later: putOff(db, failed) }),
  })
}

interface Failure {
  readonly id: string
  readonly attempts: number
  readonly dueAt: number
  readonly lastError: string
}

async function attempt(seatgate: JobContext, intent: RecordedIntent): Promise<Failure | null> {
  const { now, random, report } = seatgate
  const { id, organizationId, attempts } = intent
  try {
    const until = await within(CALL_SECONDS, execute(seatgate, intent))
    // Waiting is no failure: it is not reported, and does not count as an attempt.
    return until && { id, attempts: attempts - 1, dueAt: until.getTime(), lastError: 'Held' }
  } catch (error) {
    report({ event: `${intent.kind}_failed`, organizationId, error })
    const age = intent.createdAt ? now().getTime() - intent.createdAt.getTime() : 0
    if (age >= GIVEN_UP_MS) {
      report({ event: `${intent.kind}_given_up`, organizationId, error })
      return null
    }
    const lastError = shortened(error instanceof Error ? error.name : 'Error', LONGEST_REASON)
    const dueAt = now().getTime() + backoffSeconds(attempts, random) * 1000
    return { id, attempts, dueAt, lastError }
  }
}

function putOff(db: Database, failed: readonly Failure[]): Statement {
  const told = (name: keyof Failure) => sql`(select ${fieldOf(name)}
    from json_each(${JSON.stringify(failed)}) where ${fieldOf('id')} = seatgate_jobs.id)`
  return db
    .update(intents)
    .set({ attempts: told('attempts'), dueAt: told('dueAt'), lastError: told('lastError') })
    .where(inIds(failed))
}

function inIds(rows: readonly { readonly id: string }[]) {
  const ids = JSON.stringify(rows.map(({ id }) => id))
  return inArray(intents.id, sql`(select value from json_each(${ids}))`)
}

/**
 * Takes up what is due: what failed before, and what a crash left behind. Those that waited longest
 * come first, as many as there are statements for.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 */
export async function sweepIntents(seatgate: JobContext): Promise<void> {
  const { db, now, budget } = budgeted(seatgate)
  const most = budget.rows(MOST_AT_ONCE, STATEMENTS_EACH, STATEMENTS_TOGETHER)
  const time = now()
  const due = db
    .select({ id: intents.id })
    .from(intents)
    .where(lte(intents.dueAt, time))
    .orderBy(asc(intents.dueAt))
    .limit(most)
  const { claimed } = await batch(db, {
    claimed: db
      .update(intents)
      .set({ dueAt: claimedUntil(time), attempts: sql`${intents.attempts} + 1` })
      .where(and(lte(intents.dueAt, time), inArray(intents.id, due)))
      .returning(),
  })
  if (claimed.length === most && most < MOST_AT_ONCE) budget.leave()
  await fulfil(seatgate, claimed)
}

/** Does what is to be done; or returns until when it has to wait. */
async function execute(
  seatgate: JobContext,
  { kind, payload }: RecordedIntent
): Promise<Date | null> {
  if (kind === 'end_sessions') {
    await seatgate.sessions?.endActiveOrganization(seatgate.db, payload as Pointers)
    return null
  }
  if (kind === 'send_invitation') return sendInvitation(seatgate, payload as MailPayload)
  // A hook that the host has taken away has nothing more to say.
  const hooks: Readonly<Record<string, unknown>> = seatgate.hooks
  const hook = hooks[kind]
  if (typeof hook === 'function') await (hook as (state: unknown) => unknown)(payload)
  return null
}

function claimedUntil(now: Date): Date {
  return new Date(now.getTime() + CLAIM_SECONDS * 1000)
}
