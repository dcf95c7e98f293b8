/**
 * Proofs of an organization's trail: its latest checkpoint, and proofs against it.
 *
 * @module
 */
import { observed } from '../../engine/access/observed.ts'
import { and, desc, eq } from 'drizzle-orm'
import * as v from 'valibot'
import { auditCheckpoints } from '../../database/schema/log-tables.ts'
import { parseQuery } from '../../base/parameters.ts'
import { wholeNumber } from '../../base/input.ts'
import { organizationIdOf } from '../../engine/access/organization-ref.ts'
import { readable } from '../../engine/access/readable.ts'
import { base64 } from '../../proof/encoding.ts'
import { consistencySpans, inclusionSpans, rootOver, type Span } from '../../proof/merkle.ts'
import { NOTHING } from '../../engine/audit/trail-extent.ts'
import {
  ok,
  refused,
  type AccessRefusal,
  type InputRefusal,
  type Result,
} from '../../base/result.ts'
import type { OrganizationScope } from '../../engine/access/principal.ts'
import type { ArchiveContext } from '../../engine/audit/archived-events.ts'
import { subtreeHashes } from '../../engine/audit/sealer.ts'
import { findAllowed, readableExtentIn } from '../../engine/model/trail-access.ts'
import type { DatabaseContext } from '../../database/database.ts'
import type { AccessContext } from '../../engine/access/roles.ts'
import { partOf } from '../../engine/changes/part.ts'
import type { LogContext } from './log.ts'

/** The latest checkpoint, and how many events it does not cover. */
export interface AuditCheckpoint {
  /** The signed note; null until the first events are sealed. */
  readonly checkpoint: string | null
  /** How many events it covers. */
  readonly size: number
  /** How many events were recorded since; they will be sealed soon. */
  readonly unsealed: number
  /** How many of the first events retention has purged. Proofs of them stay valid. */
  readonly horizon: number
  /** The key to verify with. Obtain it from a source that you trust. */
  readonly publicKey: string
}

/** A proof that an event is in the log: hashes in base64, from the leaf to the root. */
export interface InclusionProof {
  readonly sequence: number
  readonly leafHash: string
  readonly size: number
  readonly hashes: readonly string[]
  readonly checkpoint: string
}

/** A proof that one log is the beginning of a later one. */
export interface ConsistencyProof {
  readonly from: number
  readonly to: number
  readonly hashes: readonly string[]
}

const size = wholeNumber({ min: 1 })
const Inclusion = v.object({ sequence: size }, 'Must be an object.')
const Consistency = v.object({ from: size, to: size }, 'Must be an object.')

/** The context of a function that reads the log. */
export interface ProofContext extends AccessContext, ArchiveContext, Pick<LogContext, 'log'> {}

/** Why {@link auditCheckpoint} refuses. */
export type AuditCheckpointRefusal = AccessRefusal

/**
 * Returns the latest signed checkpoint of an organization's log, for those who administer its members.
 *
 * Refusals: `AccessRefusal`.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * const latest = await auditCheckpoint(seatgate, { caller, organization: 'acme' })
 * if (latest.ok) console.log(latest.value.checkpoint)
 * ```
 */
export function auditCheckpoint(
  context: ProofContext,
  scope: OrganizationScope
): Promise<Result<AuditCheckpoint, AuditCheckpointRefusal>> {
  return observed(context, 'audit.checkpoint', async (context) => {
    const read = await readLog(context, scope)
    if (!read.ok) return read
    const { note, size, head, horizon, publicKey } = read.value
    return ok({ checkpoint: note, size, unsealed: head - size, horizon, publicKey })
  })
}

/** The input of {@link proveInclusion}: the sequence of the event. */
export interface InclusionInput {
  readonly sequence: number | string
}

/** Why {@link proveInclusion} refuses. */
export type ProveInclusionRefusal = AuditCheckpointRefusal | InputRefusal | 'not_found'

