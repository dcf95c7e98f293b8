/**
 * The actions of impersonations, about the user whom an operator acts as.
 *
 * @module
 */
import { about, text, user, type ActionTable } from './core-actions.ts'
import { libraryEvent, type EventDraft, type With } from './event.ts'

/** The actions of impersonations. */
export const IMPERSONATION_ACTIONS = /* @__PURE__ */ (() =>
  ({
    'organization.impersonation.started': about('user', {
      ...user,
      reason: text,
      expires_at: text,
    }),
    'organization.impersonation.ended': about('user', user),
  }) as const satisfies ActionTable)()

/** Creates an event about an impersonation; the metadata contain the user too. */
export function impersonationEvent<A extends keyof typeof IMPERSONATION_ACTIONS>(
  { organizationId, userId }: { readonly organizationId: string; readonly userId: string },
  action: A,
  ...[metadata]: With<typeof IMPERSONATION_ACTIONS, A, 'user_id'>
): EventDraft {
  return libraryEvent(IMPERSONATION_ACTIONS, organizationId, action, userId, {
    user_id: userId,
    ...metadata,
  })
}
