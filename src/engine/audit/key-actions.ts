/**
 * The actions of API keys.
 *
 * @module
 */
import * as v from 'valibot'
import { about, maybe, optional, text, user, type ActionTable } from './core-actions.ts'
import { libraryEvent, type EventDraft, type With } from './event.ts'

/** The actions of API keys. */
export const KEY_ACTIONS = /* @__PURE__ */ (() => {
  const key = { key_id: text }
  return {
    'organization.api_key.created': about('api_key', {
      ...key,
      role: optional,
      permissions: optional,
      expires_at: maybe,
      ends_with_creator: v.boolean(),
    }),
    'organization.api_key.rotated': about('api_key', {
      ...key,
      new_key_id: text,
      expires_at: maybe,
      old_expires_at: text,
    }),
    'organization.api_key.revoked': about('api_key', key),
    'organization.api_key.ended': about('user', { ...user, reason: text }),
  } as const satisfies ActionTable
})()

/** Creates an event about an API key; the metadata contain its id. */
export function keyEvent<A extends keyof typeof KEY_ACTIONS>(
  { organizationId, id }: { readonly organizationId: string; readonly id: string },
  action: A,
  ...[metadata]: With<typeof KEY_ACTIONS, A, 'key_id'>
): EventDraft {
  return libraryEvent(KEY_ACTIONS, organizationId, action, id, { key_id: id, ...metadata })
}
