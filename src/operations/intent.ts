import type { MailPayload } from '../invitations/mail-intent.ts'
import type { AfterHook, AfterStates } from '../hooks/hooks.ts'
import type { Pointers } from '../sessions/store.ts'

/**
 * Something to be done outside the database once a change is committed. It is written in the
 * change's own batch and stays until it is done. The payload is plain JSON.
 */
export type Intent =
  | HookIntent
  | { readonly kind: 'end_sessions'; readonly organizationId: string; readonly payload: Pointers }
  | {
      readonly kind: 'send_invitation'
      readonly organizationId: string
      readonly payload: MailPayload
    }

/** The call of an `after…` hook. */
export type HookIntent = {
  readonly [K in AfterHook]: {
    readonly kind: K
    readonly organizationId: string
    readonly payload: AfterStates[K]
  }
}[AfterHook]
