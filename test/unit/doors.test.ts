import { describe, expect, it } from 'vitest'
import { ACTIONS } from '../../src/engine/audit/actions.ts'
import { HOOKS, type AfterHook } from '../../src/engine/model/hooks.ts'

declare global {
  interface ImportMeta {
    glob(patterns: readonly string[], options: object): Record<string, string>
  }
}

const sources = import.meta.glob(['../../src/**/*.ts', '../../host/**/*.ts'], {
  query: '?raw',
  import: 'default',
  eager: true,
})
const migrations = import.meta.glob(['../../migrations/*.sql'], {
  query: '?raw',
  import: 'default',
  eager: true,
})

/** The files of the library and the host that hold such a text outside comments. */
function filesWith(pattern: RegExp): string[] {
  return Object.entries(sources)
    .filter(([, text]) => pattern.test(withoutComments(text)))
    .map(([path]) => path.replace('../../', ''))
    .sort((a, b) => a.localeCompare(b))
}

/** An insert into a table, of one row or of many. */
function inserting(table: string): RegExp {
  return new RegExp(`\\binsert(?:Rows?|Many)?\\(\\s*(?:(?:\\w+\\.)?db,\\s*)?${table}\\b`)
}

function withoutComments(text: string): string {
  return text.replace(/(^|\s)(?:\/\*[^]*?\*\/|\/\/.*$)/gm, '$1')
}

