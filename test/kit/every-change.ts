/**
 * Every function that changes something, each ready to be called on a team of its own, and everything
 * that there is to be changed.
 *
 * @module
 */
import { eq } from 'drizzle-orm'
import { users } from '../../host/identity/schema.ts'
import { newSession, insertSession } from '../../host/identity/sessions.ts'
import { HOOKS } from '../../src/engine/model/hooks.ts'
import {
  acceptInvitation,
  acceptInvitationWithSignup,
  addDomain,
  addMember,
  approveJoinRequest,
  changeInvitationRole,
  changeRole,
  commitTogether,
  createInvitation,
  createInvitations,
  createOrganization,
  declineInvitation,
  declineJoinRequest,
  deleteUser,
  forwardOrganization,
  joinOrganization,
  leaveOrganization,
  loadActiveOrganization,
  prepareMember,
  prepareOrganization,
  prepareUserDeletion,
  putActiveOrganization,
  removeDomain,
  removeMember,
  renameOrganization,
  resendInvitation,
  restoreMember,
  restoreMembers,
  restoreOrganization,
  revokeInvitation,
  seatUsage,
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
  type Hooks,
  type InvitationWithToken,
  type Prepared,
  type Result,
  type Session,
} from '../../src/index.ts'
import type { FullSeatgate } from './flat-options.ts'
import { db } from './http.ts'
import { copyOf, originalOf, type Original } from './copies.ts'
import { invite, memberWith, newAddress, userWith } from './invitations.ts'
import { testEnv } from './environment.ts'
import {
  unwrap,
  createKit,
  join,
  knownOrganization,
  newOrganization,
  newUser,
  operator,
  PASSWORD,
  type Provider,
  type TestOrganization,
  type Kit,
  type KitOptions,
} from './kit.ts'

export { everything } from './rows.ts'

/** An organization with somebody of every kind, and one more that is deleted. */
export interface Team {
  readonly organization: TestOrganization
  readonly owner: string
  /** Also an owner. */
  readonly second: string
  readonly member: string
  readonly suspended: string
  /** No member yet. */
  readonly newcomer: string
  /** The owner's, pointing nowhere. */
  readonly session: Session
  /** The second owner's, pointing at the deleted organization. */
  readonly lost: Session
  readonly deleted: TestOrganization
  /** An invitation to a user, and the user. */
  readonly invited: InvitationWithToken
  readonly invitee: string
  /** An invitation to nobody yet. */
  readonly unknown: InvitationWithToken
  /** An invitation to somebody who has become a member without it. */
  readonly overtaken: InvitationWithToken
  readonly present: string
  readonly joining: Joining
}

/** What leads into a team without an invitation. */
export interface Joining {
  /** A verified domain that lets in, and somebody of it. */
  readonly auto: string
  readonly neighbour: string
  /** A verified domain of whose people each must ask, and one of them. */
  readonly request: string
  readonly asker: string
  /** A domain that is not verified. */
  readonly unverified: string
  /** Somebody who has asked, and their request. */
  readonly requester: string
  readonly requested: string
}

/** A function that changes something. */
export interface ChangeCase {
  readonly name: string
  /** Whether it is done in the team's organization, by its owner or an operator. */
  readonly inside: boolean
  /** Whether it has an `after…` hook. */
  readonly told: boolean
  readonly act: (seatgate: FullSeatgate, team: Team) => Promise<Result<unknown>>
}

export const freshSlug = () => `s${crypto.randomUUID().replaceAll('-', '')}`

// By provider. Each is made once, and a test gets a copy.
const originals = new Map<Provider, Promise<Original<Team>>>()

/** Makes a team whose ledger is at work and of which every sink has heard everything. */
export async function newTeam(provider: Provider = 'ledger'): Promise<Team> {
  const original = originals.get(provider) ?? originalOf(() => settledTeam(provider))
  originals.set(provider, original)
  const { invited, unknown, overtaken } = (await original).made
  const team = await copyOf(await original, { invitations: [invited, unknown, overtaken] })
  await testEnv.DB.exec('DELETE FROM seatgate_audit_outbox')
  const organization = knownOrganization(team.organization)
  // Its ledger starts from D1.
  const { seatgate } = createKit({ provider })
  unwrap(await seatUsage(seatgate, organization.as(organization.owner)))
  return { ...team, organization, deleted: knownOrganization(team.deleted) }
}

