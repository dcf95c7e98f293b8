import { describe, expect, it } from 'vitest'
import {
  acceptInvitation,
  acceptInvitationWithSignup,
  addDomain,
  addMember,
  approveJoinRequest,
  auditActions,
  changeInvitationRole,
  changeRole,
  createInvitation,
  createInvitations,
  createOrganization,
  declineInvitation,
  declineJoinRequest,
  deleteUser,
  erasePersonalData,
  exportAuditEvents,
  forwardOrganization,
  joinOrganization,
  leaveOrganization,
  loadActiveOrganization,
  placeLegalHold,
  purgeAuditEvents,
  putActiveOrganization,
  rebuildSeats,
  releaseLegalHold,
  removeDomain,
  removeMember,
  renameOrganization,
  replaySink,
  requeueDeadLetters,
  resendInvitation,
  restoreMember,
  restoreMembers,
  restoreOrganization,
  pauseSink,
  resumeSink,
  revokeInvitation,
  sealOrganization,
  setDomainMode,
  setEntitlement,
  setMfaPolicy,
  setSeatLimit,
  softDeleteOrganization,
  suspendMember,
  transferOwnership,
  updateOrganization,
  updateSlug,
  verifyDomain,
  withdrawJoinRequest,
  type AuditAction,
  type JoinOutcome,
  type Result,
} from '../../../../src/index.ts'
import {
  permanent,
  sinkOf,
  newAddress,
  createJoiningKit,
  neighbourOf,
  openOrganization,
  DAY_SECONDS,
  days,
  keys,
  system,
  testEnv,
  unwrap,
  codeOf,
  newUser,
  operator,
  PASSWORD,
  signedIn,
} from '../../../kit/index.ts'
import { sweepDomains } from '../../../../src/operations/joining/recheck-domains.ts'
import { ok } from '../../../../src/base/result.ts'

/** Who waits or asks, by the id of what they asked. */
const requestOf = (outcome: JoinOutcome) => ('request' in outcome ? outcome.request.id : '')