/**
 * Proves that the event of this `{ sequence }` is in the log, against its latest checkpoint. Reads as
 * many hashes as the tree is high.
 *
 * Refusals: `AuditCheckpointRefusal`, `InputRefusal`, `not_found` (the event is not sealed yet).
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * const proof = await proveInclusion(seatgate, { caller, organization: 'acme' }, { sequence: 17 })
 * ```
 */
export function proveInclusion(
  context: ProofContext,
  scope: OrganizationScope,
  input: InclusionInput
): Promise<Result<InclusionProof, ProveInclusionRefusal>> {
  return observed(context, 'audit.prove_inclusion', async (context) => {
    const read = await readLog(context, scope)
    if (!read.ok) return read
    const parsed = parseQuery(Inclusion, input)
    if (!parsed.ok) return parsed
    const { sequence } = parsed.value
    const { organizationId, note, size } = read.value
    if (note === null || sequence > size) return refused({ code: 'not_found' })
    const index = sequence - 1
    const spans = [{ start: index, end: sequence }, ...inclusionSpans(index, size)]
    const [leafHash = '', ...hashes] = await rootsOf(context, organizationId, spans)
    return ok({ sequence, leafHash, size, hashes, checkpoint: note })
  })
}

/** The input of {@link proveConsistency}: the two sizes of the log, `from` at most `to`. */
export interface ConsistencyInput {
  readonly from: number | string
  readonly to: number | string
}

/** Why {@link proveConsistency} refuses. */
export type ProveConsistencyRefusal = AuditCheckpointRefusal | InputRefusal | 'not_found'

/**
 * Proves that the log of `{ from }` events is the beginning of the log of `{ to }` events.
 *
 * Refusals: `AuditCheckpointRefusal`, `InputRefusal`, `not_found` (so many are not sealed yet).
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * const proof = await proveConsistency(seatgate, { caller, organization: 'acme' }, { from: 100, to: 250 })
 * ```
 */
export function proveConsistency(
  context: ProofContext,
  scope: OrganizationScope,
  input: ConsistencyInput
): Promise<Result<ConsistencyProof, ProveConsistencyRefusal>> {
  return observed(context, 'audit.prove_consistency', async (context) => {
    const read = await readLog(context, scope)
    if (!read.ok) return read
    const parsed = parseQuery(Consistency, input)
    if (!parsed.ok) return parsed
    const { from, to } = parsed.value
    if (from > to || to > read.value.size) return refused({ code: 'not_found' })
    const spans = consistencySpans(from, to)
    return ok({ from, to, hashes: await rootsOf(context, read.value.organizationId, spans) })
  })
}

async function readLog(context: ProofContext, scope: OrganizationScope) {
  const { db, roles } = context
  const log = partOf(context, 'log')
  const { caller, organization } = scope
  const found = await findAllowed(context, scope, {
    latest: db
      .select({ note: auditCheckpoints.note, size: auditCheckpoints.size })
      .from(auditCheckpoints)
      .where(
        and(
          eq(auditCheckpoints.organizationId, organizationIdOf(organization)),
          readable(caller, organization, { roles, permission: 'audit:read' })
        )
      )
      .orderBy(desc(auditCheckpoints.size))
      .limit(1),
    extent: readableExtentIn(context, scope),
  })
  if (!found.ok) return found
  const { rows, organization: place } = found.value
  const { publicKey } = await log.signer()
  const { note = null, size = 0 } = rows.latest[0] ?? {}
  const { head, horizon } = rows.extent[0] ?? NOTHING
  return ok({ organizationId: place.id, note, size, head, horizon, publicKey })
}

// A span is a few complete subtrees, at most as many as the tree is high.
async function rootsOf(
  context: DatabaseContext,
  organizationId: string,
  spans: readonly Span[]
): Promise<string[]> {
  const hashes = await subtreeHashes(context, organizationId, spans)
  return hashes.map((subtrees) => base64(rootOver(subtrees)))
}
