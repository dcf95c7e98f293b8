import { drizzle } from 'drizzle-orm/d1'
import { Hono } from 'hono'
import { expect, it } from 'vitest'
import {
  loadActiveOrganization,
  loadOrganizationFromSlug,
  problemResponse,
  RefusalException,
  requireMembership,
  requireOrganizationMfa,
  requirePermission,
  requireRole,
  requireSudo,
  statusOf,
  type OrganizationVariables,
} from '../../../src/hono/index.ts'
import { createScimUser, deleteScimUser, type ScimContext } from '../../../src/hono/scim/index.ts'
import {
  joinRules,
  ledgerSeats,
  refuse,
  setMfaPolicy,
  userLimits,
  type InvitationLimits,
  type Result,
  type Seatgate,
  type RefusalCode,
} from '../../../src/index.ts'
import {
  anOperator,
  asUser,
  byName,
  type Client,
  clientOf,
  embedded,
  host,
  postInvitation,
  ledgersThat,
  limitTo,
  postOrganization,
  people,
  person,
  seatgateWith,
  smallTeam,
  tokenFor,
  type Person,
  connected,
  createRolesKit,
  join,
  roleOf,
  createScimKit,
  pushedOrganization,
  type PushedOrganization,
  owners,
  days,
  retaining,
  testEnv,
  PASSWORD,
  SECRET,
  shareOf,
} from '../../kit/index.ts'

interface Case {
  readonly status: number
  /** Members of the problem beside type, title, status and code. */
  readonly beside?: object
  readonly ask: () => Promise<Response>
}

/** A refusal of an operation of SCIM, as a host's own route answers it. */
const pushing =
  (ask: (organization: PushedOrganization, context: ScimContext) => Promise<Result<unknown>>) =>
  async (): Promise<Response> => {
    const kit = createScimKit({ provider: 'd1' })
    const answered = await ask(await pushedOrganization(kit), kit.context)
    return answered.ok ? new Response() : problemResponse(answered.error)
  }

const inOrganization = ({ id }: PushedOrganization) =>
  ({ caller: { type: 'system' }, organization: id }) as const

const broken = () => Promise.reject(new Error('no such table'))

/** Asks for dead letters to be tried again, where there are such. */
async function requeueing(letters: 'none' | 'delivered' | 'many'): Promise<Response> {
  const { owner, organization, path } = await smallTeam()
  const last = { none: 0, delivered: 1, many: 10_001 }[letters]
  const state = letters === 'many' ? 'dead' : 'delivered'
  await testEnv.DB.prepare(
    `WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?2)
     INSERT INTO seatgate_sink_dead_letters
     SELECT ?1, 'log', n, n, 'a.b', ?3, 'no', 1, 1, 1 FROM numbers WHERE n <= ?2`
  )
    .bind(organization.id, last, state)
    .run()
  const sink = { id: 'log', deliver: async () => ({ outcome: 'delivered' }) as const }
  const client = embedded({ sinks: [sink] })
  const body = letters === 'many' ? {} : { sequence: 1 }
  return client.post(`${path}/audit/sinks/log/dead-letters/requeue`, body, asUser(owner))
}