describe('recorded events', () => {
  it('agrees with the catalogue for every changing function, and has every action of it [AUD-13 AUD-14]', async () => {
    const heard: string[] = []
    let ahead = 0
    const dns = { found: true }
    const kit = createJoiningKit(
      {
        now: () => new Date(Date.now() + ahead * 1000),
        auditLogKey: keys.privateKey,
        retention: days(30),
        sinks: [sinkOf('log', () => permanent)],
        lifecycle: { onDelete: (statements) => ({ ok: true, statements }) },
        measure: (metric) => metric.name === 'audit.recorded' && heard.push(metric.action),
      },
      { verifyDomain: () => dns.found }
    )
    const { seatgate } = kit
    const seen = new Set<string>()
    const writes = async <T>(actions: string, act: () => Promise<Result<T>>): Promise<T> => {
      heard.length = 0
      const value = unwrap(await act())
      await kit.settled()
      expect(heard.toSorted()).toEqual(actions.split(' ').map(full).toSorted())
      for (const action of heard) seen.add(action)
      return value
    }

    const organization = await openOrganization(kit, 'request')
    const { id, owner } = organization
    const asOwner = organization.as(owner)
    const as = (userId: string) => ({ caller: { userId } })
    const inside = (userId: string) => ({ ...as(userId), organization: id })

    const founding = { name: 'Other', slug: `t${crypto.randomUUID()}` }
    const session = await signedIn(kit, owner)
    const other = await writes('o.create s.assigned', () =>
      createOrganization(seatgate, { caller: { userId: owner } }, founding)
    )
    await writes('o.update', () => updateOrganization(seatgate, asOwner, { name: 'First' }))
    await writes('o.rename', () => renameOrganization(seatgate, asOwner, { name: 'Acme' }))
    const slug = `t${crypto.randomUUID()}`
    const confirmed = { slug, confirmSlug: organization.slug, password: PASSWORD }
    await writes('o.slug_change', () => updateSlug(seatgate, asOwner, confirmed))
    const mfaCheck = (_userId: string) => true
    await writes('o.mfa_policy_change', () =>
      setMfaPolicy(seatgate, asOwner, { enabled: true }, { mfaCheck })
    )

    const [one, two] = [await newUser(), await newUser()]
    const role = 'member'
    for (const userId of [one, two]) {
      await writes('o.member_add s.assigned', () => addMember(seatgate, asOwner, { userId, role }))
    }
    await writes('o.member_role_change', () =>
      changeRole(seatgate, asOwner, one, { role: 'admin' })
    )
    await writes('o.member_suspend s.released', () => suspendMember(seatgate, asOwner, two))
    await writes('o.member_restore s.assigned', () => restoreMember(seatgate, asOwner, two))
    await writes('o.member_suspend s.released', () => suspendMember(seatgate, asOwner, two))
    await writes('o.member_restore s.assigned', () =>
      restoreMembers(seatgate, asOwner, { userIds: [two] })
    )
    await writes('o.member_remove s.released', () => removeMember(seatgate, asOwner, two))
    await writes('o.member_add s.assigned', () =>
      addMember(seatgate, asOwner, { userId: two, role })
    )
    await writes('o.member_remove s.released', () => leaveOrganization(seatgate, inside(two)))

    const inviting = (email = newAddress()) =>
      writes('o.invitation.created s.reserved', () =>
        createInvitation(seatgate, asOwner, { email, role })
      )
    const invited = await inviting()
    await writes('o.invitation.resent', () => resendInvitation(seatgate, asOwner, invited.id))
    await writes('o.invitation.role_change', () =>
      changeInvitationRole(seatgate, asOwner, invited.id, { role: 'admin' })
    )
    await writes('o.invitation.revoked s.released', () =>
      revokeInvitation(seatgate, asOwner, invited.id)
    )
    await writes('o.invitation.created s.reserved', () =>
      createInvitations(seatgate, asOwner, { invitations: [{ email: newAddress(), role }] })
    )
    const declined = await inviting()
    await writes('o.invitation.declined s.released', () =>
      declineInvitation(seatgate, { caller: { type: 'anonymous' } }, declined)
    )
    const accepted = await inviting(`${two}@example.com`)
    await writes('o.invitation.accepted o.member_add s.assigned', () =>
      acceptInvitation(seatgate, as(two), accepted)
    )
    const signing = await inviting()
    await writes('o.invitation.accepted o.member_add s.assigned', () =>
      acceptInvitationWithSignup(seatgate, { ...signing, password: PASSWORD })
    )

    const asking = async () => {
      const userId = await neighbourOf(organization)
      const outcome = await writes('o.join_request.created', () =>
        joinOrganization(seatgate, as(userId), { organizationId: id })
      )
      return { userId, request: requestOf(outcome) }
    }
    const approved = await asking()
    // With a line, whoever is approved stands in it for a moment.
    await writes('o.join_request.approved o.join_request.queued o.member_add s.assigned', () =>
      approveJoinRequest(seatgate, asOwner, approved.request, { role })
    )
    const refused = await asking()
    await writes('o.join_request.declined', () =>
      declineJoinRequest(seatgate, asOwner, refused.request)
    )
    const withdrawn = await asking()
    await writes('o.join_request.withdrawn', () =>
      withdrawJoinRequest(seatgate, as(withdrawn.userId), withdrawn.request)
    )
    const added = await asking()
    await writes('o.member_add s.assigned', () =>
      addMember(seatgate, asOwner, { userId: added.userId, role })
    )
    await writes('o.join_request.closed', () =>
      approveJoinRequest(seatgate, asOwner, added.request, { role })
    )

    await writes('s.limit_changed s.over_limit_entered', () =>
      setSeatLimit(seatgate, organization.asOperator, { limit: 1 })
    )
    heard.length = 0
    expect(codeOf(await addMember(seatgate, asOwner, { userId: await newUser(), role }))).toBe(
      'seat_limit_reached'
    )
    await kit.settled()
    expect(heard).toEqual([full('s.limit_reached')])
    seen.add(full('s.limit_reached'))
    const mode = 'auto'
    await writes('o.domain.mode_change', () =>
      setDomainMode(seatgate, asOwner, organization.domain.id, { mode })
    )
    const waiting = await neighbourOf(organization)
    await writes('o.join_request.queued', () =>
      joinOrganization(seatgate, as(waiting), { organizationId: id })
    )
    // Who has waited for a seat comes in.
    await writes('s.limit_changed s.over_limit_cleared o.member_add s.assigned', () =>
      setSeatLimit(seatgate, organization.asOperator, { limit: 'unlimited' })
    )

    await writes('s.entitlement_set s.limit_changed', () =>
      setEntitlement(seatgate, organization.asOperator, { included: 99, reason: 'contract' })
    )

    await writes('o.domain.removed', () => removeDomain(seatgate, asOwner, organization.domain.id))
    const domain = await writes('o.domain.added', () =>
      addDomain(seatgate, asOwner, { domain: `${crypto.randomUUID()}.example`, mode })
    )
    await writes('o.domain.verified', () => verifyDomain(seatgate, asOwner, domain.id))
    for (const [found, action] of [
      [false, 'missing'],
      [true, 'found'],
    ] as const) {
      dns.found = found
      await testEnv.DB.prepare('UPDATE seatgate_organization_domains SET checked_at = 0').run()
      await writes(`o.domain.record_${action}`, async () => ok(await sweepDomains(seatgate)))
    }

    await writes('o.active_switched', () =>
      putActiveOrganization(seatgate, { caller: session }, id)
    )
    await writes('o.ownership_transfer', () =>
      transferOwnership(seatgate, asOwner, { userId: one, password: PASSWORD })
    )
    await forwardOrganization(seatgate, id)
    const byOperator = organization.asOperator
    await writes('a.requeue', () => requeueDeadLetters(seatgate, byOperator, 'log', {}))
    await writes('a.replay', () => replaySink(seatgate, byOperator, 'log', { fromSequence: 1 }))
    await writes('a.sink_pause', () => pauseSink(seatgate, byOperator, 'log'))
    await writes('a.sink_resume', () => resumeSink(seatgate, byOperator, 'log'))
    await writes('a.export', () => exportAuditEvents(seatgate, inside(one), { format: 'csv' }))
    await testEnv.DB.prepare(
      `INSERT INTO seatgate_audit_personal (organization_id, digest, user_id, salt)
       VALUES (?, '${'d'.repeat(64)}', ?, '${'5'.repeat(64)}')`
    )
      .bind(id, two)
      .run()
    await writes('a.erasure', () =>
      erasePersonalData(seatgate, { caller: { type: 'system' } }, two)
    )
    await writes('o.member_remove s.released', () =>
      deleteUser(seatgate, { caller: { userId: two } }, { password: PASSWORD })
    )
    const confirm = { confirmName: 'Acme', password: PASSWORD }
    heard.length = 0
    unwrap(await softDeleteOrganization(seatgate, inside(one), confirm))
    await kit.settled()
    expect(heard).toContain(full('o.delete'))
    for (const action of heard) seen.add(action)
    await testEnv.DB.prepare(
      'UPDATE seatgate_sessions SET active_organization_id = ? WHERE user_id = ?'
    )
      .bind(id, owner)
      .run()
    await writes('o.active_auto_reassigned', async () => {
      await loadActiveOrganization(seatgate, { caller: session })
      return { ok: true, value: other }
    })
    await writes('o.restore', () => restoreOrganization(seatgate, { caller: operator }, id))

    const byHost = { caller: system, organization: id }
    const reason = 'case 7'
    await writes('a.hold_place', () => placeLegalHold(seatgate, byHost, { reason }))
    await writes('a.hold_release', () => releaseLegalHold(seatgate, byHost, { reason }))
    await writes('s.drift_repaired', () => rebuildSeats(seatgate, byHost))
    await forwardOrganization(seatgate, id)
    await sealOrganization(seatgate, id)
    const told = new Set(await actionsTold())
    ahead += 31 * DAY_SECONDS
    await writes('a.purge_run', () => purgeAuditEvents(seatgate, byHost))
    await writes('o.rename', () => renameOrganization(seatgate, inside(one), { name: 'Last' }))
    await sealOrganization(seatgate, id)
    for (const action of await actionsTold()) told.add(action)
    ahead += 31 * DAY_SECONDS
    await writes('a.forced_purge', () => purgeAuditEvents(seatgate, byHost, { force: true }))

    // Those of billing are in parts/billing/billing-actions.test.ts and billing/limit-notices.test.ts, those
    // of operators in hono/host-adapter.test.ts, those of links in joining/invite-links.test.ts, those of SCIM
    // in parts/scim, those of API keys in parts/keys, those of groups in
    // parts/groups, of impersonations in parts/impersonation, of own
    // roles in parts/roles.
    const catalogue = Object.keys(auditActions).filter(
      (name) =>
        !/^(?:organization\.(?:api_key|billing|group|impersonation|invite_link|role|scim_token|scim_user)|operator)\.|^seat\.limit_notice$/.test(
          name
        )
    )
    expect([...seen].toSorted()).toEqual(catalogue.toSorted())
    // What retention has taken was looked at before.
    for (const action of await actionsTold()) told.add(action)
    expect(told).toEqual(seen)
  })
})

