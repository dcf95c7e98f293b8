/**
 * Who may do what: every route for everybody.
 *
 * @module
 */
import { describe, expect, it } from 'vitest'
import { deleteAccount, registration, signIn } from '../../../host/identity/routes.ts'
import { StripeStandIn } from '../../../host/billing/stand-in.ts'
import { paymentRoutes, seatgateRouter, statusOf, stepUpRoutes } from '../../../src/hono/index.ts'
import { addToGroup, createGroup, groupRoutes, groups } from '../../../src/hono/groups/index.ts'
import { apiKeys, authenticateKeys, createApiKey, keyRoutes } from '../../../src/hono/keys/index.ts'
import {
  authenticateImpersonation,
  impersonation,
  impersonationRoutes,
} from '../../../src/hono/impersonation/index.ts'
import { createRole, roleRoutes } from '../../../src/hono/roles/index.ts'
import { billing, generateLogKey } from '../../../src/index.ts'
import type {
  InvitationWithToken,
  Organization,
  Principal,
  RefusalCode,
} from '../../../src/index.ts'
import { sha256 } from '../../../src/proof/encoding.ts'
import { connectBilling, putCustomer, reconcileCustomer } from '../../../src/parts/billing/index.ts'
import { stripe } from '../../../src/parts/billing/stripe/index.ts'
import {
  actingAs,
  adapterOf,
  byName,
  isStaff,
  REASON,
  clientOf,
  db,
  Hono,
  hostOf,
  postInvitation,
  postOrganization,
  people,
  rowCounts,
  seatgateWith,
  seatgateWithRoles,
  tokenFor,
  type Person,
  headersOf,
  copyOf,
  originalOf,
  type Original,
  freshSlug,
  PASSWORD,
  unhashed,
  unwrap,
  shareOf,
} from '../../kit/index.ts'

/**
 * Who asks:
 *
 * - `nob` nobody; `out` somebody who is in no organization; `els` the owner of another one
 * - `sus` a suspended member, `mem` a member, `adm` an admin, `own` an owner
 * - `ope` an operator of the platform; `asm` one who acts as the member, `aso` one as the owner
 * - `imm` the token of an impersonation of the member, `imo` of the owner
 * - `mam` `maa` `mao` a service account of the organization that is member, admin, owner there; `mae`
 *   one of another organization that is owner there
 * - `kya` an API key of the organization that is admin there; `kye` one of another organization
 * - `sys` the host itself
 *
 * What they get: the status of a success, or the refusal that {@link REFUSALS} names. `:org` stands
 * for `/organizations/:org`. `[owner]`: the other person is an owner, or joins as one. `[self]`: the
 * other person is who asks. Of the routes that take a token it is the one that was sent to who asks, or
 * to somebody else if there is none: a member cannot be invited.
 */
