import {
  reasonOf,
  SchemaMismatch,
  StatementFailed,
  StoreUnavailable,
} from '../../database/database.ts'
import type { RefusalOf } from '../../base/refusal.ts'
import type { Runtime } from '../../base/runtime.ts'

/**
 * Returns the refusal for an error of D1, and reports the error. A growing operation is refused with
 * `seats_unavailable` only if D1 did not answer: a statement that D1 refused does not concern seats.
 *
 * Rethrows other errors.
 */
export function storeRefusal(
  { report }: Pick<Runtime, 'report'>,
  error: unknown,
  { grows = false }: { readonly grows?: boolean } = {}
): RefusalOf<'seats_unavailable' | 'unavailable' | 'schema_mismatch'> {
  if (!(error instanceof StoreUnavailable)) throw error
  const isSchema = error instanceof SchemaMismatch
  report({
    event: isSchema ? 'schema_mismatch' : 'store_unavailable',
    error: reasonOf(error),
  })
  if (isSchema) return { code: 'schema_mismatch' }
  const isOutage = !(error instanceof StatementFailed)
  return { code: grows && isOutage ? 'seats_unavailable' : 'unavailable' }
}
