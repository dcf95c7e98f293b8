import type { Queries } from '../../database/batch.ts'
import type { RefusalCode, Result } from '../../base/result.ts'
import type { Found, Target } from '../access/authorize.ts'
import type { Principal } from '../access/principal.ts'
import type { Plan, RowsPlan } from '../model/plan.ts'
import type { Answering } from './idempotency.ts'

/**
 * An operation: its queries, and the plan that is made from their rows. Its plan refuses with a `Code`;
 * its proof, hooks, seats and guards with a `Further` one.
 */
export interface Operation<
  Q extends Queries,
  T,
  Code extends RefusalCode = RefusalCode,
  Further extends RefusalCode = RefusalCode,
> extends Answering<T, Code> {
  readonly name: string
  /**
   * The input that distinguishes it under the same operation id. Without secrets, because its digest is
   * stored.
   */
  readonly input: unknown
  /** Whether it takes a seat: if a store does not answer, it is then refused with `seats_unavailable`. */
  readonly grows: boolean
  /**
   * The codes that the proof, the hooks, the seats and the guards of its batch may return. The compiler
   * does not see into a plan, so each code is compared with the list at run time. Default: any.
   */
  readonly refusals?: readonly Further[]
  /** The queries, in one round trip with the caller and their access. */
  readonly queries: Q
  /** The user whom it is about, whose membership is read with the organization. */
  readonly target?: Target | undefined
  /** The pure decision. `caller` is the established caller. */
  readonly plan: (
    found: Found<Q>,
    caller: Principal,
    now: Date
  ) => Result<Plan<T> | RowsPlan<T>, Code>
  /**
   * Returns the operation that replaces this one, once the caller is established and before other steps.
   */
  readonly revise?: (caller: Principal) => Promise<Result<Operation<Q, T, Code, Further>, Code>>
}
