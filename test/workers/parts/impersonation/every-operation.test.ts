/**
 * Every exported operation, asked by an operator who acts as an owner: what is allowed, what is refused with
 * which code, and the mark on each event.
 *
 * @module
 */
import { describe, expect, it } from 'vitest'
import {
  actingAs,
  everything,
  freshSlug,
  grouping,
  impersonating,
  isStaff,
  keying,
  kitWithHooks,
  library,
  newAddress,
  newDomain,
  newTeam,
  owning,
  PASSWORD,
  pushing,
  REASON,
  RIGHTS,
  shareOf,
  sinkOf,
  testEnv,
  unwrap,
  type Team,
} from '../../../kit/index.ts'

const parts = {
  impersonation: impersonating.impersonation({ isOperator: isStaff }),
  keys: keying.apiKeys(),
  groups: grouping.groups(),
  ownRoles: owning.ownRoles(),
  scim: pushing.scim({ provision: async () => null }),
}
const kit = kitWithHooks({
  provider: 'd1',
  sinks: [sinkOf('siem')],
  auditLogKey: (await library.generateLogKey('audit.example.com')).privateKey,
  joining: library.joinRules({ verifyDomain: () => true, links: {} }),
  ...RIGHTS,
  ...parts,
})
const context = { ...kit.seatgate, ...parts }

interface Asked {
  readonly s: typeof context
  /** The team's organization, with the caller of the token. */
  readonly scope: library.OrganizationScope
  readonly caller: library.PrincipalQuery
  /** The same caller, established, as a guard of the host passes them on. */
  readonly known: library.UserPrincipal
  readonly team: Team
  /** Made by the owner before. */
  readonly keyId: string
  readonly groupId: string
  readonly roleName: string
  readonly linkId: string
  readonly linkToken: string
  readonly tokenId: string
  readonly id: string
  readonly operatorId: string
}

type Act = (asked: Asked) => unknown

const password = PASSWORD
const together = async (
  s: typeof context,
  prepared:
    | library.Result<library.Prepared<unknown>>
    | Promise<library.Result<library.Prepared<unknown>>>
) => {
  const done = await prepared
  return done.ok ? library.commitTogether(s, done.value) : done
}