// Nobody waits for its trails, so that the sweep has nothing to do with them.
async function settledTeam(provider: Provider): Promise<Team> {
  const team = await firstTeam(provider)
  const { seatgate } = createKit({ provider })
  for (const { id } of [team.organization, team.deleted]) await forwardOrganization(seatgate, id)
  return team
}

async function firstTeam(provider: Provider): Promise<Team> {
  const kit = createKit({ provider })
  const { seatgate } = kit
  const organization = await newOrganization(kit, 10)
  const { owner } = organization
  const second = await join(kit, organization, 'owner')
  const member = await join(kit, organization)
  const suspended = await join(kit, organization)
  unwrap(await suspendMember(seatgate, organization.as(owner), suspended))
  const deleted = await newOrganization(kit)
  await softDeleted(seatgate, deleted)
  const [inviteeAddress, presentAddress] = [newAddress(), newAddress()]
  const overtaken = await invite(kit, organization, presentAddress)
  const present = await memberWith(kit, organization, presentAddress)
  const invitations = {
    invited: await invite(kit, organization, inviteeAddress),
    invitee: await userWith(inviteeAddress, false),
    unknown: await invite(kit, organization),
    overtaken,
    present,
  }
  await kit.settled()
  return {
    organization,
    owner,
    second,
    member,
    suspended,
    newcomer: await newUser(),
    joining: await openDoors(organization),
    session: await sessionOf(owner),
    lost: await sessionOf(second, deleted.id),
    deleted,
    ...invitations,
  }
}

/** Puts three domains into D1, and people who have to do with them. */
async function openDoors({ id }: TestOrganization): Promise<Joining> {
  const name = crypto.randomUUID()
  const domainAt = (mode: string, verified: boolean) => {
    const row = `INSERT INTO seatgate_organization_domains
      (id, organization_id, domain, mode, challenge, verified_at, created_at, updated_at)
      VALUES (?1, ?2, ?3, ?4, 'x', ?5, 1, 1)`
    const domain = `${mode}-${verified}-${name}.example`
    return testEnv.DB.prepare(row).bind(`${domain}-id`, id, domain, mode, verified ? 1 : null)
  }
  const user = (who: string, domain: string) =>
    testEnv.DB.prepare(
      `INSERT INTO users (id, email, password_hash, email_verified_at, created_at)
       VALUES (?1, ?1 || '@' || ?2, 'none', 1, 0)`
    ).bind(`${who}-${name}`, `${domain}-true-${name}.example`)
  await testEnv.DB.batch([
    domainAt('auto', true),
    domainAt('request', true),
    domainAt('request', false),
    user('neighbour', 'auto'),
    user('asker', 'request'),
    user('requester', 'request'),
    testEnv.DB.prepare(
      `INSERT INTO seatgate_join_requests
         (id, organization_id, user_id, role, path, state, created_at, updated_at)
       VALUES (?1, ?2, ?3, 'member', 'request', 'open', 1, 1)`
    ).bind(`requested-${name}`, id, `requester-${name}`),
  ])
  return {
    auto: `auto-true-${name}.example-id`,
    neighbour: `neighbour-${name}`,
    request: `request-true-${name}.example-id`,
    asker: `asker-${name}`,
    unverified: `request-false-${name}.example-id`,
    requester: `requester-${name}`,
    requested: `requested-${name}`,
  }
}

/** Deletes an organization in the name of its owner, for sure. */
export async function softDeleted(
  seatgate: FullSeatgate,
  { id, owner }: Pick<TestOrganization, 'id' | 'owner'>,
  confirmName = 'Test'
) {
  const scope = { caller: { userId: owner }, organization: id }
  return unwrap(await softDeleteOrganization(seatgate, scope, { confirmName, password: PASSWORD }))
}

/** Puts a session of somebody's into D1. */
export async function sessionOf(
  userId: string,
  activeOrganizationId: string | null = null
): Promise<Session> {
  const { tokenHash } = await newSession()
  await insertSession(db, tokenHash, userId, new Date())
  await testEnv.DB.prepare(
    'UPDATE seatgate_sessions SET active_organization_id = ? WHERE token_hash = ?'
  )
    .bind(activeOrganizationId, tokenHash)
    .run()
  return { id: tokenHash, activeOrganizationId }
}

