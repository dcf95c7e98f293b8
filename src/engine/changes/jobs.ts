/**
 * Runs jobs: work outside the database after a commit. At least once, until it succeeds; a job that has
 * not succeeded after 90 days is given up and reported.
 *
 * @module
 */
import { and, asc, inArray, lte, sql } from 'drizzle-orm'
import { budgeted } from '../../database/statement-budget.ts'
import { backoffSeconds, within } from '../../base/async.ts'
import { batch, fieldOf, insertRows } from '../../database/batch.ts'
import type { Database, DatabaseContext, Statement } from '../../database/database.ts'
import { jobs } from '../../database/schema/changes-tables.ts'
import { shortened } from '../../proof/encoding.ts'
import type { Runtime } from '../../base/runtime.ts'
import type { Job, JobHandlers } from '../model/plan.ts'

/** A stored job. */
export interface RecordedJob extends Pick<Job, 'kind' | 'organizationId' | 'run'> {
  readonly id: string
  /** How many attempts were made, this one included. */
  readonly attempts: number
  /** When it was stored, for a job that was tried before. */
  readonly createdAt?: Date
}

/** The context of running jobs, beside what each job needs itself. */
export interface JobContext extends DatabaseContext, Pick<Runtime, 'now' | 'random' | 'report'> {}

// Prevents other runs from taking a job in progress.
const CLAIM_SECONDS = 60
const CALL_SECONDS = 15
const MOST_AT_ONCE = 100
// For a mail that the mailer does not accept; and for claiming and postponing all of them together.
const STATEMENTS_EACH = 6
const STATEMENTS_TOGETHER = 4
// A job that has failed for so long is given up.
const GIVEN_UP_MS = 90 * 24 * 60 * 60 * 1000
const LONGEST_REASON = 500

/**
 * Builds the statements that store jobs. The caller tries the first hundred of them, returned as
 * `recorded`; the others are due at the next sweep.
 */
export function recordJobs(
  { db, newId }: DatabaseContext & Pick<Runtime, 'newId'>,
  drafts: readonly Job[],
  now: Date
): { readonly statements: readonly Statement[]; readonly recorded: readonly RecordedJob[] } {
  const ids = drafts.map(() => newId())
  const rows = drafts.map(({ kind, organizationId, payload }, index) => {
    const row = { id: ids[index] ?? '', organizationId, kind, payload, createdAt: now }
    return index < MOST_AT_ONCE
      ? { ...row, attempts: 1, dueAt: claimedUntil(now) }
      : { ...row, attempts: 0, dueAt: now }
  })
  const recorded = drafts.slice(0, MOST_AT_ONCE).map(({ kind, organizationId, run }, index) => {
    return { id: ids[index] ?? '', organizationId, kind, attempts: 1, run }
  })
  return { statements: insertRows(db, jobs, rows), recorded }
}

/** Returns how many statements {@link runJobs} sends to D1 at most, without those of hooks. */
export function statementsToRun(claimed: readonly RecordedJob[]): number {
  return claimed.length * STATEMENTS_EACH + STATEMENTS_TOGETHER
}

/** Tries jobs once, concurrently: each is done and deleted, or due again later. */
export async function runJobs(context: JobContext, claimed: readonly RecordedJob[]): Promise<void> {
  const { db } = context
  if (claimed.length === 0) return
  const failures = await Promise.all(claimed.map((job) => attempt(context, job)))
  const failed = failures.flatMap((failure) => (failure === null ? [] : [failure]))
  const done = claimed.filter((_job, index) => failures[index] === null)
  await batch(db, {
    ...(done.length > 0 && { done: db.delete(jobs).where(inIds(done)) }),
    ...(failed.length > 0 && { later: putOff(db, failed) }),
  })
}

interface Failure {
  readonly id: string
  readonly attempts: number
  readonly dueAt: number
  readonly lastError: string
}

async function attempt(context: JobContext, job: RecordedJob): Promise<Failure | null> {
  const { now, random, report } = context
  const { id, kind, organizationId, attempts } = job
  try {
    const until = await within(CALL_SECONDS, job.run(context.db))
    // Waiting is not a failure: it is not reported, and does not count as an attempt.
    return until && { id, attempts: attempts - 1, dueAt: until.getTime(), lastError: 'Held' }
  } catch (error) {
    report({ event: `${kind}_failed`, organizationId, error })
    const age = job.createdAt ? now().getTime() - job.createdAt.getTime() : 0
    if (age >= GIVEN_UP_MS) {
      report({ event: `${kind}_given_up`, organizationId, error })
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
    .update(jobs)
    .set({ attempts: told('attempts'), dueAt: told('dueAt'), lastError: told('lastError') })
    .where(inIds(failed))
}

function inIds(rows: readonly { readonly id: string }[]) {
  const ids = JSON.stringify(rows.map(({ id }) => id))
  return inArray(jobs.id, sql`(select value from json_each(${ids}))`)
}

/**
 * Runs jobs that are due after a failure or a crash. The longest waiting come first, as many as there are
 * statements for. A job without a handler is deleted.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 */
export async function runDueJobs(context: JobContext, handlers: JobHandlers): Promise<void> {
  const { db, now, budget } = budgeted(context)
  const most = budget.rows(MOST_AT_ONCE, STATEMENTS_EACH, STATEMENTS_TOGETHER)
  const time = now()
  const due = db
    .select({ id: jobs.id })
    .from(jobs)
    .where(lte(jobs.dueAt, time))
    .orderBy(asc(jobs.dueAt))
    .limit(most)
  const { claimed } = await batch(db, {
    claimed: db
      .update(jobs)
      .set({ dueAt: claimedUntil(time), attempts: sql`${jobs.attempts} + 1` })
      .where(and(lte(jobs.dueAt, time), inArray(jobs.id, due)))
      .returning(),
  })
  if (claimed.length === most && most < MOST_AT_ONCE) budget.leave()
  const taken = claimed.map(({ payload, ...row }) => ({
    ...row,
    run: async () => (await handlers[row.kind]?.(payload)) ?? null,
  }))
  await runJobs(context, taken)
}

function claimedUntil(now: Date): Date {
  return new Date(now.getTime() + CLAIM_SECONDS * 1000)
}
