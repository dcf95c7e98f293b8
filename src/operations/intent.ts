import type { MailPayload } from '../invitations/mail-intent.ts'
import type { AfterHook, AfterStates } from '../hooks/hooks.ts'
import type { Pointers } from '../sessions/store.ts'
import type { Seatgate } from '../seatgate.ts'

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

type HookIntent = {
  readonly [K in AfterHook]: {
    readonly kind: K
    readonly organizationId: string
    readonly payload: AfterStates[K]
  }
}[AfterHook]

/** The call of an `after…` hook, if the host has one. */
export function afterHook<K extends AfterHook>(
  { hooks }: Seatgate,
  kind: K,
  organizationId: string,
  payload: AfterStates[K]
): readonly Intent[] {
  if (!hooks[kind]) return []
  return [{ kind, organizationId, payload } as unknown as Intent]
}
