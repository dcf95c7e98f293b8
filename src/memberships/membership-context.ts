import type { LossContext } from '../invitations/lost.ts'
import type { ChangeContext } from '../operations/change-context.ts'
import type { SessionStoreContext } from '../sessions/store.ts'

/** What an operation on memberships needs. */
export type MembershipContext = ChangeContext & LossContext & SessionStoreContext
