import type { ChangeContext } from '../../engine/changes/change-context.ts'
import type { SessionStoreContext } from '../../engine/model/session-store.ts'

/** What an operation on active organizations needs. */
export interface SessionContext extends ChangeContext, SessionStoreContext {}
