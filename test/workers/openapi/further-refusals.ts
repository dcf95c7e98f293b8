/**
 * The refusals of API keys, of roles that are gone, of ledgers that start anew, and of seats that are paid.
 *
 * @module
 */
import { ledgerSeats, refuse, type LedgerCalls, type LedgerNamespace } from '../../../src/index.ts'
import { PASSWORD, testEnv, type Person } from '../../kit/index.ts'
import { application, configured, dev, lost, throws } from '../../kit/openapi-application.ts'
import { scene, type Recorder, type Scene } from './scene.ts'

const GUESTS = application({
  roles: ['owner', 'admin', 'member', 'guest'],
  ownerRole: 'owner',
  invitationAdminRoles: ['owner', 'admin'],
})
const ONE_GROUP = application({ mostGroups: 1, mostInGroup: 1 })
const ONE_KEY = application({ mostKeys: 1 })

export async function refuseFurther(record: Recorder) {
  const there = await scene(record, 'Further')
  await refuseKeys(record, there)
  await refuseGroups(record, there)
  await refuseImpersonations(record, there)
  await refuseVerifying(record, there)
  await refuseSeats(record, there)
}

async function refuseKeys({ exchange }: Recorder, { as, param, others }: Scene) {
  const keys = '/organizations/:org/api-keys'
  const body = { name: 'CI', role: 'guest' }
  const key = await exchange(`POST ${keys}`, { as, param, body }, GUESTS)
  await exchange(`POST ${keys}/:id/rotate`, { as, param: { ...param, id: key.id }, body: {} })
  const another = { as, param, body: { name: 'Another', role: 'member' } }
  await exchange(`POST ${keys}`, another, ONE_KEY)

  const members = '/organizations/:org/members'
  const [guest] = others as [Person]
  const added = { as, param, body: { userId: guest.userId, role: 'guest' } }
  await exchange(`POST ${members}`, added, GUESTS)
  const member = { as, param: { ...param, userId: guest.userId } }
  await exchange(`POST ${members}/:userId/suspend`, member, GUESTS)
  await exchange(`POST ${members}/:userId/restore`, member)
}

async function refuseGroups({ exchange }: Recorder, { as, param, owner, member }: Scene) {
  const groups = '/organizations/:org/groups'
  const { id } = await exchange(`POST ${groups}`, { as, param, body: { name: 'One' } }, ONE_GROUP)
  await exchange(`POST ${groups}`, { as, param, body: { name: 'Two' } }, ONE_GROUP)
  const body = { userIds: [owner.userId, member.userId] }
  await exchange(`POST ${groups}/:id/members`, { as, param: { ...param, id }, body }, ONE_GROUP)
  const missing = { ...param, id: crypto.randomUUID() }
  await exchange(`POST ${groups}/:id/members`, { as, param: missing, body })
  await exchange(`PATCH ${groups}/:id`, { as, param: missing, body: { name: 'Three' } })
}

async function refuseImpersonations({ exchange }: Recorder, { param, operator, member }: Scene) {
  const { userId } = member
  const body = { userId, reason: 'Ticket 4711: the import fails', minutes: 15, password: PASSWORD }
  // An operator has at most ten at once.
  for (let more = 0; more <= 10; more++) {
    await exchange('POST /operator/organizations/:org/impersonations', {
      as: operator,
      param,
      body,
    })
  }
}

// A ledger that answers from before, while another start of it is recorded.
const STARTING: LedgerNamespace = {
  getByName: (name) =>
    new Proxy(
      testEnv.SEATS.getByName(name) as unknown as ReturnType<LedgerNamespace['getByName']>,
      {
        get: (stub, key) =>
          key === 'inspect'
            ? async (request: Parameters<LedgerCalls['inspect']>[0]) => {
                const seen = await stub.inspect(request)
                await testEnv.DB.prepare(
                  'update seatgate_seat_ledgers set epoch = epoch + 1 where organization_id = ?'
                )
                  .bind(name)
                  .run()
                return seen.ok && seen.value
                  ? { ...seen, value: { ...seen.value, seats: [] } }
                  : seen
              }
            : Reflect.get(stub, key, stub),
      }
    ),
}

async function refuseVerifying({ exchange }: Recorder, { param, operator }: Scene) {
  const app = application({ seats: ledgerSeats(STARTING) })
  await exchange('GET /operator/organizations/:org/seats/verify', { as: operator, param }, app)
}

// A hook refuses, and fails.
const REFUSING = [
  application({ hooks: { beforeMemberRemove: () => refuse('not_now') }, around: lost }),
  application({ hooks: { beforeMemberRemove: throws }, around: lost }),
]

async function refuseSeats(record: Recorder, { as, param, owner, member }: Scene) {
  const { exchange } = record
  const bought = (plan: string) =>
    dev.routes(configured()).request(`/dev/billing/${param.org}`, {
      method: 'POST',
      body: JSON.stringify({ event: 'checkout_completed', plan, seats: 30 }),
    })
  const checkout = { as, param, body: { plan: 'team', seats: 30 } }
  await exchange('POST /organizations/:org/billing/checkout', checkout)
  await bought('team')
  const seats = 'PUT /organizations/:org/billing/seats'
  const without = (userId: string) => ({ as, param, body: { seats: 31, remove: [userId] } })
  for (const app of REFUSING) await exchange(seats, without(member.userId), app)
  await exchange(seats, without(owner.userId))
  await bought('flat')
  await exchange(seats, { as, param, body: { seats: 31 } })
}
