import type { Statement } from '../database/database.ts'
import type { Intent } from '../operations/intent.ts'
import type { Pointers, SessionStoreContext } from './store.ts'

/**
 * Builds the end of sessions' pointers into an organization: in the batch where the sessions are in
 * the same D1, afterwards and until it succeeds where they are elsewhere. Access does not wait for
 * it: the membership is read with every request.
 */
export function endPointers(
  { db, sessions }: SessionStoreContext,
  places: readonly Pointers[]
): { readonly statements: readonly Statement[]; readonly intents: readonly Intent[] } {
  if (sessions === null) return { statements: [], intents: [] }
  const pointers = places.map(({ organizationId, userId }) => ({ organizationId, userId }))
  if (sessions.statements) {
    return { statements: sessions.statements.end(db, pointers), intents: [] }
  }
  const intents = pointers.map((payload) => {
    return { kind: 'end_sessions', organizationId: payload.organizationId, payload } as const
  })
  return { statements: [], intents }
}
