import { invalid, ok, refused, type Result } from '../../base/result.ts'
import type { OperationOptions } from '../../engine/changes/operation.ts'
import type { ConnectionContext } from './connection.ts'

const LONGEST_ID = 255

/**
 * Returns the part of a call's key that a client has chosen, marked as a client's: visible ASCII characters,
 * 255 at most. Null without one.
 *
 * Refusals: `validation_error`, if the connection requires one, or the given one could not be read.
 */
export function clientOperation(
  { connection }: Pick<ConnectionContext, 'connection'>,
  { operationId, unreadableId }: OperationOptions
): Result<string | null, 'validation_error'> {
  if (unreadableId) return unreadableId.refuse()
  const clean = (operationId ?? '').replaceAll(/[^\x21-\x7e]/g, '').slice(0, LONGEST_ID)
  if (clean !== '') return ok(`client:${clean}`)
  if (!connection.requireOperationId) return ok(null)
  return refused(invalid({ 'Idempotency-Key': ['Is required.'] }))
}