const TABLE = `
                                        nob out els sus mem adm own ope asm aso imm imo mam maa mao mae kya kye sys
GET /organizations                      401 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200
POST /organizations                     401 201 201 201 201 201 201 201 201 201 401 401 403 403 403 403 403 403 403
GET :org                                401 404 404 404 200 200 200 404 200 200 200 200 200 200 200 404 200 404 200
PATCH :org                              401 404 404 404 403 200 200 404 403 200 403 200 403 200 200 404 200 404 200
POST :org/slug                          401 404 404 404 403 200 200 404 403 stp 403 stp 403 stp stp 404 stp 404 200
DELETE :org                             401 404 404 404 403 403 204 404 403 stp 403 stp 403 403 stp 404 403 404 204
POST :org/transfer                      401 404 404 404 403 403 200 404 403 stp 403 stp 403 403 403 404 403 404 403
GET :org/members                        401 404 404 404 200 200 200 404 200 200 200 200 200 200 200 404 200 404 200
GET :org/members/count                  401 404 404 404 200 200 200 404 200 200 200 200 200 200 200 404 200 404 200
PUT :org/mfa-policy                     401 404 404 404 403 200 200 404 403 200 403 200 403 200 200 404 200 404 200
POST :org/members/import                401 404 404 404 403 200 200 404 403 403 403 403 403 200 200 404 200 404 200
POST :org/members                       401 404 404 404 403 201 201 404 403 201 403 201 403 201 201 404 201 404 201
POST :org/members [owner]               401 404 404 404 403 403 201 404 403 201 403 201 403 403 201 404 403 404 201
PATCH :org/members/:id                  401 404 404 404 403 200 200 404 403 200 403 200 403 200 200 404 200 404 200
PATCH :org/members/:id [to owner]       401 404 404 404 403 403 200 404 403 200 403 200 403 403 200 404 403 404 200
PATCH :org/members/:id [owner]          401 404 404 404 403 403 200 404 403 200 403 200 403 403 200 404 403 404 200
PATCH :org/members/:id [self to owner]  401 404 404 404 403 403 200 404 403 200 403 200 403 403 200 404 403 404 200
DELETE :org/members/:id                 401 404 404 404 403 204 204 404 403 204 403 204 403 204 204 404 204 404 204
DELETE :org/members/:id [owner]         401 404 404 404 403 403 204 404 403 204 403 204 403 403 204 404 403 404 204
DELETE :org/members/:id [self]          401 404 404 404 204 204 204 404 204 204 204 204 403 204 204 404 204 404 204
POST :org/members/:id/suspend           401 404 404 404 403 200 200 404 403 200 403 200 403 200 200 404 200 404 200
POST :org/members/:id/suspend [owner]   401 404 404 404 403 403 200 404 403 200 403 200 403 403 200 404 403 404 200
POST :org/members/:id/restore           401 404 404 404 403 200 200 404 403 200 403 200 403 200 200 404 200 404 200
POST :org/members/:id/restore [owner]   401 404 404 404 403 403 200 404 403 200 403 200 403 403 200 404 403 404 200
GET :org/invitations                    401 404 404 404 200 200 200 404 200 200 200 200 200 200 200 404 200 404 200
POST :org/invitations                   401 404 404 404 403 201 201 404 403 403 403 403 403 201 201 404 201 404 201
POST :org/invitations [owner]           401 404 404 404 403 403 201 404 403 403 403 403 403 403 201 404 403 404 201
POST :org/invitations/bulk              401 404 404 404 403 200 200 404 403 403 403 403 403 200 200 404 200 404 200
PATCH :org/invitations/:id              401 404 404 404 403 200 200 404 403 200 403 200 403 200 200 404 200 404 200
PATCH :org/invitations/:id [owner]      401 404 404 404 403 403 200 404 403 200 403 200 403 403 200 404 403 404 200
POST :org/invitations/:id/resend        401 404 404 404 403 200 200 404 403 403 403 403 403 200 200 404 200 404 200
POST :org/invitations/:id/resend [owner] 401 404 404 404 403 403 200 404 403 403 403 403 403 403 200 404 403 404 200
DELETE :org/invitations/:id             401 404 404 404 403 204 204 404 403 204 403 204 403 204 204 404 204 404 204
DELETE :org/invitations/:id [owner]     401 404 404 404 403 204 204 404 403 204 403 204 403 204 204 404 204 404 204
GET :org/seats                          401 404 404 404 200 200 200 200 200 200 200 200 200 200 200 404 200 404 200
PUT :org/seats/limit                    401 404 404 404 403 403 403 200 403 403 403 403 403 403 403 404 403 404 200
GET :org/seats/explain                  401 404 404 404 403 200 200 404 403 200 403 200 403 200 200 404 200 404 200
GET :org/billing                        401 404 404 404 403 200 200 404 403 200 403 200 403 200 200 404 200 404 200
POST :org/billing/checkout              401 404 404 404 403 201 201 404 403 403 403 403 403 201 201 404 201 404 201
POST :org/billing/portal                401 404 404 404 403 201 201 404 403 403 403 403 403 201 201 404 201 404 201
POST :org/billing/preview               401 404 404 404 403 200 200 404 403 403 403 403 403 200 200 404 200 404 200
PUT :org/billing/seats                  401 404 404 404 403 202 202 404 403 403 403 403 403 202 202 404 202 404 202
PUT :org/billing/seats [remove]         401 404 404 404 403 202 202 404 403 403 403 403 403 202 202 404 202 404 202
PUT :org/billing/seats [remove owner]   401 404 404 404 403 403 202 404 403 403 403 403 403 403 202 404 403 404 202
POST :org/billing/cancel                401 404 404 404 403 200 200 404 403 403 403 403 403 200 200 404 200 404 200
POST :org/billing/resume                401 404 404 404 403 200 200 404 403 403 403 403 403 200 200 404 200 404 200
GET :org/audit                          401 404 404 404 403 200 200 404 403 200 403 200 403 200 200 404 200 404 200
GET :org/audit/count                    401 404 404 404 403 200 200 404 403 200 403 200 403 200 200 404 200 404 200
GET :org/audit/seats                    401 404 404 404 403 200 200 404 403 200 403 200 403 200 200 404 200 404 200
GET :org/domains                        401 404 404 404 403 200 200 404 403 200 403 200 403 200 200 404 200 404 200
POST :org/domains                       401 404 404 404 403 201 201 404 403 201 403 201 403 201 201 404 201 404 201
GET :org/join-requests                  401 404 404 404 403 200 200 404 403 200 403 200 403 200 200 404 200 404 200
GET :org/api-keys                       401 404 404 404 403 200 200 404 403 200 403 200 403 200 200 404 200 404 200
POST :org/api-keys                      401 404 404 404 403 201 201 404 403 403 403 403 403 403 403 404 403 404 201
POST :org/api-keys/:id/rotate           401 404 404 404 403 201 201 404 403 403 403 403 403 403 403 404 403 404 201
DELETE :org/api-keys/:id                401 404 404 404 403 204 204 404 403 204 403 204 403 204 204 404 204 404 204
GET :org/groups                         401 404 404 404 200 200 200 404 200 200 200 200 200 200 200 404 200 404 200
POST :org/groups                        401 404 404 404 403 201 201 404 403 201 403 201 403 201 201 404 201 404 201
PATCH :org/groups/:id                   401 404 404 404 403 200 200 404 403 200 403 200 403 200 200 404 200 404 200
DELETE :org/groups/:id                  401 404 404 404 403 204 204 404 403 204 403 204 403 204 204 404 204 404 204
GET :org/groups/:id/members             401 404 404 404 200 200 200 404 200 200 200 200 200 200 200 404 200 404 200
POST :org/groups/:id/members            401 404 404 404 403 200 200 404 403 200 403 200 403 200 200 404 200 404 200
DELETE :org/groups/:id/members/:userId  401 404 404 404 403 204 204 404 403 204 403 204 403 204 204 404 204 404 204
DELETE :org/groups/:id/members/:userId [self] 401 404 404 404 204 204 204 404 204 204 204 204 403 204 204 404 204 404 204
GET :org/roles                          401 404 404 404 200 200 200 404 200 200 200 200 200 200 200 404 200 404 200
POST :org/roles                         401 404 404 404 403 201 201 404 403 201 403 201 403 201 201 404 201 404 201
PATCH :org/roles/:name                  401 404 404 404 403 200 200 404 403 200 403 200 403 200 200 404 200 404 200
DELETE :org/roles/:name                 401 404 404 404 403 204 204 404 403 204 403 204 403 204 204 404 204 404 204
GET :org/impersonations                 401 404 404 404 403 200 200 404 403 200 403 200 403 200 200 404 200 404 200
GET /joinable-organizations             401 200 200 200 200 200 200 200 200 200 401 401 200 200 200 200 200 200 200
GET /o/:org                             401 404 404 404 200 200 200 404 200 200 200 200 200 200 200 404 200 404 200
GET /active-organization                401 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200
PUT /active-organization                401 nam nam nam 200 200 200 nam 200 200 nss nss nos nos nos nos nos nos nos
POST /organizations/switch              401 404 404 404 303 303 303 404 303 303 404 404 404 404 404 404 404 404 404
GET /invitations                        401 200 200 200 200 200 200 200 200 200 401 401 200 200 200 200 200 200 200
POST /invitations/view                  200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200
POST /invitations/accept                401 200 200 mis mis mis mis 200 mis mis 401 401 inv inv inv inv inv inv inv
POST /invitations/decline               204 204 204 mis mis mis mis 204 mis mis 401 401 204 204 204 204 204 204 204
POST /invitations/accept-with-signup    201 201 201 201 201 201 201 201 201 201 201 201 201 201 201 201 201 201 201
POST /step-up/challenge                 401 200 200 200 200 200 200 200 401 401 401 401 401 401 401 401 401 401 401
POST /step-up                           401 200 200 200 200 200 200 200 401 401 401 401 401 401 401 401 401 401 401
DELETE /step-up                         401 204 204 204 204 204 204 204 401 401 401 401 401 401 401 401 401 401 401
GET /operator/organizations             401 403 403 403 403 403 403 200 403 403 401 401 403 403 403 403 403 403 200
GET /operator/organizations/:org        401 404 404 404 404 404 404 200 404 404 401 401 404 404 404 404 404 404 200
POST /operator/organizations/:org/restore 401 404 404 404 404 404 404 200 404 404 401 401 404 404 404 404 404 404 200
GET /operator/organizations/:org/entitlement 401 404 404 404 404 404 404 200 404 404 401 401 404 404 404 404 404 404 200
PUT /operator/organizations/:org/entitlement 401 404 404 404 404 404 404 200 404 404 404 404 404 404 404 404 404 404 200
GET /operator/organizations/:org/seats/verify 401 404 404 404 404 404 404 200 404 404 404 404 404 404 404 404 404 404 200
POST /operator/organizations/:org/seats/rebuild 401 404 404 404 404 404 404 200 404 404 404 404 404 404 404 404 404 404 200
GET /operator/organizations/:org/audit  401 404 404 404 404 404 404 200 404 404 401 401 404 404 404 404 404 404 200
GET /operator/organizations/:org/audit/count 401 404 404 404 404 404 404 200 404 404 401 401 404 404 404 404 404 404 200
GET /operator/health                    401 403 403 403 403 403 403 200 403 403 401 401 403 403 403 403 403 403 200
GET /operator/audit                     401 403 403 403 403 403 403 200 403 403 401 401 403 403 403 403 403 403 200
GET /operator/users/:userId/audit       401 403 403 403 403 403 403 200 403 403 401 401 403 403 403 403 403 403 200
GET /operator/impersonations            401 403 403 403 403 403 403 200 403 403 401 401 403 403 403 403 403 403 200
POST /operator/organizations/:org/impersonations 401 404 404 404 404 404 404 201 404 404 404 404 404 404 404 404 404 404 stp
DELETE /operator/organizations/:org/impersonations/:id 401 404 404 404 404 404 404 204 404 404 404 404 404 404 404 404 404 404 204
DELETE /users/me                        401 204 409 204 204 204 204 204 stp stp 401 401 403 403 403 403 403 403 403
`

