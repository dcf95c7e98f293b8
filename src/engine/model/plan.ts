import type { EventDraft } from '../audit/event.ts'
import type { Statement } from '../../database/database.ts'
import type { Question, LifecycleHooks } from './hooks.ts'
import type { Refusal } from '../../base/refusal.ts'
import type { SeatReference } from '../seats/provider.ts'
import type { Job } from './job.ts'
import type { Proof } from '../access/step-up.ts'
import type { SeatClaim } from './seat-claim.ts'

/**
 * What an operation has decided to do. Ids and times are in it already: no statement needs the
 * result of another, and all of them become one batch.
 */
export interface Plan<T> {
  /** What the operation answers once the batch is in. Plain JSON, so that it can be answered again. */
  readonly value: T
  /** What has to be proven first, where that is more than being signed in. */
  readonly proof?: Proof
  /** Which hooks may refuse it, in this order. Asked before the seats are. */
  readonly before?: readonly Question[]
  /** Conditions and changes, in order. */
  readonly statements: readonly Statement[]
  /** The host's own part in a user's life, after the statements. */
  readonly lifecycle?: { readonly hook: keyof LifecycleHooks; readonly userId: string }
  /** The seats that it needs: all of them are granted, or the plan is refused. */
  readonly claims?: readonly SeatClaim[]
  /** The seats that the batch frees. */
  readonly freedSeats?: readonly SeatReference[]
  readonly events: readonly EventDraft[]
  /** What is to be done outside, once the batch is in. */
  readonly intents?: readonly Job[]
}

/** A plan that needs no seat. */
export type SeatlessPlan<T> = Plan<T> & { readonly claims?: never }

/**
 * A plan of rows that are decided independently of each other: a hook, or a lack of seats, refuses one
 * row and leaves the others. All rows are of one organization.
 */
export interface RowsPlan<T> {
  readonly rows: readonly PlannedRow[]
  /** The plan of the rows that are left. `refusals` stand in the places of the rows; null: granted. */
  readonly decide: (refusals: readonly (Refusal | null)[]) => Plan<T>
}

/** What a row asks of the host's hooks and of the seats. */
export interface PlannedRow {
  readonly before: readonly Question[]
  readonly claim: SeatClaim | null
}

/** A plan that changes nothing and answers at once. */
export function unchanged<T>(value: T): Plan<T> {
  return { value, statements: [], events: [] }
}
