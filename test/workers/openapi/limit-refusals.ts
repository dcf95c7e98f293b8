/**
 * The refusals of users who own, or are in, as many organizations as they may, and of roles that take a
 * seat for the first time.
 *
 * @module
 */
import { userLimits } from '../../../src/index.ts'
import { PASSWORD, type Person } from '../../kit/index.ts'
import { application, withoutLedgers } from '../../kit/openapi-application.ts'
import { by, moveTo, scene, type Recorder } from './scene.ts'

const NO_MORE_OWNED = application({ limits: userLimits({ owned: 0 }) })
const NO_MORE = application({ limits: userLimits({ memberships: 0 }) })
const SEATLESS = application({ seatlessRoles: ['member'] })
const SEATLESS_WITHOUT_LEDGERS = application({ seatlessRoles: ['member'], seats: withoutLedgers })

const members = '/organizations/:org/members'
const invitations = '/organizations/:org/invitations'

export async function refuseMore(record: Recorder) {
  const { exchange } = record
  const { as, param, member, others, operator } = await scene(record, 'Limits')
  const [invitee, asker, newcomer] = others as [Person, Person, Person]
  for (const [role, app] of [
    ['owner', NO_MORE_OWNED],
    ['member', NO_MORE],
  ] as const) {
    await exchange('POST /organizations', { as: by(newcomer), body: { name: 'More' } }, app)
    const add = { userId: newcomer.userId, role }
    await exchange(`POST ${members}`, { as, param, body: add }, app)
    const invited = await exchange(`POST ${invitations}`, {
      as,
      param,
      body: { email: invitee.email, role },
    })
    const token = { token: invited.token }
    await exchange('POST /invitations/accept', { as: by(invitee), body: token }, app)
    const email = `${role}.limited@example.com`
    const signing = await exchange(`POST ${invitations}`, { as, param, body: { email, role } })
    const signUp = { token: signing.token, email, password: PASSWORD }
    await exchange('POST /invitations/accept-with-signup', { body: signUp }, app)
  }
  const promote = { as, param: { ...param, userId: member.userId }, body: { role: 'owner' } }
  await exchange(`PATCH ${members}/:userId`, promote, NO_MORE_OWNED)
  const transfer = { as, param, body: { userId: member.userId, password: PASSWORD } }
  await exchange('POST /organizations/:org/transfer', transfer, NO_MORE_OWNED)

  const links = '/organizations/:org/invite-links'
  const link = await exchange(`POST ${links}`, { as, param, body: { role: 'member', maxUses: 9 } })
  const joining = { as: by(newcomer), body: { token: link.token } }
  await exchange('POST /invite-links/join', joining, NO_MORE)
  await moveTo(asker, 'limits.example')
  const added = { as, param, body: { domain: 'limits.example', mode: 'request' } }
  const { id } = await exchange('POST /organizations/:org/domains', added)
  const domain = { as, param: { ...param, id } }
  await exchange('POST /organizations/:org/domains/:id/verify', domain)
  const asking = { as: by(asker), body: { organizationId: param.org } }
  const { request } = await exchange('POST /join-requests', asking)
  const approve = 'POST /organizations/:org/join-requests/:id/approve'
  const asked = { as, param: { ...param, id: request.id } }
  await exchange(approve, { ...asked, body: { role: 'owner' } }, NO_MORE_OWNED)
  await exchange(approve, { ...asked, body: {} }, NO_MORE)
  await exchange('DELETE /join-requests/:id', { as: by(asker), param: { id: request.id } })
  await exchange('PATCH /organizations/:org/domains/:id', { ...domain, body: { mode: 'auto' } })
  await exchange('POST /join-requests', asking, NO_MORE)

  const gone = { as, param, body: { confirmName: 'Limits', password: PASSWORD } }
  await exchange('DELETE /organizations/:org', gone)
  await exchange(
    'POST /operator/organizations/:org/restore',
    { as: operator, param },
    NO_MORE_OWNED
  )
}

/** A change of a role takes a seat, and there is none, or the ledger does not answer. */
export async function refuseRolesWithSeats(record: Recorder) {
  const { exchange } = record
  const { as, param, others, operator } = await scene(record, 'Seatless')
  const [seatless, invitee] = others as [Person, Person]
  const add = { as, param, body: { userId: seatless.userId, role: 'member' } }
  await exchange(`POST ${members}`, add, SEATLESS)
  const inviting = { as, param, body: { email: invitee.email, role: 'member' } }
  const invited = await exchange(`POST ${invitations}`, inviting, SEATLESS)
  const { held, reserved } = await exchange('GET /organizations/:org/seats', { as, param })
  const limit = { as: operator, param, body: { limit: held + reserved } }
  await exchange('PUT /organizations/:org/seats/limit', limit)
  for (const app of [SEATLESS, SEATLESS_WITHOUT_LEDGERS]) {
    const body = { role: 'admin' }
    const member = { as, param: { ...param, userId: seatless.userId }, body }
    await exchange(`PATCH ${members}/:userId`, member, app)
    await exchange(
      `PATCH ${invitations}/:id`,
      { as, param: { ...param, id: invited.id }, body },
      app
    )
    const transfer = { as, param, body: { userId: seatless.userId, password: PASSWORD } }
    await exchange('POST /organizations/:org/transfer', transfer, app)
  }
  const entitlement = '/operator/organizations/:org/entitlement'
  const body = { included: 7, reason: 'sales' }
  await exchange(`PUT ${entitlement}`, { as: operator, param, body }, SEATLESS_WITHOUT_LEDGERS)
  const other = { as: operator, param, body: { limit: 8 } }
  await exchange('PUT /organizations/:org/seats/limit', other, SEATLESS_WITHOUT_LEDGERS)
}
