/**
 * The refusals that depend on the state of an organization, one situation after another.
 *
 * @module
 */
import { joinRules } from '../../../src/index.ts'
import { PASSWORD, sessionOf, tokenFor, type Person } from '../../kit/index.ts'
import { BROKEN, application } from '../../kit/openapi-application.ts'
import type { Recorder } from './recorder.ts'
import { by, moveTo, scene, type Scene } from './scene.ts'

const DAYS_MS = 24 * 60 * 60 * 1000
const later = () => new Date(Date.now() + 40 * DAYS_MS)
const LATER = application({ now: later })
const MORE_ROLES = application({
  roles: ['owner', 'admin', 'member', 'guest'],
  ownerRole: 'owner',
  invitationAdminRoles: ['owner', 'admin'],
})
const ONE_INVITER = application({ invitationLimits: { perUser: 1 } })
const ONE_ORGANIZATION = application({ invitationLimits: { perOrganization: 1 } })
const UNSEATED = application({ invitationsHoldSeats: false })
const UNVERIFIED = application({ joining: joinRules({ verifyDomain: () => false }) })
const ONE_TRY = application({ invitationLimits: { failedAccepts: 1 } })
const WITHOUT_FACTOR = application({ mfaCheck: (_userId) => false })

const members = '/organizations/:org/members'
const invitations = '/organizations/:org/invitations'
const requests = '/organizations/:org/join-requests'
const domains = '/organizations/:org/domains'

export async function refuseSpecially(record: Recorder) {
  const there = await scene(record)
  await refuseInvitations(record, there)
  await refuseOwners(record, there)
  await refuseDomains(record, there)
  await refuseSessions(record, there)
  await refuseWithoutSeats(record, there)
  await refuseTries(record, there)
}

async function refuseInvitations({ exchange }: Recorder, { as, param, member, others }: Scene) {
  const [accepter, stranger] = others as [Person, Person]
  const invite = (email: string, app?: typeof LATER, role = 'member') =>
    exchange(`POST ${invitations}`, { as, param, body: { email, role } }, app)
  const present = async (token: string, email: string, app?: typeof LATER) => {
    const asked = { as: by(accepter), body: { token } }
    const body = { token, email, password: PASSWORD }
    await exchange('POST /invitations/accept', asked, app)
    await exchange('POST /invitations/accept-with-signup', { body }, app)
    await exchange('POST /invitations/decline', asked, app)
  }
  const accepted = await invite(accepter.email)
  const mismatch = { as: by(stranger), body: { token: accepted.token } }
  await exchange('POST /invitations/accept', mismatch)
  await exchange('POST /invitations/accept-with-signup', {
    body: { token: accepted.token, email: 'other@example.com', password: PASSWORD },
  })
  await exchange('POST /invitations/accept', { as: by(accepter), body: { token: accepted.token } })
  await present(accepted.token, accepter.email)
  const place = { as, param: { ...param, id: accepted.id } }
  await exchange(`DELETE ${invitations}/:id`, place)
  await exchange(`PATCH ${invitations}/:id`, { ...place, body: { role: 'admin' } })
  await exchange(`POST ${invitations}/:id/resend`, place)
  await exchange(`POST ${invitations}`, {
    as,
    param,
    body: { email: member.email, role: 'member' },
  })

  const revoked = await invite('revoked@example.com')
  await exchange(`DELETE ${invitations}/:id`, { as, param: { ...param, id: revoked.id } })
  await present(revoked.token, 'revoked@example.com')
  const declined = await invite('declined@example.com')
  await exchange('POST /invitations/decline', { body: { token: declined.token } })
  await present(declined.token, 'declined@example.com')
  const expired = await invite('expired@example.com')
  await present(expired.token, 'expired@example.com', LATER)
  const guest = await invite('guest@example.com', MORE_ROLES, 'guest')
  await present(guest.token, 'guest@example.com')
  await exchange(`POST ${invitations}/:id/resend`, { as, param: { ...param, id: guest.id } })
  const known = await invite(stranger.email, MORE_ROLES, 'guest')
  await exchange('POST /invitations/accept', { as: by(stranger), body: { token: known.token } })
}

