import type { EventDraft } from '../audit/event.ts'
import type { Statement } from '../../database/database.ts'
import type { Question, LifecycleHooks } from './hooks.ts'
import type { Refusal } from '../../base/refusal.ts'
import type { SeatReference } from '../seats/provider.ts'
import type { Job } from './job.ts'
import type { Proof } from '../access/step-up.ts'
import type { SeatClaim } from './seat-claim.ts'

/**
 * The plan of an operation. It contains all ids and times: no statement needs the result of another, and
 * all of them become one batch.
 */
export interface Plan<T> {
  /** The result of the operation after the commit. Plain JSON, so that it can be stored and replayed. */
  readonly value: T
  /** The proof that the caller has to provide in addition to being signed in. */
  readonly proof?: Proof
  /** The hooks that may refuse it, in this order. They are called before seats are claimed. */
  readonly before?: readonly Question[]
  /** Conditions and changes, in order. */
  readonly statements: readonly Statement[]
  /** The host's lifecycle hook, after the statements. */
  readonly lifecycle?: { readonly hook: keyof LifecycleHooks; readonly userId: string }
  /** The claimed seats: all of them are granted, or the plan is refused. */
  readonly claims?: readonly SeatClaim[]
  /** The seats that the batch frees. */
  readonly freedSeats?: readonly SeatReference[]
  readonly events: readonly EventDraft[]
  /** The jobs after the commit. */
  readonly intents?: readonly Job[]
}

/** A plan that needs no seat. */
export type SeatlessPlan<T> = Plan<T> & { readonly claims?: never }

/**
 * A plan of rows that are decided independently: a hook, or a lack of seats, refuses one row and leaves
 * the others. All rows are of one organization.
 */
export interface RowsPlan<T> {
  readonly rows: readonly PlannedRow[]
  /** Plans the remaining rows. `refusals` are in the places of the rows; null: granted. */
  readonly decide: (refusals: readonly (Refusal | null)[]) => Plan<T>
}

/** The hooks and the claims of a row. */
export interface PlannedRow {
  readonly before: readonly Question[]
  readonly claim: SeatClaim | null
}

/** Creates a plan that changes no row and returns a value. */
export function unchanged<T>(value: T): Plan<T> {
  return { value, statements: [], events: [] }
}
