import type { Database, Statement } from '../../database/database.ts'
import type { Job } from './job.ts'
import type { Pointers, SessionStoreContext } from './session-store.ts'

/**
 * Builds the end of the pointers of sessions into an organization: in the batch if the sessions are in
 * the same D1, otherwise as a job after it. Access does not depend on it, because every request reads the
 * membership.
 */
export function endPointers(
  context: SessionStoreContext,
  places: readonly Pointers[]
): { readonly statements: readonly Statement[]; readonly intents: readonly Job[] } {
  const { db, sessions } = context
  if (sessions === null) return { statements: [], intents: [] }
  const pointers = places.map(({ organizationId, userId }) => ({ organizationId, userId }))
  if (sessions.statements) {
    return { statements: sessions.statements.end(db, pointers), intents: [] }
  }
  const intents = pointers.map((payload) => {
    const run = (counted: Database) => endSessions({ ...context, db: counted }, payload)
    return { kind: 'end_sessions', organizationId: payload.organizationId, payload, run }
  })
  return { statements: [], intents }
}

/** Ends pointers in an external store: the handler of `end_sessions`. */
export async function endSessions(
  { db, sessions }: SessionStoreContext,
  pointers: Pointers
): Promise<null> {
  await sessions?.endActiveOrganization(db, pointers)
  return null
}