describe('the doors [SEAT-1]', () => {
  it('are looked for in every file', () => {
    expect(filesWith(/./).length).toBeGreaterThan(50)
  })

  it('create memberships only as the row of a claim', () => {
    expect(filesWith(inserting('memberships'))).toEqual(['src/engine/model/membership.ts'])
  })

  it('end memberships in one place', () => {
    expect(filesWith(/\bdelete\(\s*memberships\b/)).toEqual(['src/engine/model/leave.ts'])
  })

  it('have no way round in SQL', () => {
    const around =
      /\b(?:insert(?:\s+or\s+\w+)?\s+into|replace\s+into|delete\s+from|update(?:\s+or\s+\w+)?)\s+["'`]?(?:\$\{|seatgate_)?memberships\b/i
    expect(filesWith(around)).toEqual([])
    expect(around.test('INSERT OR REPLACE INTO seatgate_memberships')).toBe(true)
    expect(around.test('delete from ${memberships}')).toBe(true)
    expect(around.test('UPDATE "seatgate_memberships" SET')).toBe(true)
    // Nor do the migrations write any, be it in a trigger.
    expect(Object.keys(migrations).length).toBeGreaterThan(20)
    const writing = Object.values(migrations).filter((text) => around.test(text))
    expect(writing).toEqual([])
  })

  it('have no second name', () => {
    expect(filesWith(/\bmemberships\s+as\s+\w|=\s*memberships\b(?!\.)/)).toEqual([])
    // Its keys and checks, for hosts that create the tables from Drizzle.
    expect(filesWith(/\b\w+\.memberships\b/)).toEqual([
      'src/database/schema/membership-constraints.ts',
    ])
  })

  it('change a membership only in these places', () => {
    expect(filesWith(/\bupdate\(\s*memberships\b/)).toEqual([
      'src/engine/model/leave.ts',
      'src/engine/model/membership.ts',
      'src/engine/model/reseat.ts',
      'src/engine/model/role-change.ts',
      'src/parts/groups/end-members.ts',
      'src/parts/groups/group-rights.ts',
      'src/parts/roles/role-uses.ts',
    ])
    // Groups write the roles that they carry, and no other column.
    for (const file of ['end-members', 'group-rights']) {
      const text = sources[`../../src/parts/groups/${file}.ts`] ?? ''
      expect(text).toMatch(/update\(memberships\)\s*\.set\(\{ groupRoles: [^\n]+ \}\)/)
    }
    // A change of role has a seat from a claim, or leaves the seat as it is.
    const change = sources['../../src/engine/model/role-change.ts'] ?? ''
    expect([...change.matchAll(/\.set\(([^)]*)\)/g)].map(([, set]) => set)).toEqual([
      '{ role, updatedAt: now }',
      '{ role, seatId: given, updatedAt }',
    ])
  })

  it('give a seat nowhere but at the gate, and take it nowhere but at the exit', () => {
    // Of an invitation that holds none any more: it is written without. A repair gives a seat to whoever
    // is in without one, and to nobody else.
    // The claims name the columns that they change: the row of a restored member, and of an invitation.
    expect(filesWith(/\bset\(\s*\{[^}]*\b(?:seatId|status)\b/)).toEqual([
      'src/engine/model/invitation.ts',
      'src/engine/model/leave.ts',
      'src/engine/model/membership.ts',
      'src/engine/model/reseat.ts',
      'src/engine/model/role-change.ts',
      // The status of an event of a billing provider.
      'src/parts/billing/inbox.ts',
      'src/parts/billing/requeue-event.ts',
    ])
    expect(filesWith(/\bset\(\s*\{[^}]*\bseatId\b(?!: null\b)/)).toEqual([
      'src/engine/model/invitation.ts',
      'src/engine/model/membership.ts',
      'src/engine/model/reseat.ts',
      'src/engine/model/role-change.ts',
    ])
    const reseat = withoutComments(sources['../../src/engine/model/reseat.ts'] ?? '')
    expect(reseat).toContain("eq(memberships.status, 'active'),\n    isNull(memberships.seatId)")
    expect(filesWith(/\b(?:reseat|moveSeats)\(/)).toEqual([
      'src/engine/model/reseat.ts',
      'src/operations/seats/repair.ts',
    ])
    expect(filesWith(/\bset\(\s*row\b/)).toEqual([])
  })

  it('claim seats only in seat-claims.ts, and confirm them only beside the batch', () => {
    expect(filesWith(/\.reserve\(seatContext|\.reserve\(context\b/)).toEqual([
      'src/engine/changes/seat-claims.ts',
    ])
    expect(filesWith(/\bseats\.(?:reserve|reserveEach|release)\(/)).toEqual([
      'src/engine/changes/seat-claims.ts',
    ])
    expect(filesWith(/\bseats\.confirm\(/)).toEqual(['src/engine/changes/conclude.ts'])
    expect(filesWith(/\bseats\.setLimit\(/)).toEqual(['src/engine/changes/apply-limit.ts'])
    expect(filesWith(/\breleaseSeat\(/)).toEqual([
      'src/engine/changes/conclude.ts',
      'src/engine/changes/seat-claims.ts',
      'src/operations/seats/release.ts',
    ])
  })

  it('admit no user uncounted or unrefused but the founder, of a new organization', () => {
    expect(filesWith(/\bclaimAsFounder\(/)).toEqual([
      'src/engine/model/membership.ts',
      'src/operations/organizations/create.ts',
    ])
    const named = filesWith(/'founding'|'awaited'|\bkind\b[^\n]*'reserved'/)
    expect(named).toEqual([
      'src/engine/changes/operation-refusals.ts',
      'src/engine/changes/seat-claims.ts',
      'src/engine/model/membership.ts',
      'src/engine/model/plan.ts',
      'src/engine/seats/d1-seats.ts',
      'src/engine/seats/provider.ts',
      'src/parts/ledger/ledger-seats.ts',
    ])
    const claims = withoutComments(sources['../../src/engine/model/membership.ts'] ?? '')
    expect(claims.match(/'founding'/g)).toHaveLength(1)
    // A seat that there is stays reserved only if it is of the type that the role takes.
    const gate = withoutComments(sources['../../src/engine/changes/seat-claims.ts'] ?? '')
    expect(gate).toContain("const kind = kept ? 'reserved' : claim.kind")
    expect(gate).toContain(
      'const kept = seatId !== null && !promotes && typeOfSeat(seatId) === type'
    )
    // The claims alone say what kind of request it is.
    expect(filesWith(/\bkind: '(?:founding|reserved|awaited)'(?! \|)/)).toEqual([])
    // Only the line itself lets somebody have the seat that was waited for.
    expect(filesWith(/\bawaited: true\b/)).toEqual(['src/operations/joining/waitlist.ts'])
  })

  it('pass on a held seat only from invitations', () => {
    // Only one that was read of a row is passed on: beside `seatId` there is no way to name one.
    expect(filesWith(/\bclaim(?:AsMember|ForInvitation|ForRenewal)\(/)).toEqual([
      'src/engine/model/invitation.ts',
      'src/engine/model/join.ts',
      'src/engine/model/membership.ts',
      'src/operations/invitations/plan-invitation.ts',
      'src/operations/invitations/resend.ts',
    ])
    expect(filesWith(/\binvitationHolder\b(?! \})/)).toEqual([
      'src/base/seat-types.ts',
      'src/engine/model/invitation.ts',
      'src/engine/model/membership.ts',
      'src/engine/seats/assigned-seats.ts',
      'src/operations/seats/differences.ts',
      'src/operations/seats/release.ts',
      'src/worker/ledger-tables.ts',
    ])
  })

  it('leave the count of members to the triggers, and to the repair that counts again', () => {
    expect(filesWith(/\b(?:insert|update|delete)\(\s*memberCounts\b/)).toEqual([
      'src/operations/seats/repair.ts',
    ])
    expect(filesWith(/\brecount\(/)).toEqual(['src/operations/seats/repair.ts'])
    expect(
      filesWith(
        /\b(?:into|from|update)\s+["'`]?seatgate_member_counts\b(?!\s+where organization_id)/i
      )
    ).toEqual([])
  })

  it('are these: a developer who adds one finds this list', () => {
    expect(filesWith(/\bclaims:(?! readonly| Claims| string)/)).toEqual([
      'src/engine/model/join.ts',
      'src/engine/model/role-change.ts',
      'src/operations/invitations/change-role.ts',
      'src/operations/invitations/create.ts',
      'src/operations/invitations/resend.ts',
      'src/operations/memberships/change-role.ts',
      'src/operations/memberships/restore.ts',
      'src/operations/memberships/transfer-ownership.ts',
      'src/operations/organizations/create.ts',
      'src/parts/scim/plan-restoration.ts',
    ])
    expect(filesWith(/\bchangedRole\(/)).toEqual([
      'src/engine/model/role-change.ts',
      'src/operations/memberships/change-role.ts',
      'src/operations/memberships/transfer-ownership.ts',
    ])
  })

  it('decide in one place by the role whether a row takes a seat', () => {
    expect(filesWith(/\bwrite\(null\)/)).toEqual(['src/engine/changes/seat-claims.ts'])
    expect(filesWith(/\btakesSeat\(/)).toEqual([
      'src/engine/access/roles.ts',
      'src/engine/changes/seat-claims.ts',
      'src/engine/model/role-change.ts',
      // These ask without giving a seat.
      'src/engine/model/waitlist-place.ts',
      'src/operations/billing/restore-excess.ts',
      'src/operations/memberships/change-role.ts',
      'src/operations/seats/can-add.ts',
      'src/parts/roles/delete-role.ts',
    ])
  })

  it('use one plan to create a membership', () => {
    expect(filesWith(/\bplanJoin\(/)).toEqual([
      'src/engine/model/join.ts',
      'src/operations/invitations/accept.ts',
      'src/operations/joining/approve.ts',
      'src/operations/joining/join-by-link.ts',
      'src/operations/joining/join.ts',
      'src/operations/joining/waitlist.ts',
      'src/operations/memberships/add.ts',
      'src/operations/memberships/prepare-member.ts',
      'src/parts/scim/plan-presence.ts',
    ])
  })

  it('use the one function that makes changes', () => {
    expect(filesWith(/\bclaimSeats\(/)).toEqual([
      'src/engine/changes/prepare-change.ts',
      'src/engine/changes/seat-claims.ts',
    ])
    expect(filesWith(/\bclaimEach\(/)).toEqual([
      'src/engine/changes/prepare-change.ts',
      'src/engine/changes/seat-claims.ts',
    ])
    expect(filesWith(/\bplanLeave\(/)).toEqual([
      'src/engine/model/leave.ts',
      'src/engine/model/removals.ts',
      'src/operations/memberships/delete-user.ts',
      'src/operations/memberships/remove.ts',
    ])
    expect(filesWith(/\bplanSuspension\(/)).toEqual([
      'src/engine/model/leave.ts',
      'src/operations/billing/suspend-excess.ts',
      'src/operations/memberships/suspend.ts',
      'src/parts/scim/plan-suspended.ts',
    ])
    expect(filesWith(/\bcommit\(/)).toEqual([
      'src/database/commit.ts',
      'src/engine/changes/conclude.ts',
    ])
    expect(filesWith(/\bconclude\(/)).toEqual([
      'src/engine/changes/conclude.ts',
      'src/engine/changes/together.ts',
      'src/operations/sessions/load-active.ts',
      'src/operations/sessions/put-active.ts',
      // The receipt of a webhook, which has no caller and no organization.
      'src/parts/billing/inbox.ts',
    ])
    expect(filesWith(/\bcommitPrepared\b.*\(/)).toEqual([
      'src/engine/changes/conclude.ts',
      'src/engine/changes/operation.ts',
    ])
    expect(filesWith(/\.batch\(/)).toEqual([
      'host/identity/routes.ts',
      'src/database/batch.ts',
      'src/database/commit.ts',
      'src/database/database.ts',
      // It passes them on to a replica, or in a session.
      'src/database/replica.ts',
      // It counts what these two ask.
      'src/testing/state.ts',
    ])
  })

  it('delete events in one place, with a record', () => {
    expect(filesWith(/\bdelete\(\s*auditEvents\b/)).toEqual(['src/parts/retention/purge.ts'])
    expect(filesWith(inserting('auditPurges'))).toEqual(['src/parts/retention/purge.ts'])
    const around = /\b(?:replace\s+into|delete\s+from|update(?:\s+or\s+\w+)?)\s+["'`]?audit_/i
    expect(filesWith(around)).toEqual([])
  })

  it('write events only with the change that they describe', () => {
    expect(filesWith(inserting('auditEvents'))).toEqual(['src/engine/audit/record-events.ts'])
    expect(filesWith(/\brecordEvents\(/)).toEqual([
      'src/engine/audit/record-events.ts',
      'src/engine/changes/prepare-change.ts',
    ])
  })
})

describe('the doors of invitations', () => {
  it('create them as the row of a claim, or beside it if they hold no seat', () => {
    expect(filesWith(inserting('invitations'))).toEqual([
      'src/engine/model/invitation.ts',
      'src/operations/invitations/plan-invitation.ts',
    ])
    const plan = withoutComments(
      sources['../../src/operations/invitations/plan-invitation.ts'] ?? ''
    )
    expect([...plan.matchAll(/insertRows\([^\n]*/g)].map(([text]) => text)).toEqual([
      'insertRows(context.db, invitations, unheld),',
    ])
    expect(plan).toContain('claim === null ? [{ ...row, seatId: null }] : []')
    expect(filesWith(/\bdelete\(\s*invitations\b/)).toEqual([])
    expect(filesWith(/\btable: invitations\b/)).toEqual([
      'src/operations/invitations/invitation-config.ts',
    ])
    expect(filesWith(/\bpurgeInTurn\(/)).toEqual([
      'src/database/purge-in-turn.ts',
      'src/engine/changes/purge-operations.ts',
      'src/engine/model/rate-limits.ts',
      'src/operations/invitations/invitation-config.ts',
      'src/operations/sessions/d1-sessions.ts',
    ])
  })

  it('have no way round in SQL', () => {
    const around =
      /\b(?:insert(?:\s+or\s+\w+)?\s+into|replace\s+into|delete\s+from|update(?:\s+or\s+\w+)?)\s+["'`]?(?:\$\{|seatgate_)?(?:invitations|rate_?limits)\b/i
    expect(filesWith(around)).toEqual([])
    expect(Object.values(migrations).filter((text) => around.test(text))).toEqual([])
  })

  it('change them only in these places', () => {
    expect(filesWith(/\bupdate\(\s*invitations\b/)).toEqual([
      'src/engine/model/end-invitation.ts',
      'src/engine/model/invitation.ts',
      'src/operations/invitations/accept.ts',
      'src/operations/invitations/change-role.ts',
      'src/operations/invitations/invitation-roles.ts',
      'src/operations/invitations/mail.ts',
    ])
    expect(filesWith(/\bset\(\s*\{[^}]*\bacceptedAt\b/)).toEqual([
      'src/operations/invitations/accept.ts',
    ])
  })

  it('plan each acceptance in one place, and each end in another', () => {
    expect(filesWith(/\bplanInvitation\(/)).toEqual([
      'src/operations/invitations/create-many.ts',
      'src/operations/invitations/create.ts',
      'src/operations/invitations/plan-invitation.ts',
    ])
    expect(filesWith(/\bplanAcceptance\(/)).toEqual([
      'src/operations/invitations/accept-with-signup.ts',
      'src/operations/invitations/accept.ts',
    ])
    expect(filesWith(/\bendInvitation\(/)).toEqual([
      'src/engine/model/end-invitation.ts',
      'src/engine/model/invited-members.ts',
      'src/operations/invitations/decline.ts',
      'src/operations/invitations/revoke.ts',
    ])
    expect(filesWith(/\bendInvitations\(/)).toEqual([
      'src/engine/model/end-invitation.ts',
      'src/engine/model/invited-members.ts',
      'src/operations/invitations/plan-invitation.ts',
      'src/parts/roles/end-lost.ts',
    ])
    expect(filesWith(/\bendLost\(/)).toEqual([
      'src/engine/model/invited-members.ts',
      'src/engine/model/removals.ts',
      'src/operations/memberships/change-role.ts',
      'src/operations/memberships/delete-user.ts',
      'src/operations/memberships/remove.ts',
      'src/operations/memberships/suspend.ts',
      'src/operations/memberships/transfer-ownership.ts',
      'src/parts/scim/plan-suspended.ts',
    ])
    expect(filesWith(/\bfreedSeat\(/)).toEqual([
      'src/engine/model/end-invitation.ts',
      'src/operations/invitations/accept.ts',
      'src/operations/invitations/resend.ts',
    ])
  })

  it('count statements at the place that sends them', () => {
    expect(filesWith(/\b(?:insert|update|delete)\(\s*rateLimits\b/)).toEqual([
      'src/engine/model/rate-limits.ts',
      'src/operations/invitations/invitation-limits.ts',
      'src/operations/sessions/put-active.ts',
      // The attempts of a user to prove who they are.
      'src/operations/sessions/step-up.ts',
    ])
    expect(filesWith(/\bcountMore\(/)).toEqual([
      'src/engine/model/rate-limits.ts',
      'src/operations/invitations/create-many.ts',
      'src/operations/invitations/create.ts',
      'src/operations/invitations/resend.ts',
      'src/operations/joining/join.ts',
    ])
  })

  it('make and open tokens in one place, and keep the secret there', () => {
    expect(filesWith(/\b(?:sealToken|openToken)\(/)).toEqual([
      'src/operations/invitations/token.ts',
      'src/operations/invitations/verify-token.ts',
    ])
    expect(filesWith(/\binvitations\??\.secret\b|\{ secret \} = \w+\.invitations\b/)).toEqual([
      'src/operations/invitations/token.ts',
      'src/operations/invitations/verify-token.ts',
    ])
  })
})

describe('the doors of joining', () => {
  it('change domains and requests only in these places', () => {
    expect(filesWith(/\b(?:insert|update|delete)\(\s*organizationDomains\b/)).toEqual([
      'src/engine/model/joining-members.ts',
      'src/operations/joining/add-domain.ts',
      'src/operations/joining/change-domain.ts',
      'src/operations/joining/recheck-domains.ts',
      'src/operations/joining/verify-domain.ts',
    ])
    expect(filesWith(/\b(?:insert|update|delete)\(\s*joinRequests\b/)).toEqual([
      'src/engine/model/joining-members.ts',
      'src/operations/joining/approve.ts',
      'src/operations/joining/decline.ts',
      'src/operations/joining/join-by-link.ts',
      'src/operations/joining/join.ts',
      'src/operations/joining/joining-config.ts',
      'src/operations/joining/joining-roles.ts',
      'src/operations/joining/waitlist.ts',
      'src/parts/scim/plan-presence.ts',
    ])
    const around =
      /\b(?:insert(?:\s+or\s+\w+)?\s+into|replace\s+into|delete\s+from|update(?:\s+or\s+\w+)?)\s+["'`]?(?:\$\{)?(?:organization_?domains|join_?requests)\b/i
    expect(filesWith(around)).toEqual([])
    expect(Object.values(migrations).filter((text) => around.test(text))).toEqual([])
  })

  it('give out places in line in one place, and never twice', () => {
    expect(filesWith(/\bnextPlace\(/)).toEqual([
      'src/engine/model/waitlist-place.ts',
      'src/operations/joining/approve.ts',
      'src/operations/joining/join-by-link.ts',
      'src/operations/joining/join.ts',
      'src/parts/scim/plan-presence.ts',
    ])
    expect(filesWith(/\bplace: (?:nextPlace|waits)/)).toEqual([
      'src/operations/joining/approve.ts',
      'src/operations/joining/join-by-link.ts',
      'src/operations/joining/join.ts',
      'src/parts/scim/plan-presence.ts',
    ])
    expect(filesWith(/\bplace: \d/)).toEqual([])
  })
})

describe('the pointer of a session', () => {
  it('is moved only by its store', () => {
    expect(filesWith(/\bset\(\s*\{[^}]*\bactiveOrganizationId\b/)).toEqual([
      'src/operations/sessions/d1-sessions.ts',
    ])
    expect(filesWith(/\bset\s+["'`]?active_organization_id\b/i)).toEqual([])
  })

  it('is moved in these places: on purpose, at sign-in, and when it is stale', () => {
    expect(filesWith(/\.updateActiveOrganization\(/)).toEqual([
      'src/operations/sessions/load-active.ts',
      'src/operations/sessions/put-active.ts',
      'src/operations/sessions/select.ts',
    ])
    expect(filesWith(/\b(?:pointers|sessions\.statements)\.update\(/)).toEqual([
      'src/operations/sessions/load-active.ts',
      'src/operations/sessions/put-active.ts',
    ])
    expect(filesWith(/\bendPointers\(/)).toEqual([
      'src/engine/model/leave.ts',
      'src/engine/model/session-store.ts',
      'src/operations/organizations/delete.ts',
    ])
  })
})

describe('the doors of input', () => {
  it('compare ids of the host’s users in one place [B1]', () => {
    const comparing = filesWith(/\busers\.id\}|\beq\(\s*users\.id\b/)
    expect(comparing.filter((path) => path.startsWith('src/'))).toEqual([
      'src/database/database.ts',
    ])
  })

  it('put no text into lower case before it is checked [B3]', () => {
    expect(filesWith(/\.toLowerCase\(\)/)).toEqual([
      'host/identity/rate.ts',
      'src/base/email.ts',
      'src/base/input.ts',
      'src/base/names.ts',
      'src/engine/model/slug.ts',
      'src/hono/cross-site.ts',
      'src/hono/request-body.ts',
      'src/operations/audit/host-event-rules.ts',
      'src/tenancy/tokens.ts',
    ])
  })

  it('read no time by new Date(text) [B6]', () => {
    expect(filesWith(/new Date\((?:text|value|input)\b(?!\.expiresAt)/)).toEqual([
      'src/base/instant.ts',
    ])
  })
})

describe('the hooks of the doors', () => {
  /** The `after…` hook of each event of a way in or out. */
  const HOOK_OF: Readonly<Record<string, AfterHook>> = {
    'organization.create': 'afterCreateOrganization',
    'organization.delete': 'afterDeleteOrganization',
    'organization.restore': 'afterRestoreOrganization',
    'organization.member_add': 'afterAddMember',
    'organization.member_restore': 'afterAddMember',
    'organization.member_remove': 'afterMemberRemove',
    'organization.member_suspend': 'afterMemberSuspend',
    'organization.member_role_change': 'afterRoleChange',
    'organization.ownership_transfer': 'afterTransfer',
    'organization.invitation.created': 'afterInvitationCreate',
    'organization.invitation.resent': 'afterInvitationResend',
    'organization.invitation.role_change': 'afterInvitationRoleChange',
    'organization.invitation.accepted': 'afterInvitationAccept',
    'organization.invitation.declined': 'afterInvitationDecline',
    'organization.invitation.revoked': 'afterInvitationRevoke',
    'organization.join_request.created': 'afterJoinRequestCreate',
    'organization.join_request.queued': 'afterJoinRequestQueue',
    'organization.join_request.approved': 'afterJoinRequestApprove',
    'organization.join_request.declined': 'afterJoinRequestDecline',
    'organization.join_request.withdrawn': 'afterJoinRequestWithdraw',
    'organization.join_request.closed': 'afterJoinRequestClose',
    'organization.domain.added': 'afterDomainAdd',
    'organization.domain.verified': 'afterDomainVerify',
    'organization.domain.mode_change': 'afterDomainChange',
    'organization.domain.removed': 'afterDomainRemove',
  }
  /** Events that tell of no way in or out. */
  const WITHOUT = [
    'organization.update',
    'organization.rename',
    'organization.slug_change',
    'organization.mfa_policy_change',
    'organization.active_switched',
    'organization.active_auto_reassigned',
    'organization.domain.record_missing',
    'organization.domain.record_found',
    // A user who joins by a link is asked for, and announced, as a member.
    'organization.invite_link.created',
    'organization.invite_link.used',
    'organization.invite_link.revoked',
    'organization.invite_link.ended',
    'organization.billing.subscription_change',
    'organization.billing.cancel_scheduled',
    'organization.billing.subscription_end',
    'organization.billing.second_subscription_end',
    'organization.billing.seats_request',
    'organization.billing.seats_update',
    'organization.billing.seats_refuse',
    'organization.billing.webhook_receive',
    'organization.billing.owner_end',
    'organization.api_key.created',
    'organization.api_key.rotated',
    'organization.api_key.revoked',
    'organization.api_key.ended',
    'organization.impersonation.started',
    'organization.impersonation.ended',
    'organization.role.created',
    'organization.role.updated',
    'organization.role.deleted',
    'organization.group.created',
    'organization.group.updated',
    'organization.group.deleted',
    'organization.group.member_added',
    'organization.group.member_removed',
    'organization.scim_token.created',
    'organization.scim_token.rotated',
    'organization.scim_token.revoked',
    // The membership has its own event and hook beside these.
    'organization.scim_user.created',
    'organization.scim_user.updated',
    'organization.scim_user.deleted',
  ]
  const library = Object.entries(sources).filter(([path]) => path.includes('/src/'))
  const actions = Object.keys(ACTIONS).filter((action) => action.startsWith('organization.'))

  it('are one for each event: an action that is new finds this list [C1]', () => {
    expect([...Object.keys(HOOK_OF), ...WITHOUT].toSorted()).toEqual(actions.toSorted())
    const after = Object.keys(HOOKS).filter((hook) => hook.startsWith('after'))
    const hooks = new Set([...Object.values(HOOK_OF), 'afterLimitNotice'])
    expect([...hooks].toSorted()).toEqual(after.toSorted())
  })

  it('are beside each event, wherever one is made [C1]', () => {
    const found: (readonly [string | undefined, string])[] = []
    for (const [path, text] of library) {
      // The catalogue, and what reads the trail.
      if (/\/(?:audit|testing|seats|retention|forwarding)\//.test(path)) continue
      const made =
        /(withHook\(\s*)?(?:\w+Event\(\s*[\w.]+,\s*|\{\s*organizationId,\s*action: )'(organization\.[\w.]+)'/g
      for (const match of withoutComments(text).matchAll(made)) {
        const [whole, wrapped, action = ''] = match
        if (HOOK_OF[action] === undefined) continue
        const rest = withoutComments(text).slice(match.index + whole.length)
        const hook = wrapped && /'(after\w+)'/.exec(rest)?.[1]
        expect([path, action, hook]).toEqual([path, action, HOOK_OF[action]])
        found.push([hook, action])
      }
    }
    expect([...new Set(found.map(([, action]) => action))].toSorted()).toEqual(
      Object.keys(HOOK_OF).toSorted()
    )
  })

  it('run before the change that they describe, in the file that plans it [C1]', () => {
    const asked = (hook: string) =>
      filesWith(new RegExp(`'${hook}'`)).filter((path) => path !== 'src/engine/model/hooks.ts')
    const before = Object.keys(HOOKS).filter((hook) => hook.startsWith('before'))
    expect(Object.fromEntries(before.map((hook) => [hook, asked(hook)]))).toEqual({
      beforeCreateOrganization: ['src/operations/organizations/create.ts'],
      beforeDeleteOrganization: ['src/operations/organizations/delete.ts'],
      beforeRestoreOrganization: ['src/operations/organizations/restore.ts'],
      beforeAddMember: [
        'src/engine/model/join.ts',
        'src/operations/billing/restore-excess.ts',
        'src/operations/memberships/restore.ts',
        'src/parts/scim/plan-restoration.ts',
      ],
      beforeMemberRemove: ['src/engine/model/removals.ts', 'src/operations/memberships/remove.ts'],
      beforeMemberSuspend: [
        'src/operations/memberships/suspend.ts',
        'src/parts/scim/plan-suspended.ts',
      ],
      beforeRoleChange: ['src/operations/memberships/change-role.ts'],
      beforeTransfer: ['src/operations/memberships/transfer-ownership.ts'],
      beforeInvitationCreate: ['src/operations/invitations/plan-invitation.ts'],
      beforeInvitationResend: ['src/operations/invitations/resend.ts'],
      beforeInvitationRoleChange: ['src/operations/invitations/change-role.ts'],
      beforeInvitationAccept: ['src/operations/invitations/accept.ts'],
      beforeInvitationDecline: ['src/operations/invitations/decline.ts'],
      beforeInvitationRevoke: ['src/operations/invitations/revoke.ts'],
      beforeJoinRequestCreate: ['src/operations/joining/join.ts'],
      beforeJoinRequestQueue: [
        'src/operations/joining/approve.ts',
        'src/operations/joining/join-by-link.ts',
        'src/operations/joining/join.ts',
        'src/parts/scim/plan-presence.ts',
      ],
      beforeJoinRequestApprove: ['src/operations/joining/approve.ts'],
      beforeJoinRequestDecline: ['src/operations/joining/decline.ts'],
      beforeJoinRequestWithdraw: [
        'src/operations/joining/decline.ts',
        'src/parts/scim/plan-presence.ts',
      ],
      beforeDomainAdd: ['src/operations/joining/add-domain.ts'],
      beforeDomainVerify: ['src/operations/joining/verify-domain.ts'],
      beforeDomainChange: ['src/operations/joining/change-domain.ts'],
      beforeDomainRemove: ['src/operations/joining/change-domain.ts'],
    })
    // What has no hook to ask ends with something else, or is tidied up.
    const after = Object.keys(HOOKS).filter((hook) => hook.startsWith('after'))
    expect(after.filter((hook) => !before.includes(hook.replace('after', 'before')))).toEqual([
      'afterJoinRequestClose',
      'afterLimitNotice',
    ])
  })

  it('are asked of every plan of a membership that is created, and of each that ends [C1]', () => {
    // The one plan of those who come asks itself, and memberships are claimed in no other but these.
    expect(filesWith(/\bclaim(?:AsMember|Again)\(/)).toEqual([
      'src/engine/model/join.ts',
      'src/engine/model/membership.ts',
      'src/operations/billing/restore-excess.ts',
      'src/operations/memberships/restore.ts',
      'src/parts/scim/plan-restoration.ts',
    ])
    expect(filesWith(/\bwithHook\(/)).toEqual([
      'src/engine/model/end-invitation.ts',
      'src/engine/model/join.ts',
      'src/engine/model/leave.ts',
      'src/operations/billing/restore-excess.ts',
      'src/operations/invitations/accept.ts',
      'src/operations/invitations/change-role.ts',
      'src/operations/invitations/plan-invitation.ts',
      'src/operations/invitations/resend.ts',
      'src/operations/joining/add-domain.ts',
      'src/operations/joining/approve.ts',
      'src/operations/joining/change-domain.ts',
      'src/operations/joining/decline.ts',
      'src/operations/joining/join-by-link.ts',
      'src/operations/joining/join.ts',
      'src/operations/joining/verify-domain.ts',
      'src/operations/joining/waitlist.ts',
      'src/operations/memberships/change-role.ts',
      'src/operations/memberships/restore.ts',
      'src/operations/memberships/transfer-ownership.ts',
      'src/operations/organizations/create.ts',
      'src/operations/organizations/delete.ts',
      'src/operations/organizations/restore.ts',
      'src/parts/scim/plan-presence.ts',
      'src/parts/scim/plan-restoration.ts',
    ])
  })
})