/** Where a session points. */
export function pointerOf({ id }: Session): Promise<string | null> {
  return testEnv.DB.prepare(
    'SELECT active_organization_id AS pointer FROM seatgate_sessions WHERE token_hash = ?'
  )
    .bind(id)
    .first('pointer')
}

async function together<T>(
  seatgate: FullSeatgate,
  prepared: Result<Prepared<T>>
): Promise<Result<T>> {
  return prepared.ok ? commitTogether(seatgate, prepared.value) : prepared
}

const asOwner = ({ organization, owner }: Team) => organization.as(owner)
const mfaCheck = (_userId: string) => true

const CHANGES: readonly ChangeCase[] = [
  {
    name: 'createOrganization',
    inside: false,
    told: true,
    act: (seatgate, { owner }) =>
      createOrganization(
        seatgate,
        { caller: { userId: owner } },
        { name: 'New', slug: freshSlug() }
      ),
  },
  {
    name: 'updateOrganization',
    inside: true,
    told: false,
    act: (seatgate, team) => updateOrganization(seatgate, asOwner(team), { name: 'Updated' }),
  },
  {
    name: 'renameOrganization',
    inside: true,
    told: false,
    act: (seatgate, team) => renameOrganization(seatgate, asOwner(team), { name: 'Renamed' }),
  },
  {
    name: 'updateSlug',
    inside: true,
    told: false,
    act: (seatgate, team) =>
      updateSlug(seatgate, asOwner(team), {
        slug: freshSlug(),
        confirmSlug: team.organization.slug,
        password: PASSWORD,
      }),
  },
  {
    name: 'softDeleteOrganization',
    inside: true,
    told: true,
    act: (seatgate, team) =>
      softDeleteOrganization(seatgate, asOwner(team), { confirmName: 'Test', password: PASSWORD }),
  },
  {
    name: 'restoreOrganization',
    inside: false,
    told: true,
    act: (seatgate, { deleted }) => restoreOrganization(seatgate, { caller: operator }, deleted.id),
  },
  {
    name: 'setMfaPolicy',
    inside: true,
    told: false,
    act: (seatgate, team) => setMfaPolicy(seatgate, asOwner(team), { enabled: true }, { mfaCheck }),
  },
  {
    name: 'addMember',
    inside: true,
    told: true,
    act: (seatgate, team) =>
      addMember(seatgate, asOwner(team), { userId: team.newcomer, role: 'member' }),
  },
  {
    name: 'changeRole',
    inside: true,
    told: true,
    act: (seatgate, team) => changeRole(seatgate, asOwner(team), team.member, { role: 'admin' }),
  },
  {
    name: 'removeMember',
    inside: true,
    told: true,
    act: (seatgate, team) => removeMember(seatgate, asOwner(team), team.member),
  },
  {
    name: 'leaveOrganization',
    inside: true,
    told: true,
    act: (seatgate, { organization, owner }) =>
      leaveOrganization(seatgate, { caller: { userId: owner }, organization: organization.id }),
  },
  {
    name: 'suspendMember',
    inside: true,
    told: true,
    act: (seatgate, team) => suspendMember(seatgate, asOwner(team), team.member),
  },
  {
    name: 'restoreMember',
    inside: true,
    told: true,
    act: (seatgate, team) => restoreMember(seatgate, asOwner(team), team.suspended),
  },
  {
    name: 'restoreMembers',
    inside: true,
    told: true,
    act: (seatgate, team) => restoreMembers(seatgate, asOwner(team), { userIds: [team.suspended] }),
  },
  {
    name: 'transferOwnership',
    inside: true,
    told: true,
    act: (seatgate, team) =>
      transferOwnership(seatgate, asOwner(team), { userId: team.member, password: PASSWORD }),
  },
  {
    name: 'setSeatLimit',
    inside: true,
    told: false,
    act: (seatgate, { organization }) =>
      setSeatLimit(seatgate, organization.asOperator, { limit: 20 }),
  },
  {
    name: 'setEntitlement',
    inside: true,
    told: false,
    act: (seatgate, { organization }) =>
      setEntitlement(seatgate, organization.asOperator, { included: 21, reason: 'contract' }),
  },
  {
    name: 'putActiveOrganization',
    inside: true,
    told: false,
    act: (seatgate, { organization, owner, session }) =>
      putActiveOrganization(seatgate, { caller: { userId: owner, session } }, organization.id),
  },
  {
    name: 'loadActiveOrganization, where the pointer leads nowhere',
    inside: false,
    told: false,
    async act(seatgate, { second, lost }) {
      const caller = { userId: second, session: lost }
      const { organization } = await loadActiveOrganization(seatgate, { caller })
      return organization
        ? { ok: true, value: organization }
        : { ok: false, error: { code: 'no_active_organization' } }
    },
  },
  {
    name: 'deleteUser',
    inside: false,
    told: true,
    act: (seatgate, { second }) =>
      deleteUser(seatgate, { caller: { userId: second } }, { password: PASSWORD }),
  },
  {
    name: 'prepareOrganization and commitTogether',
    inside: false,
    told: true,
    act: async (seatgate, { owner }) =>
      together(
        seatgate,
        await prepareOrganization(
          seatgate,
          { caller: { userId: owner } },
          { name: 'New', slug: freshSlug() }
        )
      ),
  },
  {
    name: 'prepareMember and commitTogether',
    inside: true,
    told: true,
    act: async (seatgate, { organization, owner, newcomer }) =>
      together(
        seatgate,
        await prepareMember(
          seatgate,
          { caller: { userId: owner }, organization: organization.id },
          { userId: newcomer, role: 'member' }
        )
      ),
  },
  {
    name: 'prepareUserDeletion and commitTogether',
    inside: false,
    told: true,
    act: async (seatgate, { second }) =>
      together(
        seatgate,
        await prepareUserDeletion(seatgate, { caller: { type: 'system' } }, second)
      ),
  },
  {
    name: 'createInvitation',
    inside: true,
    told: true,
    act: (seatgate, team) =>
      createInvitation(seatgate, asOwner(team), { email: newAddress(), role: 'member' }),
  },
  {
    name: 'createInvitation, of somebody who is invited',
    inside: true,
    told: true,
    act: (seatgate, team) =>
      createInvitation(seatgate, asOwner(team), { email: team.invited.email, role: 'admin' }),
  },
  {
    name: 'createInvitations',
    inside: true,
    told: true,
    act: (seatgate, team) =>
      createInvitations(seatgate, asOwner(team), {
        invitations: [newAddress(), team.invited.email].map((email) => ({ email, role: 'member' })),
      }),
  },
  {
    name: 'resendInvitation',
    inside: true,
    told: true,
    act: (seatgate, team) => resendInvitation(seatgate, asOwner(team), team.invited.id),
  },
  {
    name: 'changeInvitationRole',
    inside: true,
    told: true,
    act: (seatgate, team) =>
      changeInvitationRole(seatgate, asOwner(team), team.invited.id, { role: 'admin' }),
  },
  {
    name: 'revokeInvitation',
    inside: true,
    told: true,
    act: (seatgate, team) => revokeInvitation(seatgate, asOwner(team), team.invited.id),
  },
  {
    name: 'declineInvitation',
    inside: false,
    told: true,
    act: (seatgate, { invited }) =>
      declineInvitation(seatgate, { caller: { type: 'anonymous' } }, invited),
  },
  {
    name: 'acceptInvitation',
    inside: false,
    told: true,
    act: (seatgate, { invited, invitee }) =>
      acceptInvitation(seatgate, { caller: { userId: invitee } }, invited),
  },
  {
    name: 'acceptInvitation, of a member',
    inside: false,
    told: true,
    act: (seatgate, { overtaken, present }) =>
      acceptInvitation(seatgate, { caller: { userId: present } }, overtaken),
  },
  {
    name: 'acceptInvitationWithSignup',
    inside: false,
    told: true,
    act: (seatgate, { unknown: { token, email } }) =>
      acceptInvitationWithSignup(seatgate, { token, email, password: PASSWORD }),
  },
]

