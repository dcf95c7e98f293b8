/**
 * Exports of trails whose beginning was purged by retention.
 *
 * @module
 */
import { fromBase64 } from './encoding.ts'
import { GrowingTree, type Hash } from './merkle.ts'

/** The `type` of the line that such an export begins with. */
export const HORIZON = 'seatgate.audit.horizon'

/** The first line of such an export. */
export interface ExportHorizon {
  readonly type: typeof HORIZON
  readonly version: 1
  /** The sequence up to which events were purged. */
  readonly sequence: number
  /**
   * The complete subtrees of the purged events, largest first, in base64. The remaining events continue
   * this tree.
   */
  readonly hashes: readonly string[]
}

/** Returns the tree of the purged events; null if the line is not exactly such a line. */
export function treeAtHorizon(line: Record<string, unknown>): GrowingTree | null {
  const { type, version, sequence, hashes, ...rest } = line
  const size = Number(sequence)
  if (type !== HORIZON || version !== 1 || Object.keys(rest).length > 0) return null
  if (!Number.isSafeInteger(sequence) || size <= 0 || !Array.isArray(hashes)) return null
  const subtrees = hashes.map(readHash)
  if (!subtrees.every((hash) => hash !== null)) return null
  try {
    return new GrowingTree(size, subtrees)
  } catch {
    return null
  }
}

function readHash(text: unknown): Hash | null {
  const hash = typeof text === 'string' ? fromBase64(text) : null
  return hash?.length === 32 ? hash : null
}

/** Whether an event records the run that purged everything up to the horizon. */
export function tellsOfPurge(
  { action, metadata }: Record<string, unknown>,
  horizon: number
): boolean {
  if (action !== 'audit.purge_run' && action !== 'audit.forced_purge') return false
  return (metadata as { readonly last_sequence?: unknown } | null)?.last_sequence === horizon
}
