import type { ChangeContext } from '../operations/change-context.ts'
import type { SessionStoreContext } from './store.ts'

/** What an operation on active organizations needs. */
export interface SessionContext extends ChangeContext, SessionStoreContext {}
