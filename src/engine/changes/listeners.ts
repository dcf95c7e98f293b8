import type { RecordedEvent } from '../audit/record-events.ts'
import type { SeatReference } from '../seats/provider.ts'
import type { ChangeContext } from './change-context.ts'

/** The changes of a committed batch. */
export interface Committed {
  /** The organizations that its events are about, each once. */
  readonly organizationIds: readonly string[]
  /** Those of them that are marked for the consumers of the trail. */
  readonly markedIds: readonly string[]
  readonly events: readonly RecordedEvent[]
  /** The seats that it released. */
  readonly freedSeats: readonly SeatReference[]
}

/**
 * Reacts to committed changes. A failure changes no answer: a listener reports it, or catches up later.
 * Both are methods, since the context they receive also has what the listener's own part put into it.
 */
export interface Listener {
  /** Is called once the freed seats are released, beside the confirmations and the jobs. */
  committed?(context: ChangeContext, committed: Committed): Promise<void>
  /**
   * Is called when organizations may have free seats: seats were released, or the provider knows a new
   * limit. A new limit is in D1 before the provider knows it, so `committed` would be too early.
   */
  seatsFreed?(context: ChangeContext, organizationIds: readonly string[]): Promise<void>
}

/** The context for calling the listeners. */
export interface ListenerContext {
  /** Called side by side. */
  readonly listeners: readonly Listener[]
}

/** Calls every listener for a committed batch. */
export async function tellCommitted(context: ChangeContext, committed: Committed): Promise<void> {
  await Promise.all(
    context.listeners.map(async (listener) => listener.committed?.(context, committed))
  )
}

/** Calls every listener for organizations that may have free seats. */
export async function tellSeatsFreed(
  context: ChangeContext,
  organizationIds: readonly string[]
): Promise<void> {
  if (organizationIds.length === 0) return
  await Promise.all(
    context.listeners.map(async (listener) => listener.seatsFreed?.(context, organizationIds))
  )
}
