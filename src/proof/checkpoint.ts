/**
 * Checkpoints of an organization's log, in the format of C2SP: its name, its size and its root.
 *
 * @see https://c2sp.org/tlog-checkpoint
 * @module
 */
import { base64, fromBase64 } from './base64.ts'
import type { Hash } from './merkle.ts'
import { openNote, type NoteSigner } from './note.ts'

/** A checkpoint: the size of a log and its root at that size. */
export interface Checkpoint {
  /** The name of the key, a slash, and the organization's id. */
  readonly origin: string
  readonly size: number
  readonly root: Hash
}

/** Returns the name of an organization's log. */
export function originOf(keyName: string, organizationId: string): string {
  return `${keyName}/${organizationId}`
}

/** Writes a checkpoint and signs it. */
export function signCheckpoint(
  signer: NoteSigner,
  { origin, size, root }: Checkpoint
): Promise<string> {
  return signer.sign(`${origin}\n${size}\n${base64(root)}\n`)
}

/**
 * Verifies a signed checkpoint and parses it. Returns null if it is not signed with one of these keys.
 *
 * @example
 * ```ts
 * const checkpoint = await openCheckpoint(note, ['audit.example.com+1a2b3c4d+AR…'])
 * ```
 */
export async function openCheckpoint(
  note: string,
  publicKeys: readonly string[]
): Promise<Checkpoint | null> {
  const text = await openNote(note, publicKeys)
  const [origin = '', size = '', root = ''] = text?.split('\n') ?? []
  const hash = fromBase64(root)
  if (origin === '' || !/^(0|[1-9]\d{0,14})$/.test(size) || hash?.length !== 32) return null
  return { origin, size: Number(size), root: hash }
}
