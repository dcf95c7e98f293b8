/**
 * A log as it is exported: its lines, and the checkpoints that cover them.
 *
 * @module
 */
import { base64 } from '../../../src/proof/encoding.ts'
import type { Checkpoint } from '../../../src/proof/verify-proof.ts'
import { GrowingTree, eventLeaf } from '../../../src/proof/merkle.ts'
import { personalDigest } from '../../../src/proof/personal.ts'

export const EVENTS = 24
export const BETWEEN_CHECKPOINTS = 6

function eventAt(sequence: number) {
  const personal =
    sequence % 3 === 0
      ? { salt: 'ab'.repeat(32), ipAddress: `203.0.113.${sequence}`, userAgent: null }
      : null
  return {
    id: `event-${sequence}`,
    organizationId: 'acme',
    sequence,
    action: 'organization.rename',
    metadata: { old_name: `Acmé ${sequence}`, new_name: '😀' },
    actorId: 'ada',
    outcome: 'success',
    occurredAt: `2030-01-01T00:00:${String(sequence).padStart(2, '0')}.000Z`,
    personalDigest: personal && personalDigest(personal),
    personal,
  }
}

/** A sealed log: its lines and its checkpoints. */
export function sealed(
  size = EVENTS,
  change: (event: object, sequence: number) => object = (e) => e
) {
  const tree = new GrowingTree()
  const lines: string[] = []
  const checkpoints: Checkpoint[] = []
  for (let sequence = 1; sequence <= size; sequence++) {
    const event = change(eventAt(sequence), sequence)
    tree.append(eventLeaf(event))
    lines.push(JSON.stringify(resealed(event)))
    if (sequence % BETWEEN_CHECKPOINTS === 0 || sequence === size) {
      checkpoints.push({ origin: 'audit.example/acme', size: sequence, root: tree.root })
    }
  }
  return { lines, checkpoints }
}

/** An event with the hash that it would have been sealed with. */
export const resealed = (event: object) => ({ ...event, leafHash: base64(eventLeaf(event)) })

/** The line that ends a whole export. */
export const endOf = (events: number) =>
  JSON.stringify({
    type: 'seatgate.audit.export',
    version: 1,
    events,
    truncated: false,
    throughSequence: events,
  })
