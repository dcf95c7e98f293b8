/**
 * The refusals of sessions and of proofs that depend on the host.
 *
 * @module
 */
import { IdentityUnavailable } from '../../../src/identity/index.ts'
import type { SessionStore } from '../../../src/index.ts'
import { PASSWORD, sessionOf, tokenFor, type Person } from '../../kit/index.ts'
import { ADVERSE, BROKEN, application, failing, hostWith } from '../../kit/openapi-application.ts'
import { by, machineOf, scene, type Recorder, type Scene } from './scene.ts'

const storeThat = (updateActiveOrganization: SessionStore['updateActiveOrganization']) =>
  application({ sessions: { updateActiveOrganization, endActiveOrganization: async () => {} } })

const STORES = [
  storeThat(async () => ({ ok: false, error: { code: 'hook_refused', reason: 'not_now' } })),
  storeThat(async () => ({ ok: false, error: { code: 'hook_failed' } })),
]

// The host approves without a proof, which holds in tests alone.
const stepUpChallenge = () => ({ kind: 'none', approved: true }) as const
const APPROVING = hostWith({ stepUpChallenge })
const APPROVED = application({ host: APPROVING })
const BROKEN_LATER = [
  application({ host: APPROVING, around: failing('D1_ERROR: disk I/O error: SQLITE_IOERR') }),
  application({
    host: APPROVING,
    around: failing('D1_ERROR: no such column: seat_id: SQLITE_ERROR'),
  }),
]
const NOT_IN_TESTS = application({
  host: hostWith({ stepUpChallenge, environment: 'development', mostAttempts: 1 }),
})

const NOBODY_KNOWS = application({
  authenticate() {
    throw new IdentityUnavailable('The session service does not answer.')
  },
})

export async function refuseIdentities(record: Recorder) {
  const there = await scene(record, 'Identities')
  const { exchange } = record
  const { as, param, owner } = there
  const body = { organizationId: param.org }
  const gone = tokenFor({
    userId: owner.userId,
    session: { id: 'gone', activeOrganizationId: null },
  })
  await exchange('PUT /active-organization', { as: gone, body })
  const inSession = tokenFor({ userId: owner.userId, session: await sessionOf(owner.userId) })
  for (const app of STORES) await exchange('PUT /active-organization', { as: inSession, body }, app)
  const active = await sessionOf(owner.userId, param.org)
  const working = tokenFor({ userId: owner.userId, session: active })
  for (const app of BROKEN) {
    await exchange('GET /active-organization', { as: working }, app)
    const switching = { as: working, body: { organization_id: param.org } }
    await exchange('POST /organizations/switch', switching, app)
  }
  await exchange('PUT /organizations/:org/mfa-policy', { as, param, body: {} }, NOBODY_KNOWS)
  await refuseChallenges(record, there)
  await refuseProofs(record, there)
}

async function refuseChallenges({ exchange }: Recorder, { as }: Scene) {
  const challenge = { as, body: { action: 'any' } }
  const route = 'POST /step-up/challenge'
  for (const app of BROKEN_LATER) await exchange(route, challenge, app)
  await exchange(route, { ...challenge, headers: { 'x-sessionless': 'yes' } }, APPROVED)
  for (let tried = 0; tried < 2; tried++) await exchange(route, challenge, NOT_IN_TESTS)
}

async function refuseProofs({ exchange }: Recorder, there: Scene) {
  const { param, member, owner } = there
  const machine = tokenFor(machineOf(there))
  const deleting = { confirmName: 'Identities', password: PASSWORD }
  await exchange('DELETE /organizations/:org', { as: machine, param, body: deleting })
  const impersonated = tokenFor({ userId: owner.userId, impersonatedBy: 'support' })
  const proof = { password: PASSWORD }
  const transfer = { as: impersonated, param, body: { userId: member.userId, ...proof } }
  await exchange('POST /organizations/:org/transfer', transfer)
  const left = tokenFor({ userId: member.userId, impersonatedBy: 'support' })
  await exchange('DELETE /users/me', { as: left, body: proof })
  const [, , , raced] = ADVERSE
  await exchange('DELETE /users/me', { as: by(member), body: { password: PASSWORD } }, raced)
}

/** An owner who has left a deleted organization. */
export async function refuseRestoring(record: Recorder) {
  const { exchange } = record
  const { as, param, others } = await scene(record, 'Left')
  const [comer] = others as [Person]
  const machine = tokenFor(machineOf({ param }))
  await exchange('POST /organizations', { as: machine, body: { name: 'Of a machine' } })
  const headers = { 'idempotency-key': 'an-organization' }
  for (const name of ['One', 'Another']) {
    await exchange('POST /organizations', { as: by(comer), body: { name }, headers })
  }
  const body = { confirmName: 'Left', password: PASSWORD }
  await exchange('DELETE /organizations/:org', { as, param, body })
  await exchange('DELETE /users/me', { as, body: { password: PASSWORD } })
  await exchange('POST /operator/organizations/:org/restore', {
    as: `operator:${comer.userId}`,
    param,
  })
}
