import { beforeAll, describe, expect, it } from 'vitest'
import * as library from '../../../../src/index.ts'
import {
  createInviteLink,
  declineInvitation,
  erasePersonalData,
  exportAuditEvents,
  joinByLink,
  joinRules,
  logEvent,
  placeLegalHold,
  rebuildSeats,
  releaseLegalHold,
  replaySink,
  requeueDeadLetters,
  pauseSink,
  resumeSink,
  revokeInviteLink,
  type Result,
} from '../../../../src/index.ts'
import {
  guardsIn,
  shareOf,
  type FullSeatgate,
  delivered,
  sinkOf,
  everything,
  kitWithHooks,
  isChange,
  meanwhile,
  EVERY_CHANGE,
  newTeam,
  type Team,
  freshStores,
  testEnv,
  codeOf,
} from '../../../kit/index.ts'

const SINK = 'webhook'
const asOwner = ({ organization, owner }: Team) => organization.as(owner)
const inSystem = ({ organization }: Team) =>
  ({ caller: { type: 'system' }, organization: organization.id }) as const

type Act = (seatgate: FullSeatgate, team: Team) => Promise<Result<unknown>>

const LINK = { role: 'member', maxUses: 2 } as const
const linking = (seatgate: FullSeatgate): FullSeatgate => ({
  ...seatgate,
  joining: joinRules({ verifyDomain: () => true, links: {} }),
})

/** Puts a dead letter of the sink there. */
async function deadLetter({ organization }: Team): Promise<void> {
  await testEnv.DB.prepare(
    `INSERT INTO seatgate_sink_dead_letters (organization_id, sink_id, sequence, event_id, action, state,
       reason, attempts, died_at, updated_at)
     SELECT organization_id, ?, sequence, id, action, 'dead', 'schema', 1, 0, 0
     FROM seatgate_audit_events WHERE organization_id = ? AND sequence = 1`
  )
    .bind(SINK, organization.id)
    .run()
}

/** Puts a personal part of the owner's there. */
async function personalPart({ organization, owner }: Team): Promise<void> {
  await testEnv.DB.prepare(
    `INSERT INTO seatgate_audit_personal (organization_id, digest, user_id, salt, ip_address)
     VALUES (?, ?, ?, ?, '::1')`
  )
    .bind(organization.id, '0'.repeat(64), owner, '0'.repeat(64))
    .run()
}

/** Creates a link, by a configuration whose guards are not recorded. */
const openLink = (team: Team) =>
  createInviteLink(linking(kitWithHooks({}).seatgate), asOwner(team), LINK)

const OTHERS: Readonly<Record<string, Act>> = {
  replaySink: (seatgate, team) => replaySink(seatgate, asOwner(team), SINK, { fromSequence: 1 }),
  pauseSink: (seatgate, team) => pauseSink(seatgate, asOwner(team), SINK),
  resumeSink: (seatgate, team) => resumeSink(seatgate, asOwner(team), SINK),
  async requeueDeadLetters(seatgate, team) {
    await deadLetter(team)
    return requeueDeadLetters(seatgate, asOwner(team), SINK, {})
  },
  exportAuditEvents: (seatgate, team) => exportAuditEvents(seatgate, asOwner(team)),
  rebuildSeats: (seatgate, team) => rebuildSeats(seatgate, inSystem(team)),
  placeLegalHold: (seatgate, team) => placeLegalHold(seatgate, inSystem(team), { reason: 'case' }),
  async releaseLegalHold(seatgate, team) {
    await testEnv.DB.exec("UPDATE seatgate_audit_retention SET held_at = 1, held_reason = 'case'")
    return releaseLegalHold(seatgate, inSystem(team), { reason: 'settled' })
  },
  async erasePersonalData(seatgate, team) {
    await personalPart(team)
    return erasePersonalData(seatgate, { caller: { type: 'system' } }, team.owner)
  },
  createInviteLink: (seatgate, team) => createInviteLink(linking(seatgate), asOwner(team), LINK),
  async revokeInviteLink(seatgate, team) {
    const link = await openLink(team)
    return revokeInviteLink(linking(seatgate), asOwner(team), link.ok ? link.value.id : '')
  },
  async joinByLink(seatgate, team) {
    const link = await openLink(team)
    const token = (link.ok && link.value.token) || ''
    return joinByLink(linking(seatgate), { caller: { userId: team.newcomer } }, { token })
  },
  logEvent: (seatgate, team) =>
    logEvent(seatgate, inSystem(team), { action: 'billing.plan_changed' }),
  'declineInvitation, signed in': (seatgate, { invited, invitee }) =>
    declineInvitation(seatgate, { caller: { userId: invitee } }, invited),
}