const JOINING: readonly ChangeCase[] = [
  {
    name: 'addDomain',
    inside: true,
    told: true,
    act: (seatgate, team) =>
      addDomain(seatgate, asOwner(team), { domain: `${freshSlug()}.example` }),
  },
  {
    name: 'verifyDomain',
    inside: true,
    told: true,
    act: (seatgate, team) => verifyDomain(seatgate, asOwner(team), team.joining.unverified),
  },
  {
    name: 'setDomainMode',
    inside: true,
    told: true,
    act: (seatgate, team) =>
      setDomainMode(seatgate, asOwner(team), team.joining.auto, { mode: 'off' }),
  },
  {
    name: 'removeDomain',
    inside: true,
    told: true,
    act: (seatgate, team) => removeDomain(seatgate, asOwner(team), team.joining.auto),
  },
  {
    name: 'joinOrganization, by its domain',
    inside: false,
    told: true,
    act: (seatgate, { organization, joining }) =>
      joinOrganization(
        seatgate,
        { caller: { userId: joining.neighbour } },
        { organizationId: organization.id }
      ),
  },
  {
    name: 'joinOrganization, on request',
    inside: false,
    told: true,
    act: (seatgate, { organization, joining }) =>
      joinOrganization(
        seatgate,
        { caller: { userId: joining.asker } },
        { organizationId: organization.id }
      ),
  },
  {
    name: 'approveJoinRequest',
    inside: true,
    told: true,
    act: (seatgate, team) =>
      approveJoinRequest(seatgate, asOwner(team), team.joining.requested, {}),
  },
  {
    name: 'declineJoinRequest',
    inside: true,
    told: true,
    act: (seatgate, team) => declineJoinRequest(seatgate, asOwner(team), team.joining.requested),
  },
  {
    name: 'withdrawJoinRequest',
    inside: false,
    told: true,
    act: (seatgate, { joining }) =>
      withdrawJoinRequest(seatgate, { caller: { userId: joining.requester } }, joining.requested),
  },
]

