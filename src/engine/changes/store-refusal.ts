import {
  reasonOf,
  SchemaMismatch,
  StatementFailed,
  StoreUnavailable,
} from '../../database/database.ts'
import type { RefusalOf } from '../../base/refusal.ts'
import type { Runtime } from '../../base/runtime.ts'

/**
 * Answers the refusal for what D1 did not do, and reports why. A growing operation is refused with `seats_unavailable`
 * only if D1 did not answer: a statement that D1 refused says nothing about seats.
 *
 * Throws an error that is not D1's.
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