const OPERATIONS: ReadonlyMap<string, Act> = new Map([
  ...EVERY_CHANGE.map(({ name, act }): [string, Act] => [name, act]),
  ...Object.entries(OTHERS),
])

/** What a guard says, by the beginning of its condition. */
const GUARDS: readonly (readonly [name: string, condition: RegExp])[] = [
  [
    'no invitation to the user',
    /^not exists \(select 1 from seatgate_invitations where "seatgate_invitations"\."organization_id" = \? and "seatgate_invitations"\."email" = \(select /,
  ],
  [
    'standing',
    /^exists \(select 1 from seatgate_organizations where id = \? and deleted_at is null and roles_version = 0\) and exists \(select 1 from seatgate_memberships where organization_id = \? and user_id = \? and id = \? and role = \? and status = \? and seat_id is \? and group_roles is null\)$/,
  ],
  [
    'caller is a member',
    /^exists \(select 1 from seatgate_organizations .* and exists \(select 1 from seatgate_memberships where organization_id = \? and user_id = \? and status = 'active' and true\)$/,
  ],
  [
    'caller has a role that may',
    /^exists \(select 1 from seatgate_memberships where organization_id = \? and user_id = \? and status = 'active' and not exists \(select 1 from json_each\(\?\) needed where /,
  ],
  [
    'live',
    /^exists \(select 1 from seatgate_organizations where id = \? and deleted_at is null\)$/,
  ],
  [
    'live, with the same own roles',
    /^exists \(select 1 from seatgate_organizations where id = \? and deleted_at is null and roles_version = 0\)$/,
  ],
  [
    'deleted',
    /^exists \(select 1 from seatgate_organizations where id = \? and deleted_at is not null\)$/,
  ],
  [
    'link open, with a use',
    /^exists \(select 1 from seatgate_invite_links where id = \? and revoked_at is null and expires_at > \? and uses_left > 0 /,
  ],
  [
    'link not revoked',
    /^exists \(select 1 from seatgate_invite_links where id = \? and revoked_at is null\)$/,
  ],
  ['links below the most', /^\(select count\(\*\) from seatgate_invite_links /],
  ['organization exists', /^exists \(select 1 from seatgate_organizations where id = \?\)$/],
  [
    'name as read',
    /^exists \(select 1 from "seatgate_organizations" where "seatgate_organizations"."id" = \? and "seatgate_organizations"."name" = \?\)$/,
  ],
  [
    'slug as read',
    /^exists \(select 1 from "seatgate_organizations" where "seatgate_organizations"."id" = \? and "seatgate_organizations"."slug" = \?\)$/,
  ],
  [
    'policy as read',
    /^exists \(select 1 from "seatgate_organizations" where "seatgate_organizations"."id" = \? and "seatgate_organizations"."enforce_mfa_for_members" = \?\)$/,
  ],
  ['slug is free', /^not exists \(select 1 from seatgate_organizations holder where holder.slug/],
  [
    'membership as read',
    /^exists \(select 1 from seatgate_memberships where organization_id = \? and user_id = \? and id = \? and role = \? and status = \?(?: and suspended_by is \?)? and seat_id is \? and group_roles is null\)$/,
  ],
  [
    'another owner',
    /^exists \(select 1 from seatgate_memberships where organization_id = \? and role = \? and role <> 'member' and status = 'active' and user_id <> \?\)$/,
  ],
  [
    'an owner',
    /^exists \(select 1 from seatgate_memberships where organization_id = \? and role = \? and role <> 'member' and status = 'active'\)$/,
  ],
  [
    'not a member',
    /^not exists \(select 1 from seatgate_memberships where organization_id = \? and user_id = \?\)$/,
  ],
  [
    'not committed before',
    /^not exists \(select 1 from seatgate_audit_events where organization_id = \? and idempotency_key = \?\)$/,
  ],
  [
    'memberships as read',
    /^\(select count\(\*\) from seatgate_memberships where user_id = \?\) = \?/,
  ],
  [
    'no organization without an owner',
    /^not exists \(select 1 from seatgate_memberships join seatgate_organizations o/,
  ],
  [
    'user exists',
    /^exists \(select 1 from "users" where \("users"."id" = \? and cast.*binary = \?\)\)$/,
  ],
  [
    'address as read',
    /^exists \(select 1 from "users" where \("users"."id" = \? and cast.* and "users"."email" = \?\)$/,
  ],
  ['seat not given up', /^not exists \(select 1 from seatgate_seat_fences/],
  [
    'ledger in force',
    /^coalesce\( \(select case when fenced_through < \? then epoch end from seatgate_seat_ledgers/,
  ],
  ['limit a day', /^\(select count from seatgate_rate_limits where key = \?\) <= \?$/],
  [
    'switches as read',
    /^coalesce\(\(select count from seatgate_rate_limits where key = \?\), 0\) = \?$/,
  ],
  ['limit as read', /^coalesce\(\(select version from seatgate_entitlements/],
  [
    'invitation open',
    /^exists \(select 1 from seatgate_invitations where id = \? and token_hash = \? and role = \? .* and expires_at > \?\)$/,
  ],
  [
    'invitation unfinished',
    /^exists \(select 1 from seatgate_invitations where id = \? and token_hash = \? and role = \? .* declined_at is null\)$/,
  ],
  [
    'invitations by and to them as read',
    /^\(select count\(\*\) = \? and count\(\*\) filter .* from seatgate_invitations where/,
  ],
  ['address is free', /^not exists \(select 1 from "users" where "users"."email" = \?\)$/],
  ['no member’s address', /^not exists \(select 1 from "users" where "users"."email" in \(/],
  ['exclusions as read', /^not exists \(select 1 from seatgate_exclusions where/],
  ['invitations as read', /^\(select count\(\*\) from seatgate_invitations where/],
  [
    'domain as read',
    /^exists \(select 1 from seatgate_organization_domains where id = \? and mode = \? and challenge = \?/,
  ],
  [
    'domain open to the address',
    /^exists \(select 1 from seatgate_organization_domains where id = \? and mode = \? and verified_at is not null and domain = \(select/,
  ],
  ['domains as read', /^\(select count\(\*\) from seatgate_organization_domains/],
  [
    'request as read',
    /^exists \(select 1 from seatgate_join_requests where id = \? and state = \? and role = \?\)$/,
  ],
  ['session exists', /^exists \(select 1 from seatgate_sessions where token_hash = \?\)$/],
  [
    'pointer as read',
    /^\(select active_organization_id from seatgate_sessions where token_hash = \?\) is \?$/,
  ],
  ['no delivery under way', /^not exists \(select 1 from seatgate_sink_cursors/],
  ['hold as read', /^exists \(?select .* from "seatgate_audit_retention"/],
  [
    'records as read',
    /^\(select count\(\*\) from \(select organization_id \|\| ' ' \|\| count\(\*\) as record from \(/,
  ],
  [
    'not repaired since the read',
    /^not exists \(select 1 from seatgate_audit_events where organization_id = \? and sequence > \? and action = 'seat.drift_repaired'\)$/,
  ],
]

/** Those of the seat provider: which of them there are depends on the seat. */
const OF_SEATS = new Set(['seat not given up', 'ledger in force', 'line'])

// Each has a row in the table for what it performs. The line and the records of domains are looked after by the host itself.
const PERFORMING = [
  'operations/audit/erase',
  'operations/audit/export',
  'operations/billing/recompute',
  'operations/billing/restore-excess',
  'operations/billing/set-entitlement',
  'operations/billing/suspend-excess',
  'operations/invitations/accept',
  'operations/invitations/accept-with-signup',
  'operations/invitations/change-role',
  'operations/invitations/create',
  'operations/invitations/create-many',
  'operations/invitations/decline',
  'operations/invitations/resend',
  'operations/invitations/revoke',
  'operations/joining/add-domain',
  'operations/joining/approve',
  'operations/joining/change-domain',
  'operations/joining/create-link',
  'operations/joining/decline',
  'operations/joining/join',
  'operations/joining/join-by-link',
  'operations/joining/recheck-domains',
  'operations/joining/revoke-link',
  'operations/joining/waitlist',
  'operations/memberships/add',
  'operations/memberships/change-role',
  'operations/memberships/delete-user',
  'operations/memberships/remove',
  'operations/memberships/restore',
  'operations/memberships/suspend',
  'operations/memberships/transfer-ownership',
  'operations/organizations/change-slug',
  'operations/organizations/create',
  'operations/organizations/delete',
  'operations/organizations/mfa-policy',
  'operations/organizations/restore',
  'operations/organizations/update',
  'operations/seats/repair',
  'operations/seats/set-limit',
  'operations/sessions/put-active',
  'parts/billing/apply-state',
  'parts/billing/change-subscription',
  'parts/billing/end-subscriptions',
  'parts/billing/sync-quantity',
  'parts/forwarding/admin',
  'parts/retention/legal-hold',
  'parts/retention/purge',
  'parts/groups/add-to-group',
  'parts/groups/create-group',
  'parts/groups/delete-group',
  'parts/groups/remove-from-group',
  'parts/groups/update-group',
  'parts/impersonation/end',
  'parts/impersonation/start',
  'parts/roles/create-role',
  'parts/roles/update-role',
  'parts/roles/delete-role',
  'parts/keys/create-key',
  'parts/keys/revoke-key',
  'parts/keys/rotate-key',
  'parts/scim-groups/change-group',
  'parts/scim-groups/create-scim-group',
  'parts/scim-groups/delete-scim-group',
  'parts/scim/change-user',
  'parts/scim/create-token',
  'parts/scim/create-user',
  'parts/scim/delete-user',
  'parts/scim/revoke-token',
  'parts/scim/rotate-token',
]

interface Row {
  readonly guards: readonly string[]
  /** Why no membership of the caller's is looked at. */
  readonly because?: string
}

const SAME_ROLES = 'live, with the same own roles'
const byMember = (...guards: readonly string[]): Row => ({ guards: ['standing', ...guards] })
const without = (because: string, ...guards: readonly string[]): Row => ({ because, guards })

const AROUND = 'invitations by and to them as read'
const FOUNDER = 'a founder is in no organization yet'
const OPERATOR = 'operators and the host itself need no membership'
const TOKEN = 'whoever comes has the token, and is no member yet'
const ADDRESS = 'whoever comes has an address in the domain, and is no member yet'
const OWN_ACCOUNT = 'an account is its user’s own, and all its memberships are looked at'
const HOST = 'the host vouches for what it puts on record'

/** The guards of each operation's batch, those of the seat provider apart. */
const TABLE: Readonly<Record<string, Row>> = {
  createOrganization: without(FOUNDER, 'slug is free'),
  'prepareOrganization and commitTogether': without(FOUNDER, 'slug is free'),
  updateOrganization: byMember('name as read'),
  renameOrganization: byMember('name as read'),
  updateSlug: byMember('slug as read', 'slug is free'),
  softDeleteOrganization: byMember('name as read', 'invitations as read'),
  restoreOrganization: without(OPERATOR, 'deleted', 'an owner', 'slug is free'),
  setMfaPolicy: byMember('policy as read'),
  addMember: byMember('user exists', 'no invitation to the user'),
  'prepareMember and commitTogether': without(
    'no membership was read: the batch looks for one with a role that may',
    'caller is a member',
    'caller has a role that may',
    'user exists',
    'not a member',
    'not committed before'
  ),
  changeRole: byMember('membership as read', AROUND),
  removeMember: byMember('membership as read', AROUND),
  leaveOrganization: byMember('membership as read', 'another owner', AROUND),
  suspendMember: byMember('membership as read', AROUND),
  restoreMember: byMember('membership as read'),
  restoreMembers: byMember('membership as read'),
  transferOwnership: byMember('membership as read', AROUND),
  deleteUser: without(
    OWN_ACCOUNT,
    'memberships as read',
    'no organization without an owner',
    AROUND
  ),
  'prepareUserDeletion and commitTogether': without(
    OWN_ACCOUNT,
    'memberships as read',
    'no organization without an owner',
    AROUND
  ),
  createInvitation: byMember('no member’s address'),
  'createInvitation, of somebody who is invited': byMember(
    'no member’s address',
    'invitation unfinished'
  ),
  createInvitations: byMember('no member’s address', 'invitation unfinished'),
  resendInvitation: byMember('invitation unfinished'),
  changeInvitationRole: byMember('invitation open'),
  revokeInvitation: byMember('invitation unfinished'),
  declineInvitation: without(TOKEN, 'invitation open'),
  'declineInvitation, signed in': without(TOKEN, 'invitation open', 'address as read'),
  acceptInvitation: without(TOKEN, 'address as read', SAME_ROLES, 'invitation open'),
  'acceptInvitation, of a member': without(
    TOKEN,
    'address as read',
    'membership as read',
    SAME_ROLES,
    'invitation open'
  ),
  acceptInvitationWithSignup: without(TOKEN, 'address is free', SAME_ROLES, 'invitation open'),
  addDomain: byMember('domains as read'),
  verifyDomain: byMember('domain as read'),
  setDomainMode: byMember('domain as read'),
  removeDomain: byMember('domain as read'),
  'joinOrganization, by its domain': without(
    ADDRESS,
    'limit a day',
    'live',
    'domain open to the address',
    'exclusions as read',
    'user exists',
    'no invitation to the user'
  ),
  'joinOrganization, on request': without(
    ADDRESS,
    'limit a day',
    'live',
    'domain open to the address',
    'exclusions as read',
    'user exists'
  ),
  createInviteLink: byMember('links below the most'),
  revokeInviteLink: byMember('link not revoked'),
  joinByLink: without(
    TOKEN,
    SAME_ROLES,
    'link open, with a use',
    'exclusions as read',
    'user exists',
    'no invitation to the user'
  ),
  approveJoinRequest: byMember('request as read', 'user exists', 'no invitation to the user'),
  declineJoinRequest: byMember('request as read'),
  withdrawJoinRequest: without('a request is its user’s own', 'request as read'),
  putActiveOrganization: byMember('switches as read', 'session exists', 'pointer as read'),
  'loadActiveOrganization, where the pointer leads nowhere': byMember(
    'session exists',
    'pointer as read'
  ),
  setSeatLimit: without(OPERATOR, 'live', 'limit as read'),
  setEntitlement: without(OPERATOR, 'live', 'limit as read'),
  rebuildSeats: without(OPERATOR, 'live', 'not repaired since the read'),
  replaySink: byMember('no delivery under way'),
  pauseSink: byMember('no delivery under way'),
  resumeSink: byMember('no delivery under way'),
  requeueDeadLetters: byMember(),
  exportAuditEvents: byMember(),
  placeLegalHold: without(OPERATOR, 'hold as read'),
  releaseLegalHold: without(OPERATOR, 'hold as read'),
  erasePersonalData: without(OPERATOR, 'records as read'),
  logEvent: without(HOST, 'organization exists'),
}

/** What the library exports beside operations. */
const NO_OPERATION: Readonly<Record<string, string>> = {
  'sets up':
    'createSeatgate permissions seatTypes auditLog forwarding invitations joinRules billing retention userLimits d1Sessions ledgerSeats d1Seats unlimitedSeats bucketSink webhookSink ' +
    'allow refuse composeLifecycle tenantDatabase unscoped forGroup forOrganization generateLogKey',
  'is pure':
    'combine generateSlug generate normalizeEmail seatLimit personalDigest ocsfEvent isQueueBound',
  'is an error':
    'HostConflict SchemaMismatch StatementFailed StoreUnavailable UnscopedQuery ' +
    'UnknownSchemaVersion StreamEnded',
  reads:
    'fetchOrganization getActiveSlugAlias getMembership getOrganizationBySlug listOrganizationsForUser ' +
    'getOrganization listOrganizations listMembers countMembers countMembersWithoutMfa viewInvitation ' +
    'viewInviteLink listInviteLinks listInvitations listOwnInvitations listDomains listJoinableOrganizations listJoinRequests ' +
    'selectActiveOrganization platformHealth getPlatformOrganization listPersonEvents listPlatformOrganizations seatUsage canAdd checkSeatLimit seatsAsOf explainSeats verifySeats getBilling getEntitlement countAuditEvents ' +
    'listAuditEvents countPlatformEvents listPlatformEvents streamAuditEvents auditCheckpoint ' +
    'proveConsistency proveInclusion retentionStatus listDeadLetters listSinks listAttempts',
  'is called by the host’s own jobs and has no caller':
    'sweepSeats sweepRetention sweepAudit sealOrganization tendOrganization forwardOrganization',
  'is made of operations in the table': 'importMembers',
  'is part of an operation in the table': 'commitTogether prepareEvents logSafe',
  'points a new session of its own': 'activateAtLogin',
  'changes a row only after a change by hand, in test/workers/operations/seats/seat-advice.test.ts':
    'releaseSeat',
  'is for operators, and guarded in test/workers/parts/retention/retention.test.ts':
    'purgeAuditEvents',
}

function namesOf(asked: readonly string[]): string[] {
  const found = asked
    .flatMap((sql) => guardsIn(sql))
    .map(({ query }) => {
      if (
        / where exists \(select 1 from seatgate_join_requests where .* offset \?\)$/.test(query)
      ) {
        return 'line'
      }
      const condition = /^select .*? where not \((.*)\)$/.exec(query)?.[1] ?? query
      return GUARDS.find(([, pattern]) => pattern.test(condition))?.[0] ?? condition
    })
  return found.filter((name) => !OF_SEATS.has(name))
}

async function guardsOf(act: Act): Promise<{ code: string; guards: string[] }> {
  const team = await newTeam()
  const guards: string[] = []
  const kit = kitWithHooks({
    sinks: [sinkOf(SINK, () => delivered)],
    around({ store, asked }, run) {
      if (store === 'd1' && isChange(asked)) guards.push(...namesOf(asked))
      return run()
    },
  })
  const code = codeOf(await act(kit.seatgate, team))
  await kit.settled()
  return { code, guards }
}

const sources = import.meta.glob(['../../../../src/**/*.ts'], {
  query: '?raw',
  import: 'default',
  eager: true,
})

describe('the guards of every operation [A7]', () => {
  it('the table has a row for everything that the library exports and that writes [A7]', () => {
    const exported = Object.entries(library).flatMap(([name, value]) =>
      typeof value === 'function' ? [name] : []
    )
    const operations = [...OPERATIONS.keys()].flatMap((name) => name.split(/,| and /)[0] ?? [])
    const others = Object.values(NO_OPERATION).flatMap((names) => names.split(' '))
    expect([...new Set([...operations, ...others])].sort()).toEqual(exported.sort())
    expect(Object.keys(TABLE).sort()).toEqual([...OPERATIONS.keys()].sort())
  })

  it('the table knows every file in which a change is made [A7]', () => {
    const performing = Object.entries(sources)
      .filter(([, text]) => /(?:await|return) perform\(/.test(text))
      .map(([path]) => path.replace('../../../../src/', '').replace('.ts', ''))
    expect(performing.sort()).toEqual([...PERFORMING].sort())
  })

  it.each(Object.entries(TABLE))('%s [A7]', async (name, { guards, because }) => {
    const found = await guardsOf(OPERATIONS.get(name)!)
    expect({ ...found, guards: found.guards.sort() }).toEqual({
      code: 'ok',
      guards: [...guards].sort(),
    })
    expect(guards.includes('standing')).toBe(because === undefined)
  })
})

const byMembers = Object.entries(TABLE).filter(
  ([name, { guards }]) =>
    guards.includes('standing') && !/^(?:loadActive|putActive|leaveOrg)/.test(name)
)

/** What becomes of the caller between read and batch, and what the operation answers then. */
const MEANWHILE: readonly (readonly [what: string, sql: string, code: string])[] = [
  ['demoted', "UPDATE seatgate_memberships SET role = 'member'", 'insufficient_role'],
  ['removed', 'DELETE FROM seatgate_memberships', 'organization_not_found'],
  [
    'suspended',
    "UPDATE seatgate_memberships SET status = 'suspended', suspended_by = 'admin', seat_id = NULL",
    'organization_not_found',
  ],
]

describe.each(MEANWHILE)('a caller who is %s between read and batch [A7]', (_what, sql, code) => {
  beforeAll(freshStores)

  it.each(shareOf(byMembers, 12))('is refused, and no row is written: %s [A7]', async (name) => {
    const team = await newTeam()
    let rows: unknown = null
    const { id } = team.organization
    const kit = kitWithHooks({
      sinks: [sinkOf(SINK, () => delivered)],
      around: meanwhile(async () => {
        await testEnv.DB.prepare(`${sql} WHERE user_id = ? AND organization_id = ?`)
          .bind(team.owner, id)
          .run()
        rows = await everything()
      }),
    })
    expect(codeOf(await OPERATIONS.get(name)!(kit.seatgate, team))).toBe(code)
    await kit.settled()
    expect(rows).not.toBeNull()
    expect(await everything()).toEqual(rows)
  })
})

describe('another fact that an operation relied on [A7]', () => {
  async function overtaken(name: string, sql: (team: Team) => string) {
    const team = await newTeam()
    const around = meanwhile(() => testEnv.DB.exec(sql(team)))
    const kit = kitWithHooks({ around, sinks: [sinkOf(SINK, () => delivered)] })
    const answer = await OPERATIONS.get(name)!(kit.seatgate, team)
    await kit.settled()
    return { team, answer }
  }

  it.each([
    ['acceptInvitation'],
    ['acceptInvitation, of a member'],
    ['declineInvitation, signed in'],
  ])('an invitation is not for an address that the user has given up: %s [A7]', async (name) => {
    const { answer } = await overtaken(
      name,
      ({ invitee, present }) =>
        `UPDATE users SET email = id || '@other.example' WHERE id IN ('${invitee}', '${present}')`
    )
    expect(codeOf(answer)).toBe('invitation_mismatch')
  })

  it('a member who is removed while accepting becomes a member by the invitation [A7]', async () => {
    const { team, answer } = await overtaken(
      'acceptInvitation, of a member',
      ({ present, organization }) =>
        `DELETE FROM seatgate_memberships WHERE user_id = '${present}' AND organization_id = '${organization.id}'`
    )
    expect(answer).toMatchObject({ ok: true, value: { created: true } })
    const there = await testEnv.DB.prepare(
      'SELECT count(*) AS n FROM seatgate_memberships WHERE user_id = ? AND organization_id = ?'
    )
      .bind(team.present, team.organization.id)
      .first('n')
    expect(there).toBe(1)
  })

  it('an erasure counts a record that was written after the read [A7]', async () => {
    const { answer } = await overtaken(
      'erasePersonalData',
      ({ owner, organization }) =>
        `INSERT INTO seatgate_audit_personal (organization_id, digest, user_id, salt, ip_address) VALUES ('${organization.id}', '${'1'.repeat(64)}', '${owner}', '${'1'.repeat(64)}', '::1')`
    )
    expect(answer).toMatchObject({ ok: true, value: { erased: 2 } })
  })

  it('a domain is not added if the twentieth was added after the read [A7]', async () => {
    const { answer } = await overtaken('addDomain', ({ organization }) =>
      [
        'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 17)',
        'INSERT INTO seatgate_organization_domains (id, organization_id, domain, mode, challenge, created_at, updated_at)',
        `SELECT 'more-' || i || '${organization.id}', '${organization.id}', 'more' || i || '.example', 'off', 'x', 1, 1 FROM n`,
      ].join(' ')
    )
    expect(answer).toMatchObject({ error: { code: 'validation_error' } })
  })
})
