/**
 * The audit log of hashes: who seals it, with which key, and where its checkpoints go.
 *
 * @module
 */
import type { DatabaseContext } from '../../database/database.ts'
import type { Runtime } from '../../base/runtime.ts'
import { originOf, signCheckpoint } from '../../proof/checkpoint.ts'
import { noteSigner, type NoteSigner } from '../../proof/note.ts'
import { budgeted, type Budgeted } from '../../database/statement-budget.ts'
import { awaiting, type ConsumerContext, type TrailConsumer } from '../../engine/audit/consumers.ts'
import { publishCheckpoints } from './publish-checkpoint.ts'
import { sealEvents } from './seal-events.ts'
import type {
  PublishedCheckpoint,
  Sealed,
  Sealer,
  SealRequest,
  Sign,
} from '../../engine/audit/sealer.ts'

// Where the Durable Object seals, it asks D1 in an invocation of its own.
const PAGES_IN_A_ROUND = 5
// So many more are sealed at once, if there are statements for them.
const MORE_PAGES = 15
const STATEMENTS_PER_PAGE = 4

/** How many statements D1 is asked for one round of sealing at most. */
const STATEMENTS_TO_SEAL = 30

/** Where checkpoints are signed, and where they are kept outside. */
export interface AuditLog extends TrailConsumer {
  readonly signer: () => Promise<NoteSigner>
  readonly publish: ((checkpoint: PublishedCheckpoint) => Promise<unknown>) | null
  /** Null if any Worker seals. */
  readonly sealer: Sealer | null
}

/** What keeping the log needs. */
export interface LogContext
  extends DatabaseContext, ConsumerContext, Pick<Runtime, 'now' | 'report'> {
  /** Null where no log of hashes is kept. */
  readonly log: AuditLog | null
}

/** A log whose signing key is read when it is first needed. */
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
 * Seals what an organization has recorded since the last time: a page of events for each round trip,
 * each page with a checkpoint of its own. Where seats are counted by the organization's Durable Object
 * it is done there, by one at a time. Publishes these checkpoints, and the last one if it was not
 * published before. Answers the size of the log, or null where there is none to be kept. What is more
 * than one invocation has statements for, the next one seals.
 *
 * @throws {StoreUnavailable} if D1 does not answer, or the object does not.
 *
 * @example
 * ```ts
 * await sealOrganization(seatgate, organizationId)
 * ```
 */
export async function sealOrganization(
  seatgate: LogContext,
  organizationId: string
): Promise<number | null> {
  const sealed = await sealAsFarAsItGoes(seatgate, organizationId)
  return sealed && sealed.size
}

/** The same, and whether there is more to seal. */
async function sealAsFarAsItGoes(
  unbudgeted: LogContext,
  organizationId: string
): Promise<{ readonly size: number; readonly more: boolean } | null> {
  const seatgate = budgeted(unbudgeted)
  const { log, now, budget } = seatgate
  if (log === null) return null
  const signer = await log.signer()
  const sign: Sign = ({ organizationId: of, size, root }) =>
    signCheckpoint(signer, { origin: originOf(signer.name, of), size, root })
  const seal = (request: SealRequest) =>
    log.sealer ? log.sealer.seal(request, sign) : sealHere(seatgate, request, sign)
  let answers = true
  for (;;) {
    const request = { organizationId, at: now().getTime(), ...awaiting(seatgate) }
    const { size, checkpoints, more } = await seal(request)
    if (answers) answers = await publishCheckpoints(seatgate, organizationId, checkpoints)
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