async function refuseOwners({ exchange }: Recorder, { as, param, owner, member, operator }: Scene) {
  const place = { as, param: { ...param, userId: owner.userId } }
  await exchange(`DELETE ${members}/:userId`, place)
  await exchange(`POST ${members}/:userId/suspend`, place)
  await exchange('DELETE /users/me', { as, body: { password: PASSWORD } })
  const limit = (body: object) =>
    exchange('PUT /organizations/:org/seats/limit', { as: operator, param, body })
  await limit({ limit: 10, version: 5 })
  await limit({ limit: 9, version: 4 })
  await limit({ limit: 1, remove: [member.userId] })
  await limit({ limit: 10, remove: [owner.userId] })
  await limit({ limit: 10, remove: [crypto.randomUUID()] })
  await exchange('POST /organizations/:org/transfer', {
    as,
    param,
    body: { userId: crypto.randomUUID(), password: PASSWORD },
  })
  const policy = { as, param, body: { enabled: true } }
  await exchange('PUT /organizations/:org/mfa-policy', policy, WITHOUT_FACTOR)
}

async function refuseDomains({ exchange }: Recorder, { as, param, others }: Scene) {
  const [, , joiner, declined] = others as [Person, Person, Person, Person]
  const add = (domain: string) =>
    exchange(`POST ${domains}`, { as, param, body: { domain, mode: 'request' } })
  const own = await add('full.example')
  const place = { as, param: { ...param, id: own.id } }
  for (const mode of ['auto', 'request']) {
    await exchange(`PATCH ${domains}/:id`, { ...place, body: { mode } })
  }
  await exchange(`POST ${domains}/:id/verify`, place, UNVERIFIED)
  await exchange(`POST ${domains}/:id/verify`, place)
  const rival = await exchange('POST /organizations', { as, body: { name: 'Rival' } })
  const theirs = { as, param: { org: rival.id } }
  const body = { domain: 'full.example', mode: 'request' }
  const second = await exchange(`POST ${domains}`, { ...theirs, body })
  await exchange(`POST ${domains}/:id/verify`, { as, param: { ...theirs.param, id: second?.id } })
  const ask = async (person: Person) => {
    await moveTo(person, 'full.example')
    const wanted = { as: `user:${person.userId}`, body: { organizationId: param.org } }
    return (await exchange('POST /join-requests', wanted))?.request?.id
  }
  const asked = await ask(joiner)
  const request = { as, param: { ...param, id: asked } }
  await exchange(`POST ${requests}/:id/approve`, { ...request, body: {} })
  for (const route of [`POST ${requests}/:id/approve`, `POST ${requests}/:id/decline`]) {
    await exchange(route, { ...request, body: {} })
  }
  const own2 = { as: `user:${joiner.userId}`, param: { id: asked } }
  await exchange('DELETE /join-requests/:id', own2)
  await exchange('POST /join-requests', {
    as: own2.as,
    body: { organizationId: param.org },
  })
  const turned = await ask(declined)
  await exchange(`POST ${requests}/:id/decline`, { as, param: { ...param, id: turned } })
  await ask(declined)
}

async function refuseSessions({ exchange }: Recorder, { as, param, owner }: Scene) {
  const machine = tokenFor({
    type: 'service_account',
    serviceAccountId: 'machine',
    organizationId: param.org,
    role: 'owner',
  })
  const session = await sessionOf(owner.userId)
  const inSession = tokenFor({ userId: owner.userId, session })
  const none = { organizationId: crypto.randomUUID() }
  await exchange('PUT /active-organization', { as: machine, body: none })
  await exchange('PUT /active-organization', { as: inSession, body: none })
  for (const app of BROKEN) {
    await exchange('GET /active-organization', { as: inSession }, app)
    const body = { organization_id: param.org }
    await exchange('POST /organizations/switch', { as: inSession, body }, app)
    await exchange('POST /step-up/challenge', { as, body: { action: 'any' } }, app)
  }
  const sessionless = { as, headers: { 'x-sessionless': 'yes' } }
  for (const body of [{ action: 'UPPER' }, { action: 'any', params: 'wrong' }]) {
    for (const route of ['POST /step-up', 'POST /step-up/challenge']) {
      await exchange(route, { as, body })
      await exchange(route, { ...sessionless, body })
    }
  }
  await exchange('DELETE /step-up', sessionless)
  const proof = { ...sessionless, body: { action: 'any', params: 'wrong' } }
  for (let tried = 0; tried < 25; tried++) {
    await exchange('POST /step-up', { ...proof, headers: {} })
  }
}