const REFUSALS: Readonly<Record<string, RefusalCode>> = {
  '401': 'unauthenticated',
  nos: 'no_scope',
  nss: 'no_session',
  '403': 'insufficient_role',
  stp: 'step_up_required',
  '404': 'organization_not_found',
  nam: 'not_a_member',
  '409': 'last_owner',
  mis: 'invitation_mismatch',
  inv: 'invitation_invalid',
}

interface Team {
  readonly organization: Organization
  readonly owner: Person
  /** Another owner. */
  readonly second: Person
  readonly admin: Person
  readonly member: Person
  /** Another member. */
  readonly peer: Person
  /** A suspended member. */
  readonly suspended: Person
  /** A suspended owner. */
  readonly retired: Person
  readonly outsider: Person
  readonly candidate: Person
  /** The owner of another organization, alone there. */
  readonly foreigner: Person
  readonly foreign: Organization
  /** Somebody who is invited, as a member and as an owner. */
  readonly invited: InvitationWithToken
  readonly heir: InvitationWithToken
  /** The invitations of those who are invited and no members. */
  readonly sent: readonly InvitationWithToken[]
  /** An API key, for the rows about one. */
  readonly keyId?: string
  /** An impersonation, for the row about one. */
  readonly actingId?: string
  readonly groupId?: string
}

interface Actor {
  readonly person?: (team: Team) => Person
  readonly principal: (team: Team) => Promise<Principal | null>
  /** The token, if the caller is looked up by it. */
  readonly token?: (team: Team) => Promise<string>
}

const machine = (role: string, where: 'organization' | 'foreign' = 'organization'): Actor => ({
  principal: async (team) => ({
    type: 'service_account',
    serviceAccountId: 'machine',
    organizationId: team[where].id,
    role,
  }),
})

const somebody = (person: (team: Team) => Person, more: object = {}): Actor => ({
  person,
  async principal(team) {
    const { userId, token } = person(team)
    const session = { id: await sha256(token), activeOrganizationId: null }
    return { userId, session, ...more }
  },
})

