/**
 * What passes between the log, which holds the key, and an object that seals for it.
 *
 * @module
 */
import type { Awaiting } from './consumers.ts'

/** What is to be sealed; plain data, so that it can be sent to a Durable Object. */
export interface SealRequest extends Awaiting {
  readonly organizationId: string
  /** The time, in ms since 1970. */
  readonly at: number
}

/** A tree's checkpoint, to be signed. */
export interface UnsignedCheckpoint {
  readonly organizationId: string
  readonly size: number
  /** The hash of the whole tree, 32 bytes. */
  readonly root: Uint8Array
}

/** Signs a checkpoint: the signed note. The key stays where this is called. */
export type Sign = (checkpoint: UnsignedCheckpoint) => Promise<string>

/** A signed checkpoint, on its way to where whoever writes to the database cannot. */
export interface PublishedCheckpoint {
  readonly organizationId: string
  readonly size: number
  /** The signed note. */
  readonly note: string
}

/** What was sealed. */
export interface Sealed {
  /** How many events the log has. */
  readonly size: number
  /** The checkpoints that are to be published: the new ones, behind the last that still was to be. */
  readonly checkpoints: readonly PublishedCheckpoint[]
  /** Whether there may be more to seal. */
  readonly more: boolean
}

/** Seals where one object serves the organization. Without it any Worker seals. */
export interface Sealer {
  /**
   * Seals an organization's audit events.
   *
   * @throws {StoreUnavailable} if it is not done: nothing is lost by trying again.
   */
  seal(request: SealRequest, sign: Sign): Promise<Sealed>
}