/**
 * The actions of all rows that are there; each row says whom it is about, who did it and on whose behalf, and
 * has the metadata of the catalogue.
 */
async function actionsTold(): Promise<readonly string[]> {
  const { results } = await testEnv.DB.prepare(
    `SELECT action, (
       target_type IS NOT NULL AND target_id IS NOT NULL
       AND (actor_id IS NULL) = (actor_type IN ('system', 'anonymous'))
       AND (effective_user_id IS NULL) = (actor_type IN ('system', 'anonymous'))
     ) AS filled FROM seatgate_audit_events GROUP BY 1, 2`
  ).all<{ action: string; filled: number }>()
  expect(results.filter(({ filled }) => filled === 0)).toEqual([])
  const rows = await testEnv.DB.prepare(
    'SELECT action, target_type AS target, metadata FROM seatgate_audit_events'
  ).all<{ action: AuditAction; target: string; metadata: string }>()
  for (const { action, target, metadata } of rows.results) {
    const defined = auditActions[action]
    expect([action, target]).toEqual([action, defined.target])
    const { issues = [] } = await defined.metadata['~standard'].validate(JSON.parse(metadata))
    expect([action, metadata, issues]).toEqual([action, metadata, []])
  }
  return results.map(({ action }) => action)
}

const full = (action: string) =>
  action.replace(/^o\./, 'organization.').replace(/^s\./, 'seat.').replace(/^a\./, 'audit.')