const keyed = (where: 'organization' | 'foreign'): Actor => ({
  principal: async () => null,
  async token(team) {
    const scope = { caller: { type: 'system' }, organization: team[where].id } as const
    const created = unwrap(await createApiKey(seatgate, scope, { name: 'CI', role: 'admin' }))
    return created.key!
  },
})

const impersonated = (person: (team: Team) => Person): Actor => ({
  person,
  principal: async () => null,
  token: async (team) => (await started(team, person(team).userId)).token,
})

/** Each by an operator of its own, who has at most ten at once. */
const started = ({ organization, owner }: Team, userId: string) =>
  actingAs(
    seatgate,
    { ...organization, owner: owner.userId },
    { userId },
    { userId: `operator ${crypto.randomUUID()}`, operator: true }
  )

const acting = { operator: true, impersonatedBy: 'operations' }

const ACTORS: Readonly<Record<string, Actor>> = {
  nob: { principal: async () => null },
  out: somebody(({ outsider }) => outsider),
  els: somebody(({ foreigner }) => foreigner),
  sus: somebody(({ suspended }) => suspended),
  mem: somebody(({ member }) => member),
  adm: somebody(({ admin }) => admin),
  own: somebody(({ owner }) => owner),
  ope: somebody(({ outsider }) => outsider, { operator: true }),
  asm: somebody(({ member }) => member, acting),
  aso: somebody(({ owner }) => owner, acting),
  imm: impersonated(({ member }) => member),
  imo: impersonated(({ owner }) => owner),
  mam: machine('member'),
  maa: machine('admin'),
  mao: machine('owner'),
  mae: machine('owner', 'foreign'),
  kya: keyed('organization'),
  kye: keyed('foreign'),
  sys: { principal: async () => ({ type: 'system' }) },
}

type Named = Pick<Organization, 'id' | 'name' | 'slug'>

/** What is asked for, of the organization `about`. */
interface Request {
  readonly method: string
  readonly path: string
  readonly body?: object | undefined
  /** A file in place of a body. */
  readonly csv?: string
}

type Ask = (team: Team, about: Named, self: Person) => Request

const members = ({ id }: Named, person?: Person, end = '') =>
  `/organizations/${id}/members${person ? `/${person.userId}` : ''}${end}`
const invitations = ({ id }: Named, invitation?: InvitationWithToken, end = '') =>
  `/organizations/${id}/invitations${invitation ? `/${invitation.id}` : ''}${end}`
const operator = (method: string, { id }: Named, end = '') => ({
  method,
  path: `/operator/organizations/${id}${end}`,
})
const paying = (method: string, { id }: Named, end: string, body?: object) => ({
  method,
  path: `/organizations/${id}/billing${end}`,
  body,
})
const password = PASSWORD
const tokenOf = ({ sent, invited }: Team, person: Person) => ({
  token: (sent.find(({ email }) => email === person.email) ?? invited).token,
})

