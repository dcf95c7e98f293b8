/**
 * The audit log of hashes: who seals it, with which key, and where its checkpoints go.
 *
 * @module
 */
import type { DatabaseContext } from '../database/database.ts'
import type { Runtime } from '../runtime.ts'
import { originOf, signCheckpoint } from '../proof/checkpoint.ts'
import { noteSigner, type NoteSigner } from '../proof/note.ts'
import { awaiting, type ConsumerContext } from '../audit/outbox.ts'
import { publishCheckpoints } from './publish.ts'
import {
  sealEvents,
  type PublishedCheckpoint,
  type Sealer,
  type SealRequest,
  type Sign,
} from './seal-events.ts'

/** Where checkpoints are signed, and where they are kept outside. */
export interface AuditLog {
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
  return { signer: () => (signer ??= noteSigner(privateKey)), publish, sealer }
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
 * published before. Answers the size of the log, or null where there is none to be kept.
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
  const { db, log, now } = seatgate
  if (log === null) return null
  const signer = await log.signer()
  const sign: Sign = ({ organizationId: of, size, root }) =>
    signCheckpoint(signer, { origin: originOf(signer.name, of), size, root })
  const seal = (request: SealRequest) =>
    log.sealer ? log.sealer.seal(request, sign) : sealEvents(db, request, sign)
  let answers = true
  for (;;) {
    const request = { organizationId, at: now().getTime(), ...awaiting(seatgate) }
    const { size, checkpoints, more } = await seal(request)
    if (answers) answers = await publishCheckpoints(seatgate, organizationId, checkpoints)
    if (!more) return size
  }
}
