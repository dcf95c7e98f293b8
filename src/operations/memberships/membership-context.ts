import type { LossContext } from '../../engine/model/lost-invitations.ts'
import type { ChangeContext } from '../../engine/changes/change-context.ts'
import type { SessionStoreContext } from '../../engine/model/session-store.ts'

/** The context of an operation on memberships. */
export type MembershipContext = ChangeContext & LossContext & SessionStoreContext