/** A valid request for each row of the table: whoever may is not stopped by anything else. */
const REQUESTS: Readonly<Record<string, Ask>> = {
  'GET /organizations': () => ({ method: 'GET', path: '/organizations' }),
  'POST /organizations': () => ({
    method: 'POST',
    path: '/organizations',
    body: { name: 'New', slug: freshSlug() },
  }),
  'GET :org': (_team, { id }) => ({ method: 'GET', path: `/organizations/${id}` }),
  'PATCH :org': (_team, { id }) => ({
    method: 'PATCH',
    path: `/organizations/${id}`,
    body: { name: 'Renamed' },
  }),
  'POST :org/slug': (_team, { id, slug }) => ({
    method: 'POST',
    path: `/organizations/${id}/slug`,
    body: { slug: freshSlug(), confirmSlug: slug, password },
  }),
  'DELETE :org': (_team, { id, name }) => ({
    method: 'DELETE',
    path: `/organizations/${id}`,
    body: { confirmName: name, password },
  }),
  'POST :org/transfer': ({ peer }, { id }) => ({
    method: 'POST',
    path: `/organizations/${id}/transfer`,
    body: { userId: peer.userId, password },
  }),
  'GET :org/members': (_team, about) => ({ method: 'GET', path: members(about) }),
  'GET :org/members/count': (_team, about) => ({
    method: 'GET',
    path: members(about, undefined, '/count'),
  }),
  'PUT :org/mfa-policy': (_team, { id }) => ({
    method: 'PUT',
    path: `/organizations/${id}/mfa-policy`,
    body: { enabled: false },
  }),
  'POST :org/members/import': (_team, about) => ({
    method: 'POST',
    path: members(about, undefined, '/import'),
    csv: 'email,role\nnew@example.com,member\n',
  }),
  'POST :org/members': ({ candidate }, about) => ({
    method: 'POST',
    path: members(about),
    body: { userId: candidate.userId, role: 'admin' },
  }),
  'POST :org/members [owner]': ({ candidate }, about) => ({
    method: 'POST',
    path: members(about),
    body: { userId: candidate.userId, role: 'owner' },
  }),
  'PATCH :org/members/:id': ({ peer }, about) => ({
    method: 'PATCH',
    path: members(about, peer),
    body: { role: 'admin' },
  }),
  'PATCH :org/members/:id [to owner]': ({ peer }, about) => ({
    method: 'PATCH',
    path: members(about, peer),
    body: { role: 'owner' },
  }),
  'PATCH :org/members/:id [owner]': ({ second }, about) => ({
    method: 'PATCH',
    path: members(about, second),
    body: { role: 'member' },
  }),
  'PATCH :org/members/:id [self to owner]': (_team, about, self) => ({
    method: 'PATCH',
    path: members(about, self),
    body: { role: 'owner' },
  }),
  'DELETE :org/members/:id': ({ peer }, about) => ({
    method: 'DELETE',
    path: members(about, peer),
  }),
  'DELETE :org/members/:id [owner]': ({ second }, about) => ({
    method: 'DELETE',
    path: members(about, second),
  }),
  'DELETE :org/members/:id [self]': (_team, about, self) => ({
    method: 'DELETE',
    path: members(about, self),
  }),
  'POST :org/members/:id/suspend': ({ peer }, about) => ({
    method: 'POST',
    path: members(about, peer, '/suspend'),
  }),
  'POST :org/members/:id/suspend [owner]': ({ second }, about) => ({
    method: 'POST',
    path: members(about, second, '/suspend'),
  }),
  'POST :org/members/:id/restore': ({ suspended }, about) => ({
    method: 'POST',
    path: members(about, suspended, '/restore'),
  }),
  'POST :org/members/:id/restore [owner]': ({ retired }, about) => ({
    method: 'POST',
    path: members(about, retired, '/restore'),
  }),
  'GET :org/invitations': (_team, about) => ({ method: 'GET', path: invitations(about) }),
  'POST :org/invitations': (_team, about) => ({
    method: 'POST',
    path: invitations(about),
    body: { email: 'new@example.com', role: 'member' },
  }),
  'POST :org/invitations [owner]': (_team, about) => ({
    method: 'POST',
    path: invitations(about),
    body: { email: 'new@example.com', role: 'owner' },
  }),
  'POST :org/invitations/bulk': (_team, about) => ({
    method: 'POST',
    path: invitations(about, undefined, '/bulk'),
    body: { invitations: [{ email: 'new@example.com', role: 'member' }] },
  }),
  'PATCH :org/invitations/:id': ({ invited }, about) => ({
    method: 'PATCH',
    path: invitations(about, invited),
    body: { role: 'admin' },
  }),
  'PATCH :org/invitations/:id [owner]': ({ heir }, about) => ({
    method: 'PATCH',
    path: invitations(about, heir),
    body: { role: 'admin' },
  }),
  'POST :org/invitations/:id/resend': ({ invited }, about) => ({
    method: 'POST',
    path: invitations(about, invited, '/resend'),
  }),
  'POST :org/invitations/:id/resend [owner]': ({ heir }, about) => ({
    method: 'POST',
    path: invitations(about, heir, '/resend'),
  }),
  'DELETE :org/invitations/:id': ({ invited }, about) => ({
    method: 'DELETE',
    path: invitations(about, invited),
  }),
  'DELETE :org/invitations/:id [owner]': ({ heir }, about) => ({
    method: 'DELETE',
    path: invitations(about, heir),
  }),
  'GET :org/seats': (_team, { id }) => ({
    method: 'GET',
    path: `/organizations/${id}/seats`,
  }),
  'PUT :org/seats/limit': (_team, { id }) => ({
    method: 'PUT',
    path: `/organizations/${id}/seats/limit`,
    body: { limit: 50 },
  }),
  'GET :org/seats/explain': (_team, { id }) => ({
    method: 'GET',
    path: `/organizations/${id}/seats/explain`,
  }),
  'GET :org/billing': (_team, { id }) => ({
    method: 'GET',
    path: `/organizations/${id}/billing`,
  }),
  'POST :org/billing/checkout': (_team, about) =>
    paying('POST', about, '/checkout', { plan: 'team', seats: 20 }),
  'POST :org/billing/portal': (_team, about) => paying('POST', about, '/portal'),
  'POST :org/billing/preview': (_team, about) => paying('POST', about, '/preview', { seats: 30 }),
  'PUT :org/billing/seats': (_team, about) => paying('PUT', about, '/seats', { seats: 30 }),
  'PUT :org/billing/seats [remove]': ({ peer }, about) =>
    paying('PUT', about, '/seats', { seats: 15, remove: [peer.userId] }),
  'PUT :org/billing/seats [remove owner]': ({ second }, about) =>
    paying('PUT', about, '/seats', { seats: 15, remove: [second.userId] }),
  'POST :org/billing/cancel': (_team, about) =>
    paying('POST', about, '/cancel', { atPeriodEnd: true }),
  'POST :org/billing/resume': (_team, about) => paying('POST', about, '/resume'),
  'GET :org/audit': (_team, { id }) => ({
    method: 'GET',
    path: `/organizations/${id}/audit`,
  }),
  'GET :org/audit/count': (_team, { id }) => ({
    method: 'GET',
    path: `/organizations/${id}/audit/count`,
  }),
  'GET :org/audit/seats': (_team, { id }) => ({
    method: 'GET',
    path: `/organizations/${id}/audit/seats?at=2030-01-01T00:00:00Z`,
  }),
  'GET :org/domains': (_team, { id }) => ({ method: 'GET', path: `/organizations/${id}/domains` }),
  'POST :org/domains': (_team, { id }) => ({
    method: 'POST',
    path: `/organizations/${id}/domains`,
    body: { domain: `${freshSlug()}.example` },
  }),
  'GET :org/join-requests': (_team, { id }) => ({
    method: 'GET',
    path: `/organizations/${id}/join-requests`,
  }),
  'GET :org/api-keys': (_team, { id }) => ({
    method: 'GET',
    path: `/organizations/${id}/api-keys`,
  }),
  'POST :org/api-keys': (_team, { id }) => ({
    method: 'POST',
    path: `/organizations/${id}/api-keys`,
    body: { name: 'CI', role: 'member' },
  }),
  'POST :org/api-keys/:id/rotate': ({ keyId }, { id }) => ({
    method: 'POST',
    path: `/organizations/${id}/api-keys/${keyId}/rotate`,
    body: {},
  }),
  'DELETE :org/api-keys/:id': ({ keyId }, { id }) => ({
    method: 'DELETE',
    path: `/organizations/${id}/api-keys/${keyId}`,
  }),
  'GET :org/groups': (_team, { id }) => ({ method: 'GET', path: `/organizations/${id}/groups` }),
  'POST :org/groups': (_team, { id }) => ({
    method: 'POST',
    path: `/organizations/${id}/groups`,
    body: { name: freshSlug() },
  }),
  'PATCH :org/groups/:id': ({ groupId }, { id }) => ({
    method: 'PATCH',
    path: `/organizations/${id}/groups/${groupId}`,
    body: { name: freshSlug() },
  }),
  'DELETE :org/groups/:id': ({ groupId }, { id }) => ({
    method: 'DELETE',
    path: `/organizations/${id}/groups/${groupId}`,
  }),
  'GET :org/groups/:id/members': ({ groupId }, { id }) => ({
    method: 'GET',
    path: `/organizations/${id}/groups/${groupId}/members`,
  }),
  'POST :org/groups/:id/members': ({ groupId, peer }, { id }) => ({
    method: 'POST',
    path: `/organizations/${id}/groups/${groupId}/members`,
    body: { userIds: [peer.userId] },
  }),
  'DELETE :org/groups/:id/members/:userId': ({ groupId, second }, { id }) => ({
    method: 'DELETE',
    path: `/organizations/${id}/groups/${groupId}/members/${second.userId}`,
  }),
  'DELETE :org/groups/:id/members/:userId [self]': ({ groupId }, { id }, self) => ({
    method: 'DELETE',
    path: `/organizations/${id}/groups/${groupId}/members/${self.userId}`,
  }),
  'GET :org/roles': (_team, { id }) => ({ method: 'GET', path: `/organizations/${id}/roles` }),
  'POST :org/roles': (_team, { id }) => ({
    method: 'POST',
    path: `/organizations/${id}/roles`,
    body: { name: 'reviewer', permissions: ['members:invite'] },
  }),
  'PATCH :org/roles/:name': (_team, { id }) => ({
    method: 'PATCH',
    path: `/organizations/${id}/roles/auditor`,
    body: { permissions: ['members:invite'] },
  }),
  'DELETE :org/roles/:name': (_team, { id }) => ({
    method: 'DELETE',
    path: `/organizations/${id}/roles/auditor`,
  }),
  'GET :org/impersonations': (_team, { id }) => ({
    method: 'GET',
    path: `/organizations/${id}/impersonations`,
  }),
  'GET /joinable-organizations': () => ({ method: 'GET', path: '/joinable-organizations' }),
  'GET /o/:org': (_team, { slug }) => ({ method: 'GET', path: `/o/${slug}` }),
  'GET /active-organization': () => ({ method: 'GET', path: '/active-organization' }),
  'PUT /active-organization': (_team, { id }) => ({
    method: 'PUT',
    path: '/active-organization',
    body: { organizationId: id },
  }),
  'POST /organizations/switch': (_team, { id }) => ({
    method: 'POST',
    path: '/organizations/switch',
    body: { organization_id: id },
  }),
  'GET /invitations': () => ({ method: 'GET', path: '/invitations' }),
  'POST /invitations/view': (team, _about, self) => ({
    method: 'POST',
    path: '/invitations/view',
    body: tokenOf(team, self),
  }),
  'POST /invitations/accept': (team, _about, self) => ({
    method: 'POST',
    path: '/invitations/accept',
    body: tokenOf(team, self),
  }),
  'POST /invitations/decline': (team, _about, self) => ({
    method: 'POST',
    path: '/invitations/decline',
    body: tokenOf(team, self),
  }),
  'POST /invitations/accept-with-signup': ({ invited: { token, email } }) => ({
    method: 'POST',
    path: '/invitations/accept-with-signup',
    body: { token, email, password },
  }),
  'POST /step-up/challenge': () => ({
    method: 'POST',
    path: '/step-up/challenge',
    body: { action: 'billing.requeue' },
  }),
  'POST /step-up': () => ({
    method: 'POST',
    path: '/step-up',
    body: { action: 'billing.requeue', params: {} },
  }),
  'DELETE /step-up': () => ({ method: 'DELETE', path: '/step-up' }),
  'GET /operator/organizations': () => ({ method: 'GET', path: '/operator/organizations' }),
  'GET /operator/organizations/:org': (_team, about) => operator('GET', about),
  'POST /operator/organizations/:org/restore': (_team, about) =>
    operator('POST', about, '/restore'),
  'GET /operator/organizations/:org/entitlement': (_team, about) =>
    operator('GET', about, '/entitlement'),
  'PUT /operator/organizations/:org/entitlement': (_team, about) => ({
    ...operator('PUT', about, '/entitlement'),
    body: { included: 50, reason: 'contract' },
  }),
  'GET /operator/organizations/:org/seats/verify': (_team, about) =>
    operator('GET', about, '/seats/verify'),
  'POST /operator/organizations/:org/seats/rebuild': (_team, about) =>
    operator('POST', about, '/seats/rebuild'),
  'GET /operator/organizations/:org/audit': (_team, about) => operator('GET', about, '/audit'),
  'GET /operator/organizations/:org/audit/count': (_team, about) =>
    operator('GET', about, '/audit/count'),
  'GET /operator/health': () => ({ method: 'GET', path: '/operator/health' }),
  'GET /operator/audit': () => ({ method: 'GET', path: '/operator/audit' }),
  'GET /operator/users/:userId/audit': ({ member }) => ({
    method: 'GET',
    path: `/operator/users/${member.userId}/audit`,
  }),
  'GET /operator/impersonations': () => ({ method: 'GET', path: '/operator/impersonations' }),
  'POST /operator/organizations/:org/impersonations': ({ member }, about) => ({
    ...operator('POST', about, '/impersonations'),
    body: { userId: member.userId, reason: REASON, minutes: 5, password },
  }),
  'DELETE /operator/organizations/:org/impersonations/:id': ({ actingId }, about) =>
    operator('DELETE', about, `/impersonations/${actingId}`),
  'DELETE /users/me': () => ({ method: 'DELETE', path: '/users/me', body: { password } }),
}

