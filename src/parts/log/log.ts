/**
 * The configuration of the log: who seals it, its signing key, and where checkpoints are published.
 *
 * @module
 */
import type { DatabaseContext } from '../../database/database.ts'
import type { Runtime } from '../../base/runtime.ts'
import { originOf, signCheckpoint } from '../../proof/verify-proof.ts'
import { noteSigner, type NoteSigner } from '../../proof/note.ts'
import { budgeted, type Budgeted } from '../../database/statement-budget.ts'
import {
  awaiting,
  clearOutbox,
  type ConsumerContext,
  type TrailConsumer,
} from '../../engine/audit/consumers.ts'
import { sealEvents } from './seal-events.ts'
import type {
  PublishedCheckpoint,
  SealRequest,
  Sealed,
  Sealer,
  Sign,
} from '../../engine/audit/sealer.ts'
import { lt } from 'drizzle-orm'
import { batch } from '../../database/batch.ts'
import { auditPublished } from '../../database/schema.ts'
import { TimedOut, within } from '../../base/async.ts'

// A Durable Object that seals queries D1 in an invocation of its own.
const PAGES_IN_A_ROUND = 5
// How many more pages are sealed at once if statements are left.
const MORE_PAGES = 15
const STATEMENTS_PER_PAGE = 4

/** How many statements a round of sealing sends to D1 at most. */
const STATEMENTS_TO_SEAL = 30

/** The signer of checkpoints, and where they are published. */
export interface AuditLog extends TrailConsumer {
  readonly signer: () => Promise<NoteSigner>
  readonly publish: ((checkpoint: PublishedCheckpoint) => Promise<unknown>) | null
  /** The sealer; null if any Worker seals. */
  readonly sealer: Sealer | null
}

/** The context of the log. */
export interface LogContext
  extends DatabaseContext, ConsumerContext, Pick<Runtime, 'now' | 'report'> {
  /** The log; null if none is configured. */
  readonly log: AuditLog | null
}

/** Creates a log that reads its signing key on first use. */
export function auditLog(
  privateKey: string,
  publish: AuditLog['publish'],
  sealer: AuditLog['sealer']
): AuditLog {
  let signer: Promise<NoteSigner> | null = null
  return {
    signer: () => (signer ??= noteSigner(privateKey)),
    publish,
    sealer,
    statements: STATEMENTS_TO_SEAL,
    async run(context: LogContext, organizationId) {
      const sealed = await sealAsFarAsItGoes(context, organizationId)
      return sealed?.more ? 0 : null
    },
  }
}

/** Returns the seat provider as a sealer if it can seal. */
export function sealerOf(seats: object & Partial<Sealer>): Sealer | null {
  return canSeal(seats) ? seats : null
}

function canSeal(seats: Partial<Sealer>): seats is Sealer {
  return seats.seal !== undefined
}

/**
 * Seals new events of an organization: a page of events per round trip, each with its own checkpoint. If
 * the organization's Durable Object counts its seats, it also seals, one request at a time. Publishes the
 * new checkpoints, and the last one if it was not published before. Returns the size of the log, or null
 * if no log is configured. If the statements of one invocation do not suffice, the next one continues.
 *
 * @throws {StoreUnavailable} if D1 does not answer, or the object does not.
 *
 * @example
 * ```ts
 * await sealOrganization(seatgate, organizationId)
 * ```
 */
export async function sealOrganization(
  context: LogContext,
  organizationId: string
): Promise<number | null> {
  const sealed = await sealAsFarAsItGoes(context, organizationId)
  return sealed && sealed.size
}

/** Seals as {@link sealOrganization} does, and returns whether there is more to seal. */
async function sealAsFarAsItGoes(
  unbudgeted: LogContext,
  organizationId: string
): Promise<{ readonly size: number; readonly more: boolean } | null> {
  const context = budgeted(unbudgeted)
  const { log, now, budget } = context
  if (log === null) return null
  const signer = await log.signer()
  const sign: Sign = ({ organizationId: of, size, root }) =>
    signCheckpoint(signer, { origin: originOf(signer.name, of), size, root })
  const seal = (request: SealRequest) =>
    log.sealer ? log.sealer.seal(request, sign) : sealHere(context, request, sign)
  let answers = true
  for (;;) {
    const request = { organizationId, at: now().getTime(), ...awaiting(context) }
    const { size, checkpoints, more } = await seal(request)
    if (answers) answers = await publishCheckpoints(context, organizationId, checkpoints)
    if (!more || budget.left() < STATEMENTS_TO_SEAL) return { size, more }
  }
}

async function sealHere(
  { db, budget }: Budgeted<LogContext>,
  request: SealRequest,
  sign: Sign
): Promise<Sealed> {
  const room = Math.floor(budget.left() / STATEMENTS_PER_PAGE)
  const more = Math.min(MORE_PAGES, Math.max(0, room))
  const sealing = () => sealEvents(db, request, sign, PAGES_IN_A_ROUND + more)
  return more === 0 ? sealing() : budget.spending(more * STATEMENTS_PER_PAGE, sealing)
}

// The same time that a sink has for an event.
const PUBLICATION_SECONDS = 15

/**
 * Publishes an organization's checkpoints with the host's publisher, and stores the last one; a
 * checkpoint covers those before it. A checkpoint that was not published or not stored is published at
 * the next sealing, and until then the organization stays in the outbox. Returns false if the publisher
 * did not answer in time, so that calling it again now is useless.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 */
export async function publishCheckpoints(
  context: Omit<LogContext, 'now'>,
  organizationId: string,
  checkpoints: readonly PublishedCheckpoint[]
): Promise<boolean> {
  const { db, log, report } = context
  if (log === null || log.publish === null) return true
  let size = 0
  let answers = true
  for (const checkpoint of checkpoints) {
    try {
      await within(PUBLICATION_SECONDS, log.publish(checkpoint))
      size = checkpoint.size
    } catch (error) {
      report({ event: 'checkpoint_not_published', organizationId, error })
      answers = !(error instanceof TimedOut)
      if (!answers) break
    }
  }
  if (size === 0) return answers
  await batch(db, {
    published: db
      .insert(auditPublished)
      .values({ organizationId, size })
      .onConflictDoUpdate({
        target: auditPublished.organizationId,
        set: { size },
        setWhere: lt(auditPublished.size, size),
      }),
    cleared: clearOutbox(db, organizationId, awaiting(context)),
  })
  return answers
}
