/**
 * Does what changes have left to be done outside the database. At least once, until it succeeds.
 *
 * @module
 */
import { and, asc, eq, inArray, lte, sql } from 'drizzle-orm'
import { backoffSeconds } from '../forwarding/backoff.ts'
import { batch } from '../database/batch.ts'
import type { Statement } from '../database/database.ts'
import { intents } from '../database/schema.ts'
import type { MailPayload } from '../invitations/mail-intent.ts'
import { sendInvitation } from '../invitations/send.ts'
import { shortened } from '../proof/text.ts'
import type { Seatgate } from '../seatgate.ts'
import type { Pointers } from '../sessions/store.ts'
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
}

// Nobody else takes up what is under way.
const CLAIM_SECONDS = 60
const CALL_SECONDS = 15
const INTENTS_PER_SWEEP = 100
const LONGEST_REASON = 500

/** Builds the statements that record intents. Who records them tries first. */
export function recordIntents(
  { db, newId }: Seatgate,
  drafts: readonly Intent[],
  now: Date
): { readonly statements: readonly Statement[]; readonly recorded: readonly RecordedIntent[] } {
  const recorded = drafts.map((draft) => ({ ...draft, id: newId(), attempts: 1 }))
  const dueAt = claimedUntil(now)
  const statements = recorded.map((intent) =>
    db.insert(intents).values({ ...intent, dueAt, createdAt: now })
  )
  return { statements, recorded }
}

/** Tries an intent once: it is done and gone, or due again later. */
export async function fulfil(seatgate: Seatgate, intent: RecordedIntent): Promise<void> {
  const { db, now, random, report } = seatgate
  const { id, organizationId, attempts } = intent
  try {
    await within(CALL_SECONDS, execute(seatgate, intent))
  } catch (error) {
    report({ event: `${intent.kind}_failed`, organizationId, error })
    const lastError = shortened(error instanceof Error ? error.name : 'Error', LONGEST_REASON)
    const dueAt = new Date(now().getTime() + backoffSeconds(attempts, random) * 1000)
    await batch(db, {
      later: db.update(intents).set({ attempts, dueAt, lastError }).where(eq(intents.id, id)),
    })
    return
  }
  await batch(db, { done: db.delete(intents).where(eq(intents.id, id)) })
}

/**
 * Takes up what is due: what failed before, and what a crash left behind. Those that waited longest
 * come first.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 */
export async function sweepIntents(seatgate: Seatgate): Promise<void> {
  const { db, now } = seatgate
  const time = now()
  const due = db
    .select({ id: intents.id })
    .from(intents)
    .where(lte(intents.dueAt, time))
    .orderBy(asc(intents.dueAt))
    .limit(INTENTS_PER_SWEEP)
  const { claimed } = await batch(db, {
    claimed: db
      .update(intents)
      .set({ dueAt: claimedUntil(time), attempts: sql`${intents.attempts} + 1` })
      .where(and(lte(intents.dueAt, time), inArray(intents.id, due)))
      .returning(),
  })
  await Promise.all(claimed.map((intent) => fulfil(seatgate, intent)))
}

async function execute(seatgate: Seatgate, { kind, payload }: RecordedIntent): Promise<void> {
  if (kind === 'end_sessions') {
    await seatgate.sessions?.endActiveOrganization(seatgate.db, payload as Pointers)
    return
  }
  if (kind === 'send_invitation') return sendInvitation(seatgate, payload as MailPayload)
  // A hook that the host has taken away has nothing more to say.
  const hooks: Readonly<Record<string, unknown>> = seatgate.hooks
  const hook = hooks[kind]
  if (typeof hook === 'function') await (hook as (state: unknown) => unknown)(payload)
}

function claimedUntil(now: Date): Date {
  return new Date(now.getTime() + CLAIM_SECONDS * 1000)
}