/** The answer to each operation: `ok`, or the code of the refusal. */
const OPERATIONS: Readonly<Record<string, readonly [answer: string, act: Act]>> = {
  // Allowed, as to the owner.
  getOrganization: ['ok', ({ s, scope }) => library.getOrganization(s, scope)],
  listOrganizations: ['ok', ({ s, caller }) => library.listOrganizations(s, { caller })],
  updateOrganization: ['ok', ({ s, scope }) => library.updateOrganization(s, scope, { name: 'A' })],
  renameOrganization: ['ok', ({ s, scope }) => library.renameOrganization(s, scope, { name: 'B' })],
  setMfaPolicy: [
    'ok',
    ({ s, scope }) =>
      library.setMfaPolicy(s, scope, { enabled: true }, { mfaCheck: (_userId) => true }),
  ],
  listMembers: ['ok', ({ s, scope }) => library.listMembers(s, scope)],
  countMembers: ['ok', ({ s, scope }) => library.countMembers(s, scope)],
  countMembersWithoutMfa: ['ok', ({ s, scope }) => library.countMembersWithoutMfa(s, scope)],
  addMember: [
    'ok',
    ({ s, scope, team }) => library.addMember(s, scope, { userId: team.newcomer, role: 'member' }),
  ],
  prepareMember: [
    'ok',
    ({ s, known, team }) =>
      together(
        s,
        library.prepareMember(
          s,
          { caller: known, organization: team.organization.id },
          { userId: team.newcomer, role: 'member' }
        )
      ),
  ],
  changeRole: [
    'ok',
    ({ s, scope, team }) => library.changeRole(s, scope, team.member, { role: 'admin' }),
  ],
  removeMember: ['ok', ({ s, scope, team }) => library.removeMember(s, scope, team.member)],
  leaveOrganization: [
    'ok',
    ({ s, known, team }) =>
      library.leaveOrganization(s, { caller: known, organization: team.organization.id }),
  ],
  suspendMember: ['ok', ({ s, scope, team }) => library.suspendMember(s, scope, team.member)],
  restoreMember: ['ok', ({ s, scope, team }) => library.restoreMember(s, scope, team.suspended)],
  restoreMembers: [
    'ok',
    ({ s, scope, team }) => library.restoreMembers(s, scope, { userIds: [team.suspended] }),
  ],
  listInvitations: ['ok', ({ s, scope }) => library.listInvitations(s, scope)],
  changeInvitationRole: [
    'ok',
    ({ s, scope, team }) =>
      library.changeInvitationRole(s, scope, team.invited.id, { role: 'admin' }),
  ],
  revokeInvitation: [
    'ok',
    ({ s, scope, team }) => library.revokeInvitation(s, scope, team.invited.id),
  ],
  // The token of an invitation is enough for this, whoever has it.
  viewInvitation: ['ok', ({ s, caller, team }) => library.viewInvitation(s, caller, team.invited)],
  addDomain: ['ok', ({ s, scope }) => library.addDomain(s, scope, { domain: newDomain() })],
  verifyDomain: [
    'ok',
    ({ s, scope, team }) => library.verifyDomain(s, scope, team.joining.unverified),
  ],
  setDomainMode: [
    'ok',
    ({ s, scope, team }) => library.setDomainMode(s, scope, team.joining.auto, { mode: 'off' }),
  ],
  removeDomain: ['ok', ({ s, scope, team }) => library.removeDomain(s, scope, team.joining.auto)],
  listDomains: ['ok', ({ s, scope }) => library.listDomains(s, scope)],
  listJoinRequests: ['ok', ({ s, scope }) => library.listJoinRequests(s, scope)],
  approveJoinRequest: [
    'ok',
    ({ s, scope, team }) => library.approveJoinRequest(s, scope, team.joining.requested, {}),
  ],
  declineJoinRequest: [
    'ok',
    ({ s, scope, team }) => library.declineJoinRequest(s, scope, team.joining.requested),
  ],
  listInviteLinks: ['ok', ({ s, scope }) => library.listInviteLinks(s, scope)],
  revokeInviteLink: ['ok', ({ s, scope, linkId }) => library.revokeInviteLink(s, scope, linkId)],
  loadActiveOrganization: [
    'ok',
    async ({ s, caller, team }) => {
      const { organization, role } = await library.loadActiveOrganization(s, { caller })
      expect([organization?.id, role]).toEqual([team.organization.id, 'owner'])
    },
  ],
  seatUsage: ['ok', ({ s, scope }) => library.seatUsage(s, scope)],
  seatsAsOf: ['ok', ({ s, scope }) => library.seatsAsOf(s, scope, { at: new Date() })],
  explainSeats: ['ok', ({ s, scope }) => library.explainSeats(s, scope)],
  canAdd: ['ok', ({ s, scope }) => library.canAdd(s, scope)],
  getBilling: ['ok', ({ s, scope }) => library.getBilling(s, scope)],
  listAuditEvents: ['ok', ({ s, scope }) => library.listAuditEvents(s, scope)],
  countAuditEvents: ['ok', ({ s, scope }) => library.countAuditEvents(s, scope)],
  streamAuditEvents: ['ok', ({ s, scope }) => library.streamAuditEvents(s, scope)],
  exportAuditEvents: ['ok', ({ s, scope }) => library.exportAuditEvents(s, scope)],
  auditCheckpoint: ['ok', ({ s, scope }) => library.auditCheckpoint(s, scope)],
  proveInclusion: [
    'not_found',
    ({ s, scope }) => library.proveInclusion(s, scope, { sequence: 1 }),
  ],
  proveConsistency: [
    'not_found',
    ({ s, scope }) => library.proveConsistency(s, scope, { from: 1, to: 1 }),
  ],
  logEvent: [
    'ok',
    ({ s, known, team }) =>
      library.logEvent(
        s,
        { caller: known, organization: team.organization.id },
        { action: 'report.opened', causeEventId: 'of the host' }
      ),
  ],
  logSafe: [
    'ok',
    ({ s, known, team }) =>
      library.logSafe(
        s,
        { caller: known, organization: team.organization.id },
        { action: 'report.opened' }
      ),
  ],
  prepareEvents: [
    'ok',
    ({ s, known, team }) =>
      together(
        s,
        library.prepareEvents(s, { caller: known, organization: team.organization.id }, [
          { action: 'report.opened' },
        ])
      ),
  ],
  listSinks: ['ok', ({ s, scope }) => library.listSinks(s, scope)],
  listAttempts: ['ok', ({ s, scope }) => library.listAttempts(s, scope, 'siem')],
  listDeadLetters: ['ok', ({ s, scope }) => library.listDeadLetters(s, scope, 'siem')],
  replaySink: ['ok', ({ s, scope }) => library.replaySink(s, scope, 'siem', { fromSequence: 1 })],
  pauseSink: ['ok', ({ s, scope }) => library.pauseSink(s, scope, 'siem')],
  resumeSink: ['ok', ({ s, scope }) => library.resumeSink(s, scope, 'siem')],
  requeueDeadLetters: ['ok', ({ s, scope }) => library.requeueDeadLetters(s, scope, 'siem', {})],
  retentionStatus: ['ok', ({ s, scope }) => library.retentionStatus(s, scope)],
  listApiKeys: ['ok', ({ s, scope }) => keying.listApiKeys(s, scope)],
  revokeApiKey: ['ok', ({ s, scope, keyId }) => keying.revokeApiKey(s, scope, keyId)],
  listScimTokens: ['ok', ({ s, scope }) => pushing.listScimTokens(s, scope)],
  revokeScimToken: ['ok', ({ s, scope, tokenId }) => pushing.revokeScimToken(s, scope, tokenId)],
  createGroup: ['ok', ({ s, scope }) => grouping.createGroup(s, scope, { name: 'Support' })],
  updateGroup: [
    'ok',
    ({ s, scope, groupId }) => grouping.updateGroup(s, scope, groupId, { name: 'Other' }),
  ],
  deleteGroup: ['ok', ({ s, scope, groupId }) => grouping.deleteGroup(s, scope, groupId)],
  addToGroup: [
    'ok',
    ({ s, scope, groupId, team }) =>
      grouping.addToGroup(s, scope, groupId, { userIds: [team.member] }),
  ],
  removeFromGroup: [
    'ok',
    ({ s, scope, groupId, team }) => grouping.removeFromGroup(s, scope, groupId, team.second),
  ],
  listGroups: ['ok', ({ s, scope }) => grouping.listGroups(s, scope)],
  listGroupMembers: ['ok', ({ s, scope, groupId }) => grouping.listGroupMembers(s, scope, groupId)],
  createRole: [
    'ok',
    ({ s, scope }) => owning.createRole(s, scope, { name: 'auditor', permissions: ['audit:read'] }),
  ],
  updateRole: [
    'ok',
    ({ s, scope, roleName }) => owning.updateRole(s, scope, roleName, { name: 'other' }),
  ],
  deleteRole: ['ok', ({ s, scope, roleName }) => owning.deleteRole(s, scope, roleName)],
  listRoles: ['ok', ({ s, scope }) => owning.listRoles(s, scope)],
  listImpersonations: ['ok', ({ s, scope }) => impersonating.listImpersonations(s, scope)],
  endImpersonation: ['ok', ({ s, scope, id }) => impersonating.endImpersonation(s, scope, id)],

  // Secrets.
  createApiKey: [
    'insufficient_role',
    ({ s, scope }) => keying.createApiKey(s, scope, { name: 'CI', permissions: ['project:read'] }),
  ],
  rotateApiKey: [
    'insufficient_role',
    ({ s, scope, keyId }) => keying.rotateApiKey(s, scope, keyId),
  ],
  createScimToken: ['insufficient_role', ({ s, scope }) => pushing.createScimToken(s, scope)],
  rotateScimToken: [
    'insufficient_role',
    ({ s, scope, tokenId }) => pushing.rotateScimToken(s, scope, tokenId),
  ],
  createInviteLink: [
    'insufficient_role',
    ({ s, scope }) => library.createInviteLink(s, scope, { role: 'member', maxUses: 1 }),
  ],
  createInvitation: [
    'insufficient_role',
    ({ s, scope }) => library.createInvitation(s, scope, { email: newAddress(), role: 'member' }),
  ],
  createInvitations: [
    'insufficient_role',
    ({ s, scope }) =>
      library.createInvitations(s, scope, {
        invitations: [{ email: newAddress(), role: 'member' }],
      }),
  ],
  importMembers: [
    'insufficient_role',
    ({ s, scope }) => library.importMembers(s, scope, `email,role\n${newAddress()},member\n`),
  ],
  resendInvitation: [
    'insufficient_role',
    ({ s, scope, team }) => library.resendInvitation(s, scope, team.invited.id),
  ],

  // Proofs of identity.
  updateSlug: [
    'step_up_required',
    async ({ s, scope }) => {
      const { slug } = unwrap(await library.getOrganization(s, scope))
      const input = { slug: freshSlug(), confirmSlug: slug, password }
      return library.updateSlug(s, scope, input)
    },
  ],
  transferOwnership: [
    'step_up_required',
    ({ s, scope, team }) => library.transferOwnership(s, scope, { userId: team.member, password }),
  ],
  softDeleteOrganization: [
    'step_up_required',
    ({ s, scope }) => library.softDeleteOrganization(s, scope, { confirmName: 'Test', password }),
  ],

  // The powers of an operator.
  startImpersonation: [
    'organization_not_found',
    ({ s, scope, team }) =>
      impersonating.startImpersonation(s, scope, {
        userId: team.member,
        reason: REASON,
        minutes: 5,
        password,
      }),
  ],
  setSeatLimit: [
    'insufficient_role',
    ({ s, scope }) => library.setSeatLimit(s, scope, { limit: 9 }),
  ],
  setEntitlement: [
    'organization_not_found',
    ({ s, scope }) => library.setEntitlement(s, scope, { included: 9, reason: 'contract' }),
  ],
  placeLegalHold: [
    'unauthenticated',
    ({ s, scope }) => library.placeLegalHold(s, scope, { reason: 'case' }),
  ],
  releaseLegalHold: [
    'unauthenticated',
    ({ s, scope }) => library.releaseLegalHold(s, scope, { reason: 'case' }),
  ],
  purgeAuditEvents: ['unauthenticated', ({ s, scope }) => library.purgeAuditEvents(s, scope)],
  verifySeats: ['insufficient_role', ({ s, scope }) => library.verifySeats(s, scope)],
  rebuildSeats: ['insufficient_role', ({ s, scope }) => library.rebuildSeats(s, scope)],

  // The token is of one organization: for what names none, there is no caller.
  ...Object.fromEntries(
    Object.entries({
      createOrganization: ({ s, caller }) =>
        library.createOrganization(s, { caller }, { name: 'New', slug: freshSlug() }),
      restoreOrganization: ({ s, caller, team }) =>
        library.restoreOrganization(s, { caller }, team.deleted.id),
      getPlatformOrganization: ({ s, caller, team }) =>
        library.getPlatformOrganization(s, { caller, organization: team.organization.id }),
      listPlatformOrganizations: ({ s, caller }) =>
        library.listPlatformOrganizations(s, { caller }),
      platformHealth: ({ s, caller }) => library.platformHealth(s, { caller }),
      getEntitlement: ({ s, scope }) => library.getEntitlement(s, scope),
      countPlatformEvents: ({ s, caller }) =>
        library.countPlatformEvents(s, { caller }, { organization_id: null }),
      listPlatformEvents: ({ s, caller }) =>
        library.listPlatformEvents(s, { caller }, { organization_id: null }),
      listPersonEvents: ({ s, caller, team }) =>
        library.listPersonEvents(s, { caller }, team.member),
      erasePersonalData: ({ s, caller, team }) =>
        library.erasePersonalData(s, { caller }, team.owner),
      listOwnInvitations: ({ s, caller }) => library.listOwnInvitations(s, { caller }),
      acceptInvitation: ({ s, caller, team }) =>
        library.acceptInvitation(s, { caller }, team.invited),
      declineInvitation: ({ s, caller, team }) =>
        library.declineInvitation(s, { caller }, team.invited),
      joinOrganization: ({ s, caller, team }) =>
        library.joinOrganization(s, { caller }, { organizationId: team.deleted.id }),
      withdrawJoinRequest: ({ s, caller, team }) =>
        library.withdrawJoinRequest(s, { caller }, team.joining.requested),
      listJoinableOrganizations: ({ s, caller }) =>
        library.listJoinableOrganizations(s, { caller }),
      viewInviteLink: ({ s, caller, linkToken }) =>
        library.viewInviteLink(s, { caller }, { token: linkToken }),
      joinByLink: ({ s, caller, linkToken }) =>
        library.joinByLink(s, { caller }, { token: linkToken }),
      deleteUser: ({ s, caller }) => library.deleteUser(s, { caller }, { password }),
      listOwnImpersonations: ({ s, caller }) => impersonating.listOwnImpersonations(s, { caller }),
    } satisfies Record<string, Act>).map(([name, act]) => [name, ['unauthenticated', act]])
  ),
  prepareOrganization: [
    'insufficient_role',
    ({ s, known }) =>
      library.prepareOrganization(s, { caller: known }, { name: 'New', slug: freshSlug() }),
  ],
  putActiveOrganization: [
    'no_session',
    ({ s, caller, team }) => library.putActiveOrganization(s, { caller }, team.organization.id),
  ],
}

