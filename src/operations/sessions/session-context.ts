import type { ChangeContext } from '../../engine/changes/change-context.ts'
import type { SessionStoreContext } from '../../engine/model/session-store.ts'

/** The context of an operation on active organizations. */
export interface SessionContext extends ChangeContext, SessionStoreContext {}
