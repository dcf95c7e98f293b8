/**
 * The requests that every operation grants.
 *
 * @module
 */
import { Stripe } from 'stripe'
import { sealOrganization } from '../../../src/index.ts'
import { PASSWORD, people, sessionOf, testEnv, tokenFor, type Person } from '../../kit/index.ts'
import { BROKEN, configured, dev } from '../../kit/openapi-application.ts'
import type { Asked, Recorder } from './recorder.ts'

/** Sends each request, and returns who and what is there afterwards. */
export async function converse(record: Recorder) {
  const { send, exchange } = record
  const [owner, other, third, fourth, invitee, joiner, second, last, plain] = (await people(9)) as [
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
  await testEnv.DB.prepare('update users set email_verified_at = 1').run()
  const by = ({ userId }: Person) => `user:${userId}`
  const as = by(owner)
  const operator = `operator:${owner.userId}`
  const { id: org } = await send('POST /organizations', {
    as,
    body: { name: 'Acme', slug: 'acme' },
  })
  const param = { org }
  record.member = by(plain)
  record.machine = tokenFor({
    type: 'service_account',
    serviceAccountId: 'machine',
    organizationId: org,
    role: 'owner',
  })
  const session = await sessionOf(owner.userId)
  const inSession = tokenFor({ userId: owner.userId, session })
  await exchange('POST /organizations/:org/members', {
    as,
    param,
    body: { userId: plain.userId, role: 'member' },
  })
  const spare = await send('POST /organizations', { as, body: { name: 'Spare', slug: 'spare' } })

  await send('GET /organizations', { as })
  await send('GET /organizations/:org', { as, param })
  await send('PATCH /organizations/:org', { as, param, body: { name: 'Acme Ltd' } })
  await send('PUT /organizations/:org/mfa-policy', { as, param, body: { enabled: true } })
  const slug = { slug: 'acme-ltd', confirmSlug: 'acme', password: PASSWORD }
  await send('POST /organizations/:org/slug', { as, param, body: slug })
  await send('GET /o/:org', { as, param: { org: 'spare' } })
  await send('PUT /active-organization', { as: inSession, body: { organizationId: org } })
  await send('GET /active-organization', { as })
  await send('POST /organizations/switch', {
    as: tokenFor({ userId: owner.userId, session: await sessionOf(owner.userId) }),
    body: { organization_id: org },
  })

  for (const { userId } of [other, third, fourth]) {
    await send('POST /organizations/:org/members', { as, param, body: { userId, role: 'member' } })
  }
  await send('POST /organizations/:org/members', {
    as,
    param,
    body: { userId: other.userId, role: 'member' },
  })
  await send('POST /organizations/:org/members', {
    as,
    param,
    body: { userId: other.userId, role: 'admin' },
  })
  await send('GET /organizations/:org/members', { as, param })
  await send('GET /organizations/:org/members/count', { as, param })
  const member = { org, userId: third.userId }
  await send('PATCH /organizations/:org/members/:userId', {
    as,
    param: member,
    body: { role: 'admin' },
  })
  await send('PATCH /organizations/:org/members/:userId', {
    as,
    param: { org, userId: owner.userId },
    body: { role: 'member' },
  })
  await send('POST /organizations/:org/members/:userId/suspend', { as, param: member })
  await send('POST /organizations/:org/members/:userId/restore', { as, param: member })
  await send('DELETE /organizations/:org/members/:userId', {
    as,
    param: { org, userId: fourth.userId },
  })

  const invite = (email: string) => ({ email, role: 'member' })
  const invited = await send('POST /organizations/:org/invitations', {
    as,
    param,
    body: invite(invitee.email),
  })
  await send('POST /organizations/:org/invitations', {
    as,
    param,
    body: { email: 'no address', role: 'member' },
  })
  await send('GET /organizations/:org/invitations', { as, param })
  await send('GET /invitations', { as: by(invitee) })
  const one = { org, id: invited?.id ?? '' }
  await send('PATCH /organizations/:org/invitations/:id', {
    as,
    param: one,
    body: { role: 'admin' },
  })
  const again = await send('POST /organizations/:org/invitations/:id/resend', { as, param: one })
  await send('POST /invitations/view', { as: by(invitee), body: { token: again?.token } })
  await send('POST /invitations/accept', { as: by(invitee), body: { token: again?.token } })
  await send('POST /invitations/accept', { as: by(invitee), body: { token: 'none' } })
  const rows = { invitations: [invite('b@example.com'), invite('c@example.com')] }
  const bulk = await send('POST /organizations/:org/invitations/bulk', { as, param, body: rows })
  await send('POST /organizations/:org/members/import', {
    as,
    param,
    body: 'email,role\nd@example.com,member\n',
  })
  const declined = bulk?.data?.[0]?.invitation
  await send('POST /invitations/decline', { body: { token: declined?.token } })
  await send('DELETE /organizations/:org/invitations/:id', {
    as,
    param: { org, id: bulk?.data?.[1]?.invitation?.id },
  })
  const newcomer = await send('POST /organizations/:org/invitations', {
    as,
    param,
    body: invite('new@example.com'),
  })
  const signUp = {
    token: newcomer?.token,
    email: 'new@example.com',
    password: PASSWORD,
    name: 'New',
  }
  await send('POST /invitations/accept-with-signup', { body: signUp })

  const domain = await send('POST /organizations/:org/domains', {
    as,
    param,
    body: { domain: 'example.com', mode: 'request' },
  })
  const placed = { org, id: domain?.id ?? '' }
  await send('GET /organizations/:org/domains', { as, param })
  await send('POST /organizations/:org/domains/:id/verify', { as, param: placed })
  await send('PATCH /organizations/:org/domains/:id', {
    as,
    param: placed,
    body: { mode: 'auto' },
  })
  await exchange('PATCH /organizations/:org/domains/:id', {
    as,
    param: placed,
    body: { mode: 'request' },
  })
  await send('GET /joinable-organizations', { as: by(joiner) })
  const ask = async (who: Person) =>
    (await send('POST /join-requests', { as: by(who), body: { organizationId: org } }))?.request?.id
  const wanted = [await ask(joiner), await ask(second), await ask(last)]
  await send('GET /organizations/:org/join-requests', { as, param })
  const request = (id: string) => ({ as, param: { org, id } })
  const path = 'POST /organizations/:org/join-requests/:id'
  await send(`${path}/approve`, { ...request(wanted[0]), body: {} })
  await send(`${path}/decline`, request(wanted[1]))
  await send('DELETE /join-requests/:id', { as: by(last), param: { id: wanted[2] } })
  await send('DELETE /organizations/:org/domains/:id', { as, param: placed })

  const link = await send('POST /organizations/:org/invite-links', {
    as,
    param,
    body: { role: 'member', maxUses: 1 },
  })
  const token = { token: link?.token }
  const named = { as, param: { org, id: link?.id ?? '' } }
  await send('GET /organizations/:org/invite-links', { as, param })
  await send('POST /invite-links/view', { as: by(last), body: token })
  await send('POST /invite-links/join', { as: by(last), body: token })
  await exchange('POST /invite-links/view', { as: by(second), body: token })
  await exchange('POST /invite-links/join', { as: by(second), body: token })
  await send('DELETE /organizations/:org/invite-links/:id', named)
  await exchange('DELETE /organizations/:org/invite-links/:id', named)
  await exchange('POST /invite-links/view', { as: by(second), body: token })
  await exchange('POST /invite-links/join', { as: by(second), body: token })

  const { id: keyId } = await send('POST /organizations/:org/api-keys', {
    as,
    param,
    body: { name: 'CI', role: 'member' },
  })
  const keyed = { as, param: { org, id: keyId } }
  await send('GET /organizations/:org/api-keys', { as, param })
  await send('POST /organizations/:org/api-keys/:id/rotate', { ...keyed, body: {} })
  await send('POST /organizations/:org/api-keys/:id/rotate', { ...keyed, body: {} })
  await send('DELETE /organizations/:org/api-keys/:id', keyed)
  await send('DELETE /organizations/:org/api-keys/:id', keyed)

  const { id: groupId } = await send('POST /organizations/:org/groups', {
    as,
    param,
    body: { name: 'Design', role: 'member' },
  })
  const grouped = { as, param: { org, id: groupId } }
  await send('GET /organizations/:org/groups', { as, param })
  await send('PATCH /organizations/:org/groups/:id', { ...grouped, body: { name: 'Product' } })
  await send('POST /organizations/:org/groups/:id/members', {
    ...grouped,
    body: { userIds: [owner.userId] },
  })
  await send('GET /organizations/:org/groups/:id/members', grouped)
  const inIt = { as, param: { org, id: groupId, userId: owner.userId } }
  await send('DELETE /organizations/:org/groups/:id/members/:userId', inIt)
  await send('DELETE /organizations/:org/groups/:id/members/:userId', inIt)
  await send('DELETE /organizations/:org/groups/:id', grouped)
  await send('DELETE /organizations/:org/groups/:id', grouped)
  await exchange('PATCH /organizations/:org/groups/:id', { ...grouped, body: { name: 'None' } })
  await exchange('POST /organizations/:org/groups/:id/members', {
    ...grouped,
    body: { userIds: [owner.userId] },
  })

  await callRoles(record, { as, param })

  const begin = 'POST /operator/organizations/:org/impersonations'
  const acting = {
    userId: plain.userId,
    reason: 'Ticket 4711: the import fails',
    minutes: 15,
    password: PASSWORD,
  }
  const begun = await send(begin, { as: operator, param, body: acting })
  for (const body of [
    { ...acting, userId: 'operator' },
    { ...acting, userId: 'nobody' },
    { ...acting, reason: 'short' },
    { ...acting, password: 'wrong' },
  ]) {
    await exchange(begin, { as: operator, param, body })
  }
  const itself = tokenFor({ type: 'system' })
  await exchange(begin, { as: itself, param, body: acting })
  await send('GET /operator/impersonations', { as: operator })
  await send('GET /organizations/:org/impersonations', { as, param })
  const end = 'DELETE /operator/organizations/:org/impersonations/:id'
  await send(end, { as: operator, param: { org, id: begun.id } })
  await exchange(end, { as: operator, param: { org, id: begun.id } })

  await send('GET /organizations/:org/seats', { as, param })
  await send('GET /organizations/:org/seats/explain', { as, param })
  await send('GET /organizations/:org/billing', { as, param })
  await send('GET /organizations/:org/audit', { as, param, query: { limit: '2' } })
  await send('GET /organizations/:org/audit', { as, param, query: { cursor: 'none' } })
  await send('GET /organizations/:org/audit/count', { as, param })
  await send('GET /organizations/:org/audit/seats', {
    as,
    param,
    query: { at: new Date().toISOString() },
  })
  await send('GET /organizations/:org/audit/export', { as, param })
  const proof = { as, param, query: { sequence: '1' } }
  const consistency = { as, param, query: { from: '1', to: '2' } }
  await exchange('GET /organizations/:org/audit/proof', proof)
  await exchange('GET /organizations/:org/audit/consistency', consistency)
  await sealOrganization(configured(), org)
  await send('GET /organizations/:org/audit/checkpoint', { as, param })
  await send('GET /organizations/:org/audit/proof', proof)
  await send('GET /organizations/:org/audit/consistency', consistency)
  const sink = { org, sink: 'siem' }
  await send('GET /organizations/:org/audit/sinks', { as, param })
  await send('GET /organizations/:org/audit/sinks/:sink/attempts', { as, param: sink })
  await send('GET /organizations/:org/audit/sinks/:sink/dead-letters', { as, param: sink })
  await send('POST /organizations/:org/audit/sinks/:sink/replay', {
    as,
    param: sink,
    body: { fromSequence: 1 },
  })
  await send('POST /organizations/:org/audit/sinks/:sink/pause', { as, param: sink })
  await send('POST /organizations/:org/audit/sinks/:sink/resume', { as, param: sink })
  await send('POST /organizations/:org/audit/sinks/:sink/dead-letters/requeue', {
    as,
    param: sink,
    body: {},
  })

  await pay(record, { as, param })
  const admin = { as: operator, param }
  await send('PUT /organizations/:org/seats/limit', {
    ...admin,
    body: { limit: 20, remove: [joiner.userId] },
  })
  await send('GET /operator/health', admin)
  await send('GET /operator/organizations', admin)
  await send('GET /operator/organizations/:org', admin)
  await send('PUT /operator/organizations/:org/entitlement', {
    ...admin,
    body: { included: 5, reason: 'sales' },
  })
  await send('GET /operator/organizations/:org/entitlement', admin)
  await send('GET /operator/organizations/:org/seats/verify', admin)
  await send('POST /operator/organizations/:org/seats/rebuild', admin)
  await send('GET /operator/organizations/:org/audit', { ...admin, query: { limit: '1' } })
  await send('GET /operator/organizations/:org/audit/count', admin)
  await send('GET /operator/audit', admin)
  await send('GET /operator/users/:userId/audit', { as: operator, param: { userId: other.userId } })

  await send('POST /organizations/:org/members', {
    as,
    param,
    body: { userId: fourth.userId, role: 'member' },
  })
  await send('POST /organizations/:org/transfer', {
    as,
    param,
    body: { userId: other.userId, password: PASSWORD },
  })
  await exchange('DELETE /organizations/:org', {
    as,
    param: { org: spare?.id },
    body: { confirmName: 'Other', password: PASSWORD },
  })
  await send('DELETE /organizations/:org', {
    as,
    param: { org: spare?.id },
    body: { confirmName: 'Spare', password: PASSWORD },
  })
  await send('POST /operator/organizations/:org/restore', {
    as: operator,
    param: { org: spare?.id },
  })
  await exchange('DELETE /organizations/:org/members/:userId', {
    as: by(other),
    param: { org, userId: third.userId },
  })
  await send('DELETE /users/me', { as: by(third), body: { password: PASSWORD } })
  await stepUp(record, as)
  await webhook(record)
  await send('GET /openapi.json')
  return { org, owner, other, plain, outsider: second, paid: org as string }
}

/** The routes of an organization's own roles. */
async function callRoles(
  { send, exchange }: Recorder,
  { as, param }: Required<Pick<Asked, 'as' | 'param'>>
) {
  const roles = '/organizations/:org/roles'
  const body = { name: 'auditor', permissions: ['audit:read'] }
  const named = { as, param: { ...param, name: 'auditor' } }
  await send(`POST ${roles}`, { as, param, body })
  await send(`GET ${roles}`, { as, param })
  await send(`PATCH ${roles}/:name`, { ...named, body: { permissions: ['project:read'] } })
  await send(`DELETE ${roles}/:name`, { ...named, query: { replacement: 'member' } })
  await exchange(`PATCH ${roles}/:name`, { ...named, body: { name: 'reviewer' } })
  await exchange(`DELETE ${roles}/:name`, named)
}

/** The routes of a billing provider. */
async function pay(
  { send, exchange }: Recorder,
  { as, param }: Required<Pick<Asked, 'as' | 'param'>>
) {
  const billing = '/organizations/:org/billing'
  const seats = { as, param, body: { seats: 31 } }
  const cancel = { as, param, body: { atPeriodEnd: true } }
  const checkout = { as, param, body: { plan: 'team', seats: 30 } }
  await exchange(`POST ${billing}/portal`, { as, param })
  await exchange(`POST ${billing}/preview`, seats)
  await exchange(`PUT ${billing}/seats`, seats)
  await exchange(`POST ${billing}/cancel`, cancel)
  await exchange(`POST ${billing}/resume`, { as, param })
  await send(`POST ${billing}/checkout`, checkout)
  await dev.routes(configured()).request(`/dev/billing/${param['org']}`, {
    method: 'POST',
    body: JSON.stringify({ event: 'checkout_completed', plan: 'team', seats: 30 }),
  })
  await exchange(`POST ${billing}/checkout`, checkout)
  await send(`POST ${billing}/portal`, { as, param })
  await send(`POST ${billing}/preview`, seats)
  await send(`PUT ${billing}/seats`, seats)
  await send(`POST ${billing}/cancel`, cancel)
  await send(`POST ${billing}/resume`, { as, param })
}

/** The routes of a step-up. */
async function stepUp({ send, exchange }: Recorder, as: string) {
  const action = 'billing.requeue'
  await send('POST /step-up/challenge', { as, body: { action } })
  await exchange('POST /step-up', { as, body: { action, params: '000000' } })
  await send('POST /step-up', { as, body: { action, params: '123456' } })
  await send('DELETE /step-up', { as })
}

/** The webhook of a provider, which is identified by its signature. */
async function webhook({ exchange }: Recorder) {
  const param = { provider: 'stripe' }
  const body = {
    id: 'evt_1',
    object: 'event',
    type: 'product.created',
    created: 1_767_225_600,
    livemode: false,
    data: { object: {} },
  }
  const signature = await Stripe.webhooks.generateTestHeaderStringAsync({
    payload: JSON.stringify(body),
    secret: 'whsec_of_the_stand_in',
    timestamp: Math.floor(Date.now() / 1000),
    cryptoProvider: Stripe.createSubtleCryptoProvider(),
  })
  const route = 'POST /billing/webhooks/:provider'
  await exchange(route, { param, body, headers: { 'stripe-signature': signature } })
  await exchange(route, { param: { provider: 'none' }, body })
  await exchange(route, { param, body: { large: 'x'.repeat(600 * 1024) } })
  await exchange(route, { param, body, headers: { 'stripe-signature': signature } }, BROKEN.at(1))
}