const keys = apiKeys()
const acts = impersonation({ isOperator: isStaff })
const grouped = groups()
const parts = { keys, groups: grouped, impersonation: acts }
const configured = seatgateWith({
  ...parts,
  auditLogKey: (await generateLogKey('audit.example.com')).privateKey,
  lifecycle: { onDelete: deleteAccount(db) },
  registerUser: registration(db, unhashed),
  // A wrong token is counted, which invitation-attempts.test.ts shows; no other refusal writes.
  invitationLimits: { failedAccepts: Infinity },
})
const seatgate = { ...configured, ...parts }
const withRoles = seatgateWithRoles(parts)
const authenticate = authenticateImpersonation(seatgate, authenticateKeys(seatgate, byName))
const router = seatgateRouter(seatgate, { authenticate, signIn: signIn(seatgate) })

const prices = { price_team: { unitAmount: 1000, interval: 'month' } } as const
const standIn = new StripeStandIn({ apiKey: 'sk_test', prices })
const connection = connectBilling({
  providers: [
    stripe({
      apiKey: 'sk_test',
      webhookSecret: 'whsec_of_the_test_endpoint',
      proration: 'create',
      fetch: standIn.fetch,
    }),
  ],
  returnUrl: () => 'https://app.example.com',
})
const sold = {
  ...seatgate,
  billing: billing({ plans: { team: { perSeat: true, prices: ['price_team'] } } }),
}
const adapter = adapterOf({
  stepUpChallenge: () => ({ kind: 'totp' }),
  verifyStepUp: () => ({ ok: true }),
})
const app = new Hono()
  .route('/', router)
  .route('/', keyRoutes(seatgate, { authenticate }))
  .route('/', impersonationRoutes(seatgate, { authenticate }))
  .route('/', groupRoutes(seatgate, { authenticate }))
  .route('/', roleRoutes(withRoles, { authenticate }))
  .route('/', paymentRoutes(sold, connection, { authenticate }))
  .route(
    '/',
    stepUpRoutes(
      seatgate,
      hostOf(() => adapter),
      { authenticate }
    )
  )
