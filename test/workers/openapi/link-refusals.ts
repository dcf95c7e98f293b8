/**
 * The refusals of invite links.
 *
 * @module
 */
import { createInviteLink, joinRules } from '../../../src/index.ts'
import { tokenFor, type Person } from '../../kit/index.ts'
import { application, configured } from '../../kit/openapi-application.ts'
import { by, endsPlaces, machineOf, scene, type Recorder } from './scene.ts'

const DAY_MS = 24 * 60 * 60 * 1000
const LATER = application({ now: () => new Date(Date.now() + 8 * DAY_MS) })
const WITH_GUESTS = {
  roles: ['owner', 'admin', 'member', 'guest'],
  ownerRole: 'owner',
  invitationAdminRoles: ['owner', 'admin'],
}

// The place on the waitlist ends between the batch and its answer.
const ENDING = application({
  joining: joinRules({ verifyDomain: () => true, links: { whenFull: 'wait' } }),
  around: endsPlaces,
})

const join = 'POST /invite-links/join'

export async function refuseLinks(record: Recorder) {
  const there = await scene(record, 'Links')
  const { exchange } = record
  const { as, param, others, member, operator } = there
  const [comer, removed, suspended, waiting, guesser] = others as [
    Person,
    Person,
    Person,
    Person,
    Person,
  ]
  const create = async (more: object = {}) => {
    const body = { role: 'member', maxUses: 9, ...more }
    const link = await exchange('POST /organizations/:org/invite-links', { as, param, body })
    return { token: link.token }
  }
  const body = await create()
  await exchange(join, { as: tokenFor(machineOf(there)), body })
  await exchange(join, { as: by(comer), body: await create({ domain: 'links.example' }) })
  const expired = { as: by(comer), body }
  await exchange('POST /invite-links/view', expired, LATER)
  await exchange(join, expired, LATER)
  await exchange(join, { as: by(comer), body: await guestLink(param.org) })

  await exchange(join, { as: by(removed), body })
  const leaving = { as, param: { ...param, userId: removed.userId } }
  await exchange('DELETE /organizations/:org/members/:userId', leaving)
  await exchange(join, { as: by(removed), body })
  await exchange(join, { as: by(suspended), body })
  const ending = { as, param: { ...param, userId: suspended.userId } }
  await exchange('POST /organizations/:org/members/:userId/suspend', ending)
  await exchange(join, { as: by(suspended), body })
  await exchange(join, { as: by(waiting), body }, ENDING)

  const headers = { 'idempotency-key': 'a-link' }
  await exchange(join, { as: by(member), body, headers })
  await exchange(join, { as: by(member), body: await create(), headers })
  for (let tried = 0; tried <= 20; tried++) {
    await exchange(join, { as: by(guesser), body: { token: 'none' } })
  }
  const { held, reserved } = await exchange('GET /organizations/:org/seats', { as, param })
  const limit = { as: operator, param, body: { limit: held + reserved } }
  await exchange('PUT /organizations/:org/seats/limit', limit)
  await exchange(join, { as: by(comer), body })
}

/** A link of the host itself, to a role that is not configured any more. */
async function guestLink(organization: string) {
  const scope = { caller: { type: 'system' }, organization } as const
  const input = { role: 'guest', maxUses: 9 }
  const link = await createInviteLink(configured(WITH_GUESTS), scope, input)
  if (!link.ok) throw new Error(link.error.code)
  return { token: link.value.token }
}