/** One way to each code. A code without a way does not compile. */
const ways = {
  unauthenticated: { status: 401, ask: () => host.get('/organizations') },
  insufficient_role: {
    status: 403,
    ask: async () => {
      const { member, path } = await smallTeam()
      return host.get(`${path}/audit`, member.token)
    },
  },
  insufficient_permission: {
    status: 403,
    beside: { requiredPermission: 'members:manage' },
    ask: async () => {
      const { member, organization } = await smallTeam()
      return page(`/o/${organization.id}/managers`, asUser(member))
    },
  },
  organization_not_found: {
    status: 404,
    ask: async () => host.get('/organizations/no-such', (await person()).token),
  },
  not_found: {
    status: 404,
    ask: async () => {
      const { owner, candidate, path } = await smallTeam()
      return host.delete(`${path}/members/${candidate.userId}`, owner.token)
    },
  },
  not_pending: {
    status: 409,
    ask: async () => {
      const { owner, path, invitation } = await invitedTeam()
      await host.delete(`${path}/invitations/${invitation.id}`, owner.token)
      return host.delete(`${path}/invitations/${invitation.id}`, owner.token)
    },
  },
  domain_not_verified: {
    status: 409,
    ask: async () => {
      const { owner, path } = await smallTeam()
      const client = embedded()
      const domain = `${crypto.randomUUID()}.example`
      const added = await client.post(`${path}/domains`, { domain }, asUser(owner))
      const { id } = await added.json<{ id: string }>()
      return client.post(`${path}/domains/${id}/verify`, undefined, asUser(owner))
    },
  },
  address_not_allowed: {
    status: 403,
    ask: pushing((organization, context) =>
      createScimUser(context, inOrganization(organization), {
        ...organization.person('ann'),
        userName: 'ann@elsewhere.example',
      })
    ),
  },
  not_unique: {
    status: 409,
    ask: pushing(async (organization, context) => {
      await organization.push('ann')
      return createScimUser(context, inOrganization(organization), organization.person('ann'))
    }),
  },
  version_mismatch: {
    status: 412,
    ask: pushing(async (organization, context) => {
      const { id } = await organization.push('ann')
      return deleteScimUser(context, inOrganization(organization), id, { ifMatch: 'W/"0"' })
    }),
  },
  scim_invalid: {
    status: 400,
    beside: { scimType: 'invalidSyntax', detail: expect.any(String) },
    ask: pushing((organization, context) =>
      createScimUser(context, inOrganization(organization), {})
    ),
  },
  domain_taken: {
    status: 409,
    ask: async () => {
      const client = embedded({ joining: joinRules({ verifyDomain: () => true }) })
      const domain = `${crypto.randomUUID()}.example`
      const verify = async () => {
        const { owner, path } = await smallTeam()
        const added = await client.post(`${path}/domains`, { domain }, asUser(owner))
        const { id } = await added.json<{ id: string }>()
        return client.post(`${path}/domains/${id}/verify`, undefined, asUser(owner))
      }
      await verify()
      return verify()
    },
  },
  email_mismatch: {
    status: 403,
    ask: async () => {
      const { invitation } = await invitedTeam()
      const { token } = invitation
      const input = { token, email: 'other@example.com', password: PASSWORD }
      return host.post('/invitations/accept-with-signup', input)
    },
  },
  invitation_invalid: {
    status: 404,
    ask: async () => host.post('/invitations/accept', { token: 'x' }, (await person()).token),
  },
  invitation_mismatch: {
    status: 403,
    ask: async () => {
      const { member, accept } = await invitedTeam()
      return accept(member)
    },
  },
  invitation_expired: {
    status: 410,
    ask: async () => {
      const { invitation, candidate, accept } = await invitedTeam()
      await testEnv.DB.prepare('UPDATE seatgate_invitations SET expires_at = 1 WHERE id = ?')
        .bind(invitation.id)
        .run()
      return accept(candidate)
    },
  },
  invitation_revoked: {
    status: 410,
    ask: async () => {
      const { owner, path, invitation, candidate, accept } = await invitedTeam()
      await host.delete(`${path}/invitations/${invitation.id}`, owner.token)
      return accept(candidate)
    },
  },
  invitation_declined: {
    status: 410,
    ask: async () => {
      const { invitation, candidate, accept } = await invitedTeam()
      const { token } = invitation
      await host.post('/invitations/decline', { token })
      return accept(candidate)
    },
  },
  invitation_already_accepted: {
    status: 409,
    ask: async () => {
      const { candidate, accept } = await invitedTeam()
      await accept(candidate)
      return accept(await person())
    },
  },
  role_not_configured: {
    status: 409,
    ask: async () => {
      const { invitation, candidate, accept } = await invitedTeam()
      await testEnv.DB.prepare("UPDATE seatgate_invitations SET role = 'editor' WHERE id = ?")
        .bind(invitation.id)
        .run()
      return accept(candidate)
    },
  },
  rate_limited: {
    status: 429,
    beside: { retryAfterSeconds: 86_400 },
    ask: async () => {
      const { invitation, candidate } = await invitedTeam()
      const { token } = invitation
      const strict = embedded({ invitationLimits: { failedAccepts: 0 } })
      return strict.post('/invitations/accept', { token }, asUser(candidate))
    },
  },
  rate_limited_user: {
    status: 429,
    beside: { retryAfterSeconds: 86_400 },
    ask: () => inviteWith({ perUser: 0 }),
  },
  rate_limited_organization: {
    status: 429,
    beside: { retryAfterSeconds: 86_400 },
    ask: () => inviteWith({ perOrganization: 0 }),
  },
  already_member: {
    status: 409,
    ask: async () => {
      const { owner, member, path } = await smallTeam()
      const input = { userId: member.userId, role: 'admin' }
      return host.post(`${path}/members`, input, owner.token)
    },
  },
  last_owner: {
    status: 409,
    ask: async () => {
      const { owner, path } = await smallTeam()
      return host.delete(`${path}/members/${owner.userId}`, owner.token)
    },
  },
  outdated_version: {
    status: 409,
    beside: { limit: 5, version: 7 },
    ask: async () => {
      const { path } = await smallTeam()
      const byOperator = embedded()
      await byOperator.put(`${path}/seats/limit`, { limit: 5, version: 7 }, anOperator)
      return byOperator.put(`${path}/seats/limit`, { limit: 4, version: 6 }, anOperator)
    },
  },
  link_used_up: {
    status: 410,
    ask: async () => {
      const { owner, candidate, member, path } = await smallTeam()
      const joining = joinRules({ verifyDomain: () => true, links: {} })
      const client = embedded({ joining })
      const made = await client.post(
        `${path}/invite-links`,
        { role: 'member', maxUses: 1 },
        asUser(owner)
      )
      const { token } = await made.json<{ token: string }>()
      await client.post('/invite-links/join', { token }, asUser(candidate))
      const other = await person()
      expect((await client.post('/invite-links/join', { token }, asUser(member))).status).toBe(201)
      return client.post('/invite-links/join', { token }, asUser(other))
    },
  },
  owned_limit_reached: {
    status: 409,
    beside: { limit: 0, used: 0 },
    ask: async () => {
      const client = embedded({ limits: userLimits({ owned: 0 }) })
      return client.post('/organizations', { name: 'Acme' }, asUser(await person()))
    },
  },
  membership_limit_reached: {
    status: 409,
    beside: { limit: 1, used: 1 },
    ask: async () => {
      const { owner, path } = await smallTeam()
      const client = embedded({ limits: userLimits({ memberships: 1 }) })
      const { userId } = (await smallTeam()).member
      return client.post(`${path}/members`, { userId, role: 'member' }, asUser(owner))
    },
  },
  seat_limit_reached: {
    status: 409,
    beside: { limit: 1, used: 2 },
    ask: async () => {
      const { organization, join } = await smallTeam()
      await limitTo(organization, 1)
      return join()
    },
  },
  not_a_member: {
    status: 404,
    ask: async () => {
      const { owner, candidate, path } = await smallTeam()
      return host.post(
        `${path}/transfer`,
        { userId: candidate.userId, password: PASSWORD },
        owner.token
      )
    },
  },
  no_active_organization: { status: 409, ask: () => page('/active', 'user:nobody') },
  no_session: {
    status: 401,
    ask: () => embedded().put('/active-organization', { organizationId: null }, 'user:somebody'),
  },
  no_scope: {
    status: 401,
    ask: () => embedded().put('/active-organization', { organizationId: null }, aMachine()),
  },
  invalid_password: {
    status: 403,
    ask: async () => {
      const { owner, organization, path } = await smallTeam()
      const input = { confirmName: organization.name, password: 'wrong' }
      return embedded().send('DELETE', path, input, asUser(owner))
    },
  },
  step_up_required: {
    status: 403,
    ask: async () => {
      const { organization, path } = await smallTeam()
      const { id, slug } = organization
      const input = { slug: `${slug}-2`, confirmSlug: slug, password: PASSWORD }
      return embedded().post(`${path}/slug`, input, aMachine(id))
    },
  },
  step_up_failed: {
    status: 403,
    ask: async () => {
      const { owner, organization, path } = await smallTeam()
      const input = { confirmName: organization.name, stepUpProof: '000000' }
      return embedded({ stepUp: () => false }).send('DELETE', path, input, asUser(owner))
    },
  },
  stale_sudo: { status: 403, ask: () => page('/sudo', 'user:somebody') },
  org_mfa_required: {
    status: 403,
    beside: {
      enrollmentPath: '/users/settings/mfa',
      returnTo: expect.stringMatching(/^\/o\/[^/]+\/guarded\?tab=1$/),
    },
    ask: async () => {
      const { owner, organization } = await smallTeam()
      await testEnv.DB.prepare(
        'UPDATE seatgate_organizations SET enforce_mfa_for_members = 1 WHERE id = ?'
      )
        .bind(organization.id)
        .run()
      return page(`/o/${organization.slug}/guarded?tab=1`, asUser(owner))
    },
  },
  admin_must_enroll_first: {
    status: 409,
    ask: async () => {
      const { owner, organization } = await smallTeam()
      return page(`/o/${organization.slug}/policy`, asUser(owner))
    },
  },
  mfa_policy_aborted: {
    status: 503,
    ask: async () => {
      const { owner, organization } = await smallTeam()
      return page(`/o/${organization.slug}/policy-lost`, asUser(owner))
    },
  },
  hook_refused: {
    status: 403,
    beside: { reason: 'no_guests', detail: 'Ask your account manager.' },
    ask: async () => {
      const { owner, join } = await smallTeam()
      const beforeAddMember = () => refuse('no_guests', 'Ask your account manager.')
      return join(embedded({ hooks: { beforeAddMember } }), asUser(owner))
    },
  },
  host_conflict: {
    status: 409,
    ask: async () => {
      const { owner, join } = await smallTeam()
      await testEnv.DB.exec(
        "CREATE TRIGGER closed BEFORE INSERT ON seatgate_memberships BEGIN SELECT RAISE(ABORT, 'closed'); END"
      )
      const answer = await join(embedded({}), asUser(owner))
      await testEnv.DB.exec('DROP TRIGGER closed')
      return answer
    },
  },
  hook_failed: {
    status: 503,
    ask: async () => {
      const { owner, join } = await smallTeam()
      return join(embedded({ hooks: { beforeAddMember: broken } }), asUser(owner))
    },
  },
  operation_in_progress: {
    status: 409,
    ask: async () => {
      const { candidate, organization, join } = await smallTeam()
      await reserveFor(candidate, organization.id)
      return join()
    },
  },
  idempotency_mismatch: {
    status: 422,
    ask: async () => {
      const { token } = await person()
      const headers = { 'idempotency-key': 'once' }
      await host.post('/organizations', { name: 'Acme', slug: 'for-mismatch' }, token, headers)
      return host.post('/organizations', { name: 'Other' }, token, headers)
    },
  },
  stored_result_unreadable: {
    status: 410,
    ask: async () => {
      const { owner, candidate, path } = await smallTeam()
      const input = { email: candidate.email, role: 'member' }
      const invite = (client: Client) =>
        client.post(`${path}/invitations`, input, asUser(owner), { 'idempotency-key': 'rotated' })
      await invite(embedded())
      return invite(embedded({ secret: `${SECRET}, and another one` }))
    },
  },
  not_dead: { status: 409, ask: () => requeueing('none') },
  already_replayed: { status: 409, ask: () => requeueing('delivered') },
  too_many: { status: 409, ask: () => requeueing('many') },
  role_in_use: {
    status: 409,
    beside: { uses: { members: 1 } },
    ask: async () => {
      const kit = createRolesKit()
      const organization = await kit.organization()
      await join(kit, organization, await roleOf(kit, organization, []))
      return kit.client.delete(
        `/organizations/${organization.id}/roles/auditor`,
        asUser({ userId: organization.owner })
      )
    },
  },
  validation_error: {
    status: 422,
    beside: { errors: { name: [expect.any(String)], slug: [expect.any(String)] } },
    ask: async () =>
      host.post('/organizations', { slug: '1-first-is-digit' }, (await person()).token),
  },
  before_horizon: {
    status: 410,
    beside: { horizon: 3 },
    ask: async () => {
      const { sealedOne, daysLater, purge } = retaining(days(30))
      const id = await sealedOne(3)
      daysLater(31)
      await purge(id)
      const owner = asUser({ userId: owners.get(id)! })
      return embedded().get(`/organizations/${id}/audit?after_sequence=1`, owner)
    },
  },
  invalid_cursor: {
    status: 400,
    ask: async () => host.get('/organizations?cursor=x', (await person()).token),
  },
  invalid_json: {
    status: 400,
    ask: async () => host.post('/organizations', '{', (await person()).token),
  },
  invalid_encoding: {
    status: 400,
    ask: async () => host.get('/organizations?cursor=%E9', (await person()).token),
  },
  unsupported_media_type: {
    status: 415,
    ask: async () => {
      const { token } = await person()
      return host.post('/organizations', '{}', token, { 'content-type': 'text/plain' })
    },
  },
  cross_site_request: {
    status: 403,
    ask: () =>
      host.post('/organizations', {}, null, { cookie: 'a=b', origin: 'https://evil.example' }),
  },
  payload_too_large: {
    status: 413,
    ask: async () => host.post('/organizations', 'x'.repeat(70_000), (await person()).token),
  },
  no_subscription: {
    status: 409,
    ask: async () => {
      const test = connected()
      const { owner, id } = await test.customer()
      return test.ask(owner, 'PUT', `/organizations/${id}/billing/seats`, { seats: 4 })
    },
  },
  already_subscribed: {
    status: 409,
    ask: async () => {
      const test = connected()
      const { owner, id } = await test.subscribed(4)
      return test.ask(owner, 'POST', `/organizations/${id}/billing/checkout`, { plan: 'team' })
    },
  },
  invalid_state: {
    status: 409,
    ask: async () => {
      const test = connected()
      const { owner, id } = await test.subscribed(4)
      return test.ask(owner, 'POST', `/organizations/${id}/billing/resume`)
    },
  },
  seats_in_use: {
    status: 409,
    beside: {
      mustFree: {
        seats: 1,
        candidates: [expect.objectContaining({ role: 'member' })],
        invitations: [],
      },
    },
    ask: async () => {
      const test = connected()
      const organization = await test.subscribed(4)
      await test.join(organization)
      const { owner, id } = organization
      return test.ask(owner, 'PUT', `/organizations/${id}/billing/seats`, { seats: 1 })
    },
  },
  provider_refused: {
    status: 409,
    ask: async () => {
      const test = connected()
      const { owner, id } = await test.customer()
      test.standIn.fault = () => ({ status: 400 })
      return test.ask(owner, 'POST', `/organizations/${id}/billing/portal`)
    },
  },
  provider_unavailable: {
    status: 503,
    ask: async () => {
      const test = connected()
      const { owner, id } = await test.customer()
      test.standIn.fault = () => ({ status: 503 })
      return test.ask(owner, 'POST', `/organizations/${id}/billing/portal`)
    },
  },
  seats_unavailable: {
    status: 503,
    ask: async () => {
      const { owner, join } = await smallTeam()
      const seats = ledgerSeats(ledgersThat('everything', broken))
      return join(embedded({ seats }), asUser(owner))
    },
  },
  unavailable: {
    status: 503,
    ask: () =>
      embedded({ database: { batch: broken, select: dud } as never }).get(
        '/organizations',
        'user:x'
      ),
  },
  schema_mismatch: {
    status: 503,
    ask: () => {
      const error = new Error('D1_ERROR: no such table: seatgate_schema: SQLITE_ERROR')
      const without = new Proxy(testEnv.DB, {
        get: (target, key) =>
          key === 'batch' ? () => Promise.reject(error) : target.prepare.bind(target),
      })
      return embedded({ database: drizzle(without) }).get('/organizations', 'user:x')
    },
  },
} satisfies Record<RefusalCode, Case>