/** Functions that ask for no caller: the host itself calls them. */
const WITHOUT_A_CALLER = new Set(
  `createSeatgate commitTogether combine HostConflict SchemaMismatch StatementFailed StoreUnavailable
  fetchOrganization getActiveSlugAlias getMembership getOrganizationBySlug listOrganizationsForUser
  generateSlug generate invitations normalizeEmail joinRules allow refuse composeLifecycle d1Sessions
  acceptInvitationWithSignup prepareUserDeletion selectActiveOrganization activateAtLogin forOrganization UnscopedQuery tenantDatabase
  unscoped ledgerSeats d1Seats unlimitedSeats checkSeatLimit releaseSeat sweepSeats seatLimit billing
  userLimits permissions seatTypes UnknownSchemaVersion StreamEnded auditActions personalDigest bucketSink ocsfEvent webhookSink
  auditLog sealOrganization tendOrganization forwardOrganization retention sweepRetention generateLogKey
  isQueueBound forwarding sweepAudit permissions seatTypes
  apiKeys isApiKey authenticateKeys keyRoutes groups groupRoutes loadGroup forGroup ownRoles roleRoutes
  impersonation isImpersonationToken authenticateImpersonation impersonationRoutes
  scim scimRoutes scimTokenRoutes scopeOfToken createScimUser getScimUser listScimUsers replaceScimUser
  patchScimUser deleteScimUser createScimGroup getScimGroup listScimGroups replaceScimGroup
  patchScimGroup deleteScimGroup`.split(/\s+/)
)

