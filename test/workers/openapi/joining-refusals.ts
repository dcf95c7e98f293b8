/**
 * The refusals of requests to join, and of invitations that another user presents.
 *
 * @module
 */
import { joinRules } from '../../../src/index.ts'
import { testEnv, tokenFor, type Person } from '../../kit/index.ts'
import { application } from '../../kit/openapi-application.ts'
import { by, endsPlaces, machineOf, moveTo, scene, type Recorder, type Scene } from './scene.ts'

const verifyDomain = () => true
const GUESTS = application({
  roles: ['owner', 'admin', 'member', 'guest'],
  ownerRole: 'owner',
  invitationAdminRoles: ['owner', 'admin'],
  joining: joinRules({ verifyDomain, role: 'guest', links: {} }),
})
const ENDING = application({
  joining: joinRules({ verifyDomain, whenFull: { domain: 'wait' } }),
  around: endsPlaces,
})
const ONE_GUESS = application({ invitationLimits: { failedAccepts: 1 } })

const approve = 'POST /organizations/:org/join-requests/:id/approve'
const domains = '/organizations/:org/domains'

export async function refuseJoining(record: Recorder) {
  const there = await scene(record, 'Joining')
  const { exchange } = record
  const { as, param, others } = there
  const [asker, guest, suspended, waiting] = others as [Person, Person, Person, Person]
  for (const person of others) await moveTo(person, 'joining.example')
  const adding = { as, param, body: { domain: 'joining.example', mode: 'request' } }
  const { id } = await exchange(`POST ${domains}`, adding)
  const domain = { as, param: { ...param, id } }
  await exchange(`POST ${domains}/:id/verify`, domain)
  const ask = async (as: string, app?: typeof GUESTS, headers = {}) =>
    exchange('POST /join-requests', { as, body: { organizationId: param.org }, headers }, app)
  await ask(tokenFor(machineOf(there)))
  const headers = { 'idempotency-key': 'a-request' }
  await ask(by(asker), undefined, headers)
  const other = { organizationId: crypto.randomUUID() }
  await exchange('POST /join-requests', { as: by(asker), body: other, headers })
  const asGuest = await ask(by(guest), GUESTS)
  await exchange(approve, { as, param: { ...param, id: asGuest.request.id }, body: {} })

  const asked = await ask(by(suspended))
  const member = { as, param: { ...param, userId: suspended.userId } }
  const body = { userId: suspended.userId, role: 'member' }
  await exchange('POST /organizations/:org/members', { as, param, body })
  await exchange('POST /organizations/:org/members/:userId/suspend', member)
  await exchange(approve, { as, param: { ...param, id: asked.request.id }, body: {} })
  await ask(by(suspended))

  await exchange(`PATCH ${domains}/:id`, { ...domain, body: { mode: 'auto' } })
  await ask(by(waiting), ENDING)
  const missing = { as, param: { ...param, id: crypto.randomUUID() }, body: { mode: 'off' } }
  await exchange(`PATCH ${domains}/:id`, missing)
  await exchange(`PATCH ${domains}/:id`, { ...domain, body: { mode: 'request' } })
  await testEnv.DB.prepare(
    'update seatgate_organization_domains set record_missing_since = ? where id = ?'
  )
    .bind(Date.now(), id)
    .run()
  await exchange(`PATCH ${domains}/:id`, { ...domain, body: { mode: 'auto' } })
  await refuseInvitations(record, there)
}

async function refuseInvitations({ exchange }: Recorder, { as, param, others }: Scene) {
  const [, , , , invitee, stranger, guesser] = others as Person[]
  const inviting = { as, param, body: { email: invitee?.email, role: 'member' } }
  const { token } = await exchange('POST /organizations/:org/invitations', inviting)
  const email = `${invitee?.userId}@joining.example`
  const again = { as, param, body: { email, role: 'member' } }
  const invited = await exchange('POST /organizations/:org/invitations', again)
  for (const person of [invitee, stranger]) {
    const accepting = { as: `user:${person?.userId}`, body: { token: invited.token } }
    await exchange('POST /invitations/accept', accepting)
  }
  for (let tried = 0; tried < 2; tried++) {
    const guessing = { as: `user:${guesser?.userId}`, body: { token } }
    await exchange('POST /invitations/accept', guessing, ONE_GUESS)
  }
  const missing = { as, param: { ...param, id: crypto.randomUUID() }, body: { role: 'member' } }
  await exchange('PATCH /organizations/:org/invitations/:id', missing)
  const nobody = { ...missing, param: { ...param, userId: crypto.randomUUID() } }
  await exchange('PATCH /organizations/:org/members/:userId', nobody)
  const keys = '/organizations/:org/api-keys'
  const revoked = await exchange(`POST ${keys}`, {
    as,
    param,
    body: { name: 'CI', role: 'member' },
  })
  await exchange(`DELETE ${keys}/:id`, { as, param: { ...param, id: revoked.id } })
  await exchange('POST /invitations/decline', { as: revoked.key, body: { token } })
}