/** Every function that changes something. */
export const EVERY_CHANGE: readonly ChangeCase[] = [...CHANGES, ...JOINING]

/** Every hook that there is outside the batch, each allowing everything. */
export function everyHook(called: (hook: string, state: unknown) => void): Hooks {
  const outside = Object.entries(HOOKS).filter(([, { inBatch }]) => !inBatch)
  return Object.fromEntries(
    outside.map(([hook]) => [
      hook,
      (state: unknown) => {
        called(hook, state)
        return { ok: true }
      },
    ])
  )
}

/** A world with a hook in every place, so that every change leaves an intent; users can be deleted. */
export function kitWithHooks(
  options: KitOptions = {},
  called: (hook: string, state?: unknown) => void = () => {}
): Kit {
  const kit: Kit = createKit({
    hooks: everyHook(called),
    lifecycle: {
      onDelete(statements, { userId }) {
        called('onDelete')
        // The world's own handle: a batch knows the statements of no other.
        const gone = kit.seatgate.db.delete(users).where(eq(users.id, userId))
        return { ok: true, statements: [...statements, gone] }
      },
    },
    ...options,
  })
  return kit
}

/** Whether these statements are the batch of a change. */
export function isChange(asked: readonly string[]): boolean {
  return asked.some((sql) => sql.startsWith('insert into "seatgate_audit_events"'))
}

/** Puts something between what a change was planned on and its first batch. */
export function meanwhile(happens: () => Promise<unknown>): NonNullable<KitOptions['around']> {
  let due = true
  return async ({ store, asked }, run) => {
    if (due && store === 'd1' && isChange(asked)) {
      due = false
      await happens()
    }
    return run()
  }
}

/** What was done in an organization, in order. */
export async function actionsOf(organizationId: string): Promise<string[]> {
  const { results } = await testEnv.DB.prepare(
    'SELECT action FROM seatgate_audit_events WHERE organization_id = ? ORDER BY sequence'
  )
    .bind(organizationId)
    .all<{ action: string }>()
  return results.map(({ action }) => action)
}

/** The newest event of an organization. */
export async function lastEventOf(organizationId: string) {
  const row = await testEnv.DB.prepare(
    `SELECT action, metadata, actor_id AS actorId, target_type AS targetType, target_id AS targetId
     FROM seatgate_audit_events WHERE organization_id = ? ORDER BY sequence DESC LIMIT 1`
  )
    .bind(organizationId)
    .first<{
      action: string
      metadata: string
      actorId: string
      targetType: string
      targetId: string
    }>()
  if (row === null) throw new Error('no event')
  return { ...row, metadata: JSON.parse(row.metadata) as Record<string, unknown> }
}
