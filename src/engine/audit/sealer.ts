/**
 * The protocol between the log, which holds the key, and an object that seals for it.
 *
 * @module
 */
import type { Awaiting } from './consumers.ts'

/** A request to seal; plain data, so that it can be sent to a Durable Object. */
export interface SealRequest extends Awaiting {
  readonly organizationId: string
  /** The time, in ms since 1970. */
  readonly at: number
}

/** An unsigned checkpoint. */
export interface UnsignedCheckpoint {
  readonly organizationId: string
  readonly size: number
  /** The hash of the whole tree, 32 bytes. */
  readonly root: Uint8Array
}

/** Signs a checkpoint and returns the signed note. The key stays in the caller. */
export type Sign = (checkpoint: UnsignedCheckpoint) => Promise<string>

/** A signed checkpoint, sent to a Worker that can publish it. */
export interface PublishedCheckpoint {
  readonly organizationId: string
  readonly size: number
  /** The signed note. */
  readonly note: string
}

/** The result of sealing. */
export interface Sealed {
  /** The number of events in the log. */
  readonly size: number
  /** The checkpoints to publish: the new ones, after the last unpublished one. */
  readonly checkpoints: readonly PublishedCheckpoint[]
  /** Whether there may be more to seal. */
  readonly more: boolean
}

/** Seals in one object per organization. Without it any Worker seals. */
export interface Sealer {
  /**
   * Seals an organization's audit events.
   *
   * @throws {StoreUnavailable} if sealing failed. It is safe to repeat.
   */
  seal(request: SealRequest, sign: Sign): Promise<Sealed>
}