const client = clientOf((url, init) => app.request(url, init))

const [header = '', ...lines] = TABLE.trim().split('\n')
const names = header.trim().split(/\s+/)
const rows = lines.map((line) => {
  const cells = line.trim().split(/\s+/).slice(-names.length)
  const asked = line.trim().split(/\s+/).slice(0, -names.length).join(' ')
  return { asked, cells }
})

/** Routes that need more than a team, by the files that show who may use them. */
const ELSEWHERE: Readonly<Record<string, readonly string[]>> = {
  'join-domains, join-organization, join-http': [
    'DELETE /join-requests/:id',
    'DELETE /organizations/:org/domains/:id',
    'PATCH /organizations/:org/domains/:id',
    'POST /join-requests',
    'POST /organizations/:org/domains/:id/verify',
    'POST /organizations/:org/join-requests/:id/approve',
    'POST /organizations/:org/join-requests/:id/decline',
  ],
  'audit-export, audit-seal, audit-dead-letters': [
    'GET /organizations/:org/audit/checkpoint',
    'GET /organizations/:org/audit/consistency',
    'GET /organizations/:org/audit/export',
    'GET /organizations/:org/audit/proof',
    'GET /organizations/:org/audit/sinks',
    'GET /organizations/:org/audit/sinks/:sink/attempts',
    'GET /organizations/:org/audit/sinks/:sink/dead-letters',
    'POST /organizations/:org/audit/sinks/:sink/dead-letters/requeue',
    'POST /organizations/:org/audit/sinks/:sink/pause',
    'POST /organizations/:org/audit/sinks/:sink/replay',
    'POST /organizations/:org/audit/sinks/:sink/resume',
  ],
}

describe('the table', () => {
  it('has a row for every route of the router, of API keys, groups, own roles, impersonations, payments and step-up [KEY-16 GROUP-13 OP-4]', () => {
    const registered = app.routes
      .filter(({ method }) => method !== 'ALL')
      .map(({ method, path }) => `${method} ${path}`)
    const asked = rows.map((row) =>
      row.asked
        .replace(/ \[.*\]$/, '')
        .replace(' :org', ' /organizations/:org')
        .replace(/(?<!groups\/:id)\/members\/:id/, '/members/:userId')
    )
    expect(registered.length).toBeGreaterThan(20)
    const known = [...asked, ...Object.values(ELSEWHERE).flat()]
    expect([...new Set(known)].sort()).toEqual([...new Set(registered)].sort())
  })

  it('has a request for every row, and a column for every kind of caller', () => {
    expect(rows.map(({ asked }) => asked)).toEqual(Object.keys(REQUESTS))
    expect(names).toEqual(Object.keys(ACTORS))
  })
})