async function asked(): Promise<Asked> {
  const team = await newTeam('d1')
  const { organization, owner } = team
  const own = organization.as(owner)
  const key = unwrap(
    await keying.createApiKey(context, own, { name: 'CI', permissions: ['project:read'] })
  )
  const group = unwrap(await grouping.createGroup(context, own, { name: 'First' }))
  unwrap(await grouping.addToGroup(context, own, group.id, { userIds: [team.second] }))
  const made = { name: 'first', permissions: ['project:read'] }
  const role = unwrap(await owning.createRole(context, own, made))
  const link = unwrap(await library.createInviteLink(context, own, { role: 'member', maxUses: 1 }))
  const token = unwrap(await pushing.createScimToken(context, own))
  const operatorId = `operator ${crypto.randomUUID()}`
  const by = { userId: operatorId, operator: true }
  const { id, caller } = await actingAs(context, organization, {}, by)
  await kit.settled()
  return {
    s: context,
    scope: { caller, organization: organization.id },
    caller,
    known: {
      userId: owner,
      impersonatedBy: operatorId,
      impersonation: { id, organizationId: organization.id },
    },
    team,
    keyId: key.id,
    groupId: group.id,
    roleName: role.name,
    linkId: link.id,
    linkToken: link.token!,
    tokenId: token.id,
    id,
    operatorId,
  }
}