const cases = Object.entries(ways) as [RefusalCode, Case][]

/** Second ways, where a code carries more on one of them. */
const more: [RefusalCode, Case][] = [
  [
    'last_owner',
    {
      status: 409,
      beside: {
        organizations: [{ id: expect.any(String), name: 'Acme', slug: expect.any(String) }],
      },
      ask: async () => {
        const { owner } = await smallTeam()
        return host.send('DELETE', '/users/me', { password: 'any' }, owner.token)
      },
    },
  ],
  [
    'insufficient_role',
    {
      status: 403,
      beside: { requiredRoles: ['owner'] },
      ask: async () => {
        const { member, organization } = await smallTeam()
        return page(`/o/${organization.id}/owners`, asUser(member))
      },
    },
  ],
]

it.each(shareOf([...cases, ...more], 20))(
  '%s is a problem with its status only',
  async (code, way) => {
    const response = await way.ask()
    expect(response.status).toBe(way.status)
    expect(response.headers.get('content-type')).toBe('application/problem+json')
    const again = { 503: '5', 429: '86400' }[way.status] ?? null
    expect(response.headers.get('retry-after')).toBe(again)
    // A12: what a 401 must have (RFC 9110), and what keeps an answer out of caches.
    expect(response.headers.get('www-authenticate')).toBe(way.status === 401 ? 'Bearer' : null)
    expect(response.headers.get('cache-control')).toBe('no-store')
    const body: object = await response.json()
    expect(body).toEqual({
      type: `urn:seatgate:refusal:${code}`,
      title: expect.stringMatching(/^[A-Z].*\w$/),
      status: way.status,
      code,
      ...way.beside,
    })
    expect(statusOf(code)).toBe(way.status)
  }
)