describe('answers every caller as in the table', () => {
  it.each(shareOf(rows, 21))('$asked', async ({ asked, cells }) => {
    const request = REQUESTS[asked]!
    const found: string[] = []
    let team = await teamFor(asked)
    for (const name of names) {
      const { principal, person, token: tokenOfActor } = ACTORS[name]!
      const caller = await principal(team)
      const token = tokenOfActor ? await tokenOfActor(team) : caller && tokenFor(caller)
      const send = async (about: Named) => {
        const { method, path, body, csv } = request(team, about, person?.(team) ?? team.member)
        const type = csv === undefined ? {} : { 'content-type': 'text/csv' }
        const response = await client.send(method, path, csv ?? body, token, type)
        const { status } = response
        const headers = headersOf(response)
        return { method, answer: { status, headers, body: await response.text() } }
      }
      const before = await rowCounts()
      const { method, answer } = await send(team.organization)
      found.push(cellFor(answer))
      if (answer.status < 400) {
        if (method !== 'GET') team = await teamFor(asked)
        continue
      }
      // A refusal changes nothing, and whoever is not inside cannot tell that there is an inside.
      expect(await rowCounts(), name).toEqual(before)
      if (!['organization_not_found', 'not_a_member'].includes(codeIn(answer))) continue
      const nowhere = { id: crypto.randomUUID(), slug: freshSlug(), name: team.organization.name }
      expect((await send(nowhere)).answer, name).toEqual(answer)
    }
    expect(Object.fromEntries(names.map((name, index) => [name, found[index]]))).toEqual(
      Object.fromEntries(names.map((name, index) => [name, cells[index]]))
    )
  })
})

function codeIn({ body }: { readonly body: string }): string {
  return (JSON.parse(body) as { code: string }).code
}

function cellFor(answer: { readonly status: number; readonly body: string }): string {
  if (answer.status < 400) return String(answer.status)
  const code = codeIn(answer)
  const [cell] = Object.entries(REFUSALS).find(([, refusal]) => refusal === code) ?? [code]
  return answer.status === statusOf(code as RefusalCode) ? cell : `${answer.status} ${code}`
}

let original: Promise<Original<Team>> | undefined

/** A copy of the first. */
async function newTeam(): Promise<Team> {
  original ??= originalOf(firstTeam)
  const { made } = await original
  const { owner, second, admin, member, peer, suspended, retired } = made
  const { outsider, candidate, foreigner, sent, invited, heir } = made
  const inside = [owner, second, admin, member, peer, suspended, retired]
  return copyOf(await original, {
    invitations: [...sent, invited, heir],
    sessions: [...inside, outsider, candidate, foreigner],
  })
}

/** A team that a row can be asked of: one that has a subscription, to change it. */
async function teamFor(asked: string): Promise<Team> {
  const team = await newTeam()
  if (asked.includes('/impersonations/:id')) {
    return { ...team, actingId: (await started(team, team.member.userId)).id }
  }
  if (asked.includes('/api-keys/')) {
    const scope = { caller: { type: 'system' }, organization: team.organization.id } as const
    const { id } = unwrap(await createApiKey(seatgate, scope, { name: 'CI', role: 'member' }))
    return { ...team, keyId: id }
  }
  if (asked.includes('/roles/')) {
    const scope = { caller: { type: 'system' }, organization: team.organization.id } as const
    unwrap(await createRole(withRoles, scope, { name: 'auditor', permissions: ['audit:read'] }))
    return team
  }
  if (asked.includes('/groups/')) {
    const scope = { caller: { type: 'system' }, organization: team.organization.id } as const
    const { id } = unwrap(await createGroup(seatgate, scope, { name: 'Design' }))
    const inIt = [team.owner, team.second, team.admin, team.member]
    const userIds = inIt.map(({ userId }) => userId)
    unwrap(await addToGroup(seatgate, scope, id, { userIds }))
    return { ...team, groupId: id }
  }
  if (!asked.includes('/billing/') || asked.endsWith('/checkout')) return team
  const { id, name } = team.organization
  const context = { ...sold, connection }
  const customerId = await connection.provider.createCustomer(
    { organizationId: id, name },
    { idempotencyKey: id }
  )
  const customer = await putCustomer(context, 'stripe', id, customerId)
  const subscription = standIn.subscribe(customerId, [{ price: 'price_team', quantity: 20 }])
  if (asked.endsWith('/resume'))
    subscription.cancel_at = subscription.items.data[0]?.current_period_end ?? null
  await reconcileCustomer(context, customer)
  return team
}

async function firstTeam(): Promise<Team> {
  const [owner, second, admin, member, peer, suspended, retired, outsider, candidate, foreigner] =
    (await people(10)) as [
      Person,
      Person,
      Person,
      Person,
      Person,
      Person,
      Person,
      Person,
      Person,
      Person,
    ]
  const founding = ({ userId }: Person) =>
    postOrganization({ token: tokenFor({ userId }) }, { slug: freshSlug() }, client)
  const organization = await founding(owner)
  const asOwner = tokenFor({ userId: owner.userId })
  const joining: [Person, string][] = [
    [second, 'owner'],
    [admin, 'admin'],
    [member, 'member'],
    [peer, 'member'],
    [suspended, 'member'],
    [retired, 'owner'],
  ]
  for (const [{ userId }, role] of joining) {
    const joined = await client.post(members(organization), { userId, role }, asOwner)
    expect(joined.status).toBe(201)
  }
  for (const leaver of [suspended, retired]) {
    const path = members(organization, leaver, '/suspend')
    expect((await client.post(path, undefined, asOwner)).status).toBe(200)
  }
  const inviting = (email: string, role = 'member') =>
    postInvitation(organization, { token: asOwner }, email, role, client)
  return {
    invited: await inviting(`invited-${crypto.randomUUID()}@example.com`),
    heir: await inviting(`heir-${crypto.randomUUID()}@example.com`, 'owner'),
    sent: [await inviting(outsider.email), await inviting(foreigner.email)],
    organization,
    owner,
    second,
    admin,
    member,
    peer,
    suspended,
    retired,
    outsider,
    candidate,
    foreigner,
    foreign: await founding(foreigner),
  }
}
