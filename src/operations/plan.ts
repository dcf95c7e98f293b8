import type { EventDraft } from '../audit/event.ts'
import type { Statement } from '../database/database.ts'
import type { Admission } from '../memberships/gate.ts'

/**
 * What an operation has decided to do. Ids and times are in it already: no statement needs the
 * result of another, and all of them become one batch.
 */
export interface Plan<T> {
  /** What the operation answers once the batch is in. Plain JSON, so that it can be answered again. */
  readonly value: T
  readonly organizationId: string
  /** Conditions and changes, in order. */
  readonly statements: readonly Statement[]
  /** The membership that comes to be, if one does. */
  readonly admission?: Admission
  /** The seats that the batch frees. */
  readonly freedSeats?: readonly string[]
  readonly events: readonly EventDraft[]
}

/** A plan that changes nothing and answers at once. */
export function unchanged<T>(organizationId: string, value: T): Plan<T> {
  return { value, organizationId, statements: [], events: [] }
}