it('answers operation_in_progress while the ledger seats a user that D1 does not know yet', async () => {
  const [owner, guest] = (await people(2)) as [Person, Person]
  const { id } = await postOrganization(owner)
  await reserveFor(guest, id, { confirmed: true })
  const input = { userId: guest.userId, role: 'member' }
  const answer = await host.post(`/organizations/${id}/members`, input, owner.token)
  expect(await answer.json()).toMatchObject({ status: 409, code: 'operation_in_progress' })
  const rows = await testEnv.DB.prepare('SELECT 1 FROM seatgate_memberships WHERE user_id = ?')
    .bind(guest.userId)
    .all()
  expect(rows.results).toEqual([])
})

/** A small team whose candidate is invited; `accept` uses their token. */
async function invitedTeam() {
  const team = await smallTeam()
  const { organization, owner, candidate } = team
  const invitation = await postInvitation(organization, owner, candidate.email)
  const { token } = invitation
  const accept = (by: Person) => host.post('/invitations/accept', { token }, by.token)
  return { ...team, invitation, accept }
}

async function inviteWith(invitationLimits: Partial<InvitationLimits>): Promise<Response> {
  const { owner, candidate, path } = await smallTeam()
  const input = { email: candidate.email, role: 'member' }
  return embedded({ invitationLimits }).post(`${path}/invitations`, input, asUser(owner))
}

