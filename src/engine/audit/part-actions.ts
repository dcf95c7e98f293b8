/**
 * The actions of the parts, each table with the functions that create its events. A bundle has the tables
 * of its parts alone.
 *
 * @module
 */
import * as v from 'valibot'
import {
  about,
  count,
  limit,
  maybe,
  optional,
  text,
  user,
  type ActionTable,
} from './core-actions.ts'
import { libraryEvent, type EventDraft, type With } from './event.ts'

/** The actions of invitations. */
export const INVITATION_ACTIONS = /* @__PURE__ */ (() => {
  const invitation = { invitation_id: text }
  return {
    'organization.invitation.created': about('invitation', { ...invitation, role: text }),
    'organization.invitation.resent': about('invitation', {
      ...invitation,
      token_version: count,
      expires_at: optional,
    }),
    'organization.invitation.role_change': about('invitation', {
      ...invitation,
      old_role: text,
      new_role: text,
    }),
    'organization.invitation.revoked': about('invitation', { ...invitation, reason: text }),
    'organization.invitation.declined': about('invitation', { ...invitation }),
    'organization.invitation.accepted': about('invitation', {
      ...invitation,
      role: text,
      path: optional,
      already_member: v.optional(v.boolean()),
    }),
  } as const satisfies ActionTable
})()

/** Creates an event about an invitation; the metadata contain its id, but not the address. */
export function invitationEvent<A extends keyof typeof INVITATION_ACTIONS>(
  { organizationId, id }: { readonly organizationId: string; readonly id: string },
  action: A,
  ...[metadata]: With<typeof INVITATION_ACTIONS, A, 'invitation_id'>
): EventDraft {
  return libraryEvent(INVITATION_ACTIONS, organizationId, action, id, {
    invitation_id: id,
    ...metadata,
  })
}

/** The actions of joining. */
export const JOINING_ACTIONS = /* @__PURE__ */ (() => {
  const domain = { domain: text }
  const link = { link_id: text }
  return {
    'organization.domain.added': about('domain', { ...domain, mode: text }),
    'organization.domain.verified': about('domain', domain),
    'organization.domain.mode_change': about('domain', {
      ...domain,
      old_mode: text,
      new_mode: text,
      reason: optional,
    }),
    'organization.domain.record_missing': about('domain', domain),
    'organization.domain.record_found': about('domain', domain),
    'organization.domain.removed': about('domain', domain),
    'organization.join_request.created': about('join_request', user),
    'organization.join_request.approved': about('join_request', { ...user, role: text }),
    'organization.join_request.queued': about('join_request', user),
    'organization.join_request.declined': about('join_request', { ...user, reason: optional }),
    'organization.join_request.withdrawn': about('join_request', user),
    'organization.join_request.closed': about('join_request', user),
    'organization.invite_link.created': about('invite_link', {
      ...link,
      role: text,
      max_uses: count,
      expires_at: text,
      domain: optional,
    }),
    'organization.invite_link.used': about('invite_link', { ...link, ...user }),
    'organization.invite_link.revoked': about('invite_link', link),
    'organization.invite_link.ended': about('user', { ...user, reason: text }),
  } as const satisfies ActionTable
})()

/** Creates an event about a mail domain; the metadata contain its name too. */
export function domainEvent<A extends keyof typeof JOINING_ACTIONS>(
  row: { readonly organizationId: string; readonly id: string; readonly domain: string },
  action: A,
  ...[metadata]: With<typeof JOINING_ACTIONS, A, 'domain'>
): EventDraft {
  const { organizationId, id, domain } = row
  return libraryEvent(JOINING_ACTIONS, organizationId, action, id, { domain, ...metadata })
}

/** Creates an event about a request to join. */
export function joinRequestEvent<A extends keyof typeof JOINING_ACTIONS>(
  row: { readonly organizationId: string; readonly id: string; readonly userId: string },
  action: A,
  ...[metadata]: With<typeof JOINING_ACTIONS, A, 'user_id'>
): EventDraft {
  const { organizationId, id, userId } = row
  return libraryEvent(JOINING_ACTIONS, organizationId, action, id, { user_id: userId, ...metadata })
}

/** Creates an event about an invite link; the metadata contain its id. */
export function linkEvent<A extends keyof typeof JOINING_ACTIONS>(
  { organizationId, id }: { readonly organizationId: string; readonly id: string },
  action: A,
  ...[metadata]: With<typeof JOINING_ACTIONS, A, 'link_id'>
): EventDraft {
  return libraryEvent(JOINING_ACTIONS, organizationId, action, id, { link_id: id, ...metadata })
}