/** All seats are taken: whatever would take another one is refused. */
async function refuseWithoutSeats(
  { exchange }: Recorder,
  { as, param, member, others, operator }: Scene
) {
  const [, , , , invitee, asker, neighbour, newcomer] = others as Person[]
  const suspended = { as, param: { ...param, userId: member.userId } }
  await exchange(`POST ${members}/:userId/suspend`, suspended)
  const email = invitee?.email
  const body = { email, role: 'member' }
  const invited = await exchange(`POST ${invitations}`, { as, param, body }, UNSEATED)
  const other = { email: 'unseated@example.com', role: 'member' }
  const signing = await exchange(`POST ${invitations}`, { as, param, body: other }, UNSEATED)
  await moveTo(asker, 'full.example')
  const asked = { as: `user:${asker?.userId}`, body: { organizationId: param.org } }
  const request = (await exchange('POST /join-requests', asked))?.request
  const held = await exchange(`GET /organizations/:org/seats`, { as, param })
  const limit = { limit: held.held + held.reserved }
  await exchange('PUT /organizations/:org/seats/limit', { as: operator, param, body: limit })

  await exchange(`POST ${members}/:userId/restore`, suspended)
  const added = { userId: newcomer?.userId, role: 'member' }
  await exchange(`POST ${members}`, { as, param, body: added })
  await exchange(`POST ${invitations}`, { as, param, body: { ...other, email: 'x@example.com' } })
  await exchange(`POST ${invitations}/:id/resend`, { as, param: { ...param, id: signing?.id } })
  const accepting = { as: `user:${invitee?.userId}`, body: { token: invited?.token } }
  await exchange('POST /invitations/accept', accepting)
  const signUp = { token: signing?.token, email: other.email, password: PASSWORD }
  await exchange('POST /invitations/accept-with-signup', { body: signUp })
  const wanted = { as, param: { ...param, id: request?.id }, body: {} }
  await exchange(`POST ${requests}/:id/approve`, wanted)
  const { data } = await exchange(`GET ${domains}`, { as, param })
  const domain = { as, param: { ...param, id: data[0].id }, body: { mode: 'auto' } }
  await exchange(`PATCH ${domains}/:id`, domain)
  await moveTo(neighbour, 'full.example')
  const joining = { as: `user:${neighbour?.userId}`, body: { organizationId: param.org } }
  await exchange('POST /join-requests', joining)
}

/** More tries than are allowed. */
async function refuseTries({ exchange }: Recorder, { as, param, others }: Scene) {
  const email = () => `${crypto.randomUUID()}@example.com`
  const [, stranger] = others as [Person, Person]
  for (const app of [ONE_INVITER, ONE_ORGANIZATION]) {
    const { id: org } = await exchange('POST /organizations', { as, body: { name: 'Tries' } })
    for (let sent = 0; sent < 2; sent++) {
      const body = { email: email(), role: 'member' }
      await exchange(`POST ${invitations}`, { as, param: { org }, body }, app)
    }
    const { data } = await exchange(`GET ${invitations}`, { as, param: { org } })
    const place = { as, param: { org, id: data[0].id } }
    await exchange(`POST ${invitations}/:id/resend`, place, app)
  }
  const body = { token: 'none' }
  for (let tried = 0; tried < 2; tried++) {
    await exchange('POST /invitations/accept', { as: `user:${stranger.userId}`, body }, ONE_TRY)
  }
  const address = email()
  const inviting = { as, param, body: { email: address, role: 'member' } }
  const invited = await exchange(`POST ${invitations}`, inviting, UNSEATED)
  const wrong = { token: invited?.token, email: email(), password: PASSWORD }
  for (let tried = 0; tried < 2; tried++) {
    await exchange('POST /invitations/accept-with-signup', { body: wrong }, ONE_TRY)
  }
}