async function reserveFor(holder: Person, organizationId: string, { confirmed = false } = {}) {
  const ledger = testEnv.SEATS.getByName(organizationId)
  const request = {
    organizationId,
    defaultLimit: { kind: 'unlimited' },
    seatId: crypto.randomUUID(),
  } as const
  await ledger.reserve({ ...request, holder: holder.userId, reservationSeconds: 60 })
  if (confirmed) await ledger.confirm({ ...request, until: null })
}

function aMachine(organizationId = crypto.randomUUID()): string {
  const serviceAccountId = crypto.randomUUID()
  return tokenFor({ type: 'service_account', serviceAccountId, organizationId, role: 'admin' })
}

/** A page of a host that uses the middlewares and a function that no ready route calls. */
function page(path: string, token: string): Promise<Response> {
  const seatgate = seatgateWith()
  const authenticate = byName
  const mfaCheck = (_userId: string) => false
  const policy = async (configured: Seatgate, { caller, organization }: OrganizationVariables) => {
    const scope = { caller, organization: organization.id }
    const done = await setMfaPolicy(configured, scope, { enabled: true }, { mfaCheck })
    if (!done.ok) throw new RefusalException(done.error)
    return Response.json(done.value)
  }
  const app = new Hono()
    .get(
      '/active',
      loadActiveOrganization(seatgate, { authenticate }),
      requireMembership(seatgate),
      (c) => c.text('in')
    )
    .get(
      '/sudo',
      loadActiveOrganization(seatgate, { authenticate }),
      requireSudo(seatgate, { isFresh: () => false }),
      (c) => c.text('in')
    )
    .use('/o/:org/*', loadOrganizationFromSlug(seatgate, { authenticate }))
    .get('/o/:org/owners', requireRole(seatgate, 'owner'), (c) => c.text('in'))
    .get('/o/:org/managers', requirePermission(seatgate, 'members:manage'), (c) => c.text('in'))
    .get('/o/:org/guarded', requireOrganizationMfa(seatgate, { mfaCheck }), (c) => c.text('in'))
    .get('/o/:org/policy', (c) => policy(seatgate, c.var))
    .get('/o/:org/policy-lost', (c) => {
      const database = { batch: broken, select: dud } as never
      return policy(seatgateWith({ database }), c.var)
    })
  return clientOf((url, init) => app.request(url, init)).get(path, token)
}

// Builds nothing: enough of a database to be asked and to fail.
function dud(): unknown {
  const chain: unknown = new Proxy(() => chain, { get: () => () => chain })
  return chain
}