/** The actions of billing. */
export const BILLING_ACTIONS = /* @__PURE__ */ (() => {
  const subscription = { provider: text, subscription_id: text }
  return {
    'organization.billing.subscription_change': about('organization', {
      ...subscription,
      plan: maybe,
      status: text,
      quantity: count,
      old_status: maybe,
      unmapped: optional,
    }),
    'organization.billing.cancel_scheduled': about('organization', { ...subscription, at: text }),
    'organization.billing.subscription_end': about('organization', { ...subscription, at: text }),
    'organization.billing.second_subscription_end': about('organization', {
      ...subscription,
      kept_subscription_id: text,
    }),
    'organization.billing.seats_request': about('organization', {
      provider: text,
      seats: count,
      proration: maybe,
    }),
    'organization.billing.seats_update': about('organization', {
      ...subscription,
      seats: count,
      old_seats: count,
    }),
    'organization.billing.seats_refuse': about('organization', {
      provider: text,
      seats: count,
      code: text,
    }),
    // Of the platform's trail, since the organization is not known yet.
    'organization.billing.webhook_receive': about('event', {
      provider: text,
      account: text,
      mode: text,
    }),
    // Of the platform's trail: the end of a subscription with the organization or user that it was for.
    'organization.billing.owner_end': about('event', {
      ...subscription,
      owner_type: text,
      owner_id: text,
      code: optional,
    }),
    // The numbers that an operator has set; without any of them the earlier numbers are removed.
    'seat.entitlement_set': about('organization', {
      included: v.optional(limit),
      purchased: v.optional(count),
      add_ons: v.optional(count),
      cap: v.optional(limit),
      from: optional,
      until: optional,
      reason: text,
      version: count,
    }),
  } as const satisfies ActionTable
})()

/** Creates an event about the subscription or the entitlement of an organization. */
export function billingEvent<A extends keyof typeof BILLING_ACTIONS>(
  organizationId: string,
  action: A,
  ...[metadata]: With<typeof BILLING_ACTIONS, A>
): EventDraft {
  return libraryEvent(BILLING_ACTIONS, organizationId, action, organizationId, { ...metadata })
}

/** The actions of SCIM. */
export const SCIM_ACTIONS = /* @__PURE__ */ (() => {
  const token = { token_id: text, expires_at: maybe }
  // The names of the attributes that were sent, without their values.
  const person = { ...user, attributes: text }
  return {
    'organization.scim_token.created': about('scim_token', token),
    'organization.scim_token.rotated': about('scim_token', { ...token, new_token_id: text }),
    'organization.scim_token.revoked': about('scim_token', { token_id: text }),
    'organization.scim_user.created': about('scim_user', person),
    'organization.scim_user.updated': about('scim_user', person),
    'organization.scim_user.deleted': about('scim_user', user),
  } as const satisfies ActionTable
})()

/** Creates an event about a token or a user of SCIM. */
export function scimEvent<A extends keyof typeof SCIM_ACTIONS>(
  { organizationId, id }: { readonly organizationId: string; readonly id: string },
  action: A,
  ...[metadata]: With<typeof SCIM_ACTIONS, A>
): EventDraft {
  return libraryEvent(SCIM_ACTIONS, organizationId, action, id, { ...metadata })
}

/** The actions on the trail, and those of its operators. */
export const TRAIL_ACTIONS = /* @__PURE__ */ (() => {
  // `sinks` are those that had not settled all of it.
  const purge = { first_sequence: count, last_sequence: count, events: count, sinks: optional }
  return {
    // Of the platform's trail. The act that the proof was for, and its outcome.
    'operator.step_up': about('user', { ...user, act: text }),
    'operator.step_up_block': about('user', { ...user, act: text, attempts: count }),
    'operator.event_requeue': about('event', { provider: text }),
    'audit.erasure': about('user', { ...user, records: count }),
    'audit.purge_run': about('organization', purge),
    'audit.forced_purge': about('organization', purge),
    'audit.hold_place': about('organization', { reason: text }),
    'audit.hold_release': about('organization', { reason: text }),
    'audit.replay': about('organization', { sink: text, from_sequence: count }),
    'audit.requeue': about('organization', {
      sink: text,
      sequence: v.optional(count),
      events: count,
    }),
    'audit.sink_pause': about('organization', { sink: text }),
    'audit.sink_resume': about('organization', { sink: text }),
    // The names of the filters, without their values.
    'audit.export': about('organization', { format: text, filters: text }),
  } as const satisfies ActionTable
})()

/** Creates an event about the trail of an organization. */
export function trailEvent<A extends keyof typeof TRAIL_ACTIONS>(
  organizationId: string,
  action: A,
  ...[metadata]: With<typeof TRAIL_ACTIONS, A>
): EventDraft {
  return libraryEvent(TRAIL_ACTIONS, organizationId, action, organizationId, { ...metadata })
}