const allEvents = async () => {
  const { results } = await testEnv.DB.prepare(
    `SELECT id, action, actor_type, actor_id, effective_user_id, cause_event_id
     FROM seatgate_audit_events`
  ).all<Record<string, string>>()
  return results
}

function codeIn(answer: unknown): string {
  const { ok = true, error } = (answer ?? {}) as { ok?: boolean; error?: { code: string } }
  return ok ? 'ok' : (error?.code ?? '')
}

describe('an operator who acts as an owner', () => {
  it('has a row of the table for every exported operation [OP-4]', () => {
    const entries = [library, keying, grouping, owning, pushing, impersonating]
    const functions = entries
      .flatMap((entry) => Object.entries(entry))
      .flatMap(([name, value]) => (typeof value === 'function' ? [name] : []))
      .filter((name) => !WITHOUT_A_CALLER.has(name))
    expect(Object.keys(OPERATIONS).toSorted()).toEqual([...new Set(functions)].toSorted())
  })

  it.each(shareOf(Object.entries(OPERATIONS), 16))(
    'is answered by %s as in the table, and is named in each event [OP-2 OP-3 OP-4 OP-5]',
    async (_name, [expected, act]) => {
      const world = await asked()
      const before = new Set((await allEvents()).map(({ id }) => id))
      const rows = JSON.stringify(await everything())
      const answer = codeIn(await act(world))
      await kit.settled()
      expect(answer).toBe(expected)
      const written = (await allEvents()).filter(({ id }) => !before.has(id!))
      for (const event of written) {
        expect(event, event['action']).toMatchObject({
          actor_type: 'operator',
          actor_id: world.operatorId,
          effective_user_id: world.team.owner,
          cause_event_id: world.id,
        })
      }
      if (answer !== 'ok') expect(JSON.stringify(await everything())).toBe(rows)
    }
  )

  it('leaves an event of each act that records one', async () => {
    const world = await asked()
    const before = (await allEvents()).length
    await OPERATIONS['logEvent']![1](world)
    await OPERATIONS['addMember']![1](world)
    await kit.settled()
    expect((await allEvents()).length).toBeGreaterThan(before + 2)
  })
})
