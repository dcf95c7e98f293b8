/**
 * The configuration of the log: who seals it, its signing key, and where checkpoints are published.
 *
 * @module
 */
import { checkOptionNames, namesOf } from '../../base/names.ts'
import { lt } from 'drizzle-orm'
import { TimedOut, within } from '../../base/async.ts'
import { batch } from '../../database/batch.ts'
import { auditPublished } from '../../database/schema/log-tables.ts'
import { StoreUnavailable, type DatabaseContext } from '../../database/database.ts'
import type { Runtime } from '../../base/runtime.ts'
import { originOf, signCheckpoint } from '../../proof/verify-proof.ts'
import { noteSigner, type NoteSigner } from '../../proof/note.ts'
import { budgeted, type Budgeted } from '../../database/statement-budget.ts'
import { awaiting, clearOutbox, type ConsumerContext } from '../../engine/audit/consumers.ts'
import { partOf, type Part } from '../../engine/changes/part.ts'
import { servesTrails } from '../../engine/delivery/sweep-trails.ts'
import { sealEvents } from './seal-events.ts'
import type {
  PublishedCheckpoint,
  Sealed,
  SealerNamespace,
  SealRequest,
  Sign,
} from '../../engine/audit/sealer.ts'

// A Durable Object that seals queries D1 in an invocation of its own.
const PAGES_IN_A_ROUND = 5
// How many more pages are sealed at once if statements are left.
const MORE_PAGES = 15
const STATEMENTS_PER_PAGE = 4

// For the events that an object seals in one request: up to 10,000.
const SEALING_SECONDS = 60

/** How many statements a round of sealing sends to D1 at most. */
const STATEMENTS_TO_SEAL = 30

/** Options of {@link auditLog}. */
export interface AuditLogOptions {
  /** The private key of `generateLogKey`, which signs the checkpoints. */
  readonly key: string
  /**
   * Stores signed checkpoints where writers of the database have no access, for example in R2. It is
   * called until the last one of each log was accepted, so one may arrive twice. Never replace one by
   * another. A call that takes longer than 15 seconds counts as failed.
   */
  readonly publishCheckpoint?: (checkpoint: PublishedCheckpoint) => Promise<unknown>
  /**
   * The namespace of the class `SeatLedger`, such as `env.SEATS`: then one object per organization seals,
   * so that two Workers do not hash the same events. Without it any Worker seals.
   */
  readonly sealer?: SealerNamespace
}

/** The part that `auditLog()` makes: the signer of checkpoints, and where they are published. */
export interface AuditLog extends Part<'log'> {
  readonly signer: () => Promise<NoteSigner>
  readonly publish: ((checkpoint: PublishedCheckpoint) => Promise<unknown>) | null
  /** The sealers; null if any Worker seals. */
  readonly sealer: SealerNamespace | null
}

/** The context of the log. */
export interface LogContext
  extends DatabaseContext, ConsumerContext, Pick<Runtime, 'now' | 'report'> {
  readonly log: AuditLog
}

const OPTIONS = namesOf<AuditLogOptions>({ key: true, publishCheckpoint: true, sealer: true })

/**
 * Makes the part that seals audit events into a log, a Merkle tree with signed checkpoints, so that an
 * event can be proven. The key is read on first use.
 *
 * @throws {TypeError} if an option is wrong.
 *
 * @example
 * ```ts
 * createSeatgate({
 *   …,
 *   audit: { log: auditLog({ key: env.AUDIT_LOG_KEY, sealer: env.SEATS }) },
 * })
 * ```
 */
export function auditLog(options: AuditLogOptions): AuditLog {
  checkOptionNames('auditLog', options, OPTIONS)
  const { key, publishCheckpoint: publish = null, sealer = null } = options
  if (typeof key !== 'string' || !key.startsWith('PRIVATE+KEY+')) {
    throw wrong('key must be the private key of generateLogKey().')
  }
  if (publish !== null && typeof publish !== 'function') {
    throw wrong('publishCheckpoint must be a function.')
  }
  if (sealer !== null && typeof sealer.getByName !== 'function') {
    throw wrong('sealer must be the namespace of the class SeatLedger.')
  }
  let signer: Promise<NoteSigner> | null = null
  return logPart({ signer: () => (signer ??= noteSigner(key)), publish, sealer })
}

function logPart(made: Pick<AuditLog, 'signer' | 'publish' | 'sealer'>): AuditLog {
  const log: AuditLog = {
    part: 'log',
    ...made,
    consumers: [
      {
        id: 'audit_log',
        // Retention waits for the checkpoint.
        required: true,
        internal: true,
        progress: made.publish === null ? 'sealed' : 'published',
        statements: STATEMENTS_TO_SEAL,
        promptSeconds: null,
        accepts: () => true,
        async run(context, organizationId) {
          const { more } = await sealAsFarAsItGoes({ ...context, log }, organizationId)
          return more ? 0 : null
        },
      },
    ],
    ...servesTrails,
  }
  return log
}

function wrong(what: string): TypeError {
  return new TypeError(`auditLog: ${what}`)
}

/**
 * Seals new events of an organization: a page of events per round trip, each with its own checkpoint. With
 * a `sealer` the organization's Durable Object does it, one request at a time. Publishes the
 * new checkpoints, and the last one if it was not published before. Returns the size of the log. If the
 * statements of one invocation do not suffice, the next one continues.
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
): Promise<number> {
  partOf(context, 'log')
  const { size } = await sealAsFarAsItGoes(context, organizationId)
  return size
}

/** Seals as {@link sealOrganization} does, and returns whether there is more to seal. */
async function sealAsFarAsItGoes(
  unbudgeted: LogContext,
  organizationId: string
): Promise<Pick<Sealed, 'size' | 'more'>> {
  const context = budgeted(unbudgeted)
  const { log, now, budget } = context
  const signer = await log.signer()
  const sign: Sign = ({ organizationId: of, size, root }) =>
    signCheckpoint(signer, { origin: originOf(signer.name, of), size, root })
  const seal = (request: SealRequest) =>
    log.sealer ? sealThere(log.sealer, request, sign) : sealHere(context, request, sign)
  let answers = true
  for (;;) {
    const request = { organizationId, at: now().getTime(), ...awaiting(context) }
    const { size, checkpoints, more } = await seal(request)
    if (answers) answers = await publishCheckpoints(context, organizationId, checkpoints)
    if (!more || budget.left() < STATEMENTS_TO_SEAL) return { size, more }
  }
}

async function sealThere(
  sealers: SealerNamespace,
  request: SealRequest,
  sign: Sign
): Promise<Sealed> {
  try {
    const sealer = sealers.getByName(request.organizationId)
    return await within(SEALING_SECONDS, sealer.seal(request, sign))
  } catch (error) {
    throw new StoreUnavailable(error)
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
  if (log.publish === null) return true
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
