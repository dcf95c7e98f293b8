import { application } from '../../kit/openapi-application.ts'
import type { Recorder } from './recorder.ts'

const stripeError = (status: number, type: string) => () =>
  Promise.resolve(Response.json({ error: { type, message: 'No.' } }, { status }))
const PROVIDERS = [
  application({ provider: stripeError(503, 'api_error') }),
  application({ provider: stripeError(400, 'invalid_request_error') }),
]

/** The refusals of a billing provider, and of a subscription that does not allow a change. */
export async function refuseProvider(
  { exchange }: Recorder,
  { owner, paid, plain }: { owner: { userId: string }; paid: string; plain: { userId: string } }
) {
  const as = `user:${owner.userId}`
  const param = { org: paid }
  const billing = '/organizations/:org/billing'
  const ask = async (route: string, body: object, app?: ReturnType<typeof application>) =>
    exchange(route, { as, param, body }, app)
  const add = { as, param, body: { userId: plain.userId, role: 'member' } }
  await exchange('POST /organizations/:org/members', add)
  await ask(`PUT ${billing}/seats`, { seats: 1 })
  await ask(`PUT ${billing}/seats`, { seats: 1, remove: [crypto.randomUUID()] })
  await ask(`PUT ${billing}/seats`, { seats: 1, remove: [owner.userId] })
  for (const app of PROVIDERS) {
    await ask(`POST ${billing}/portal`, {}, app)
    await ask(`POST ${billing}/preview`, { seats: 7 }, app)
    await ask(`PUT ${billing}/seats`, { seats: 7 }, app)
    await ask(`POST ${billing}/cancel`, { atPeriodEnd: true }, app)
    await ask(`POST ${billing}/resume`, {}, app)
  }
  await ask(`POST ${billing}/cancel`, { atPeriodEnd: true })
  await ask(`POST ${billing}/resume`, {}, PROVIDERS[0])
  await ask(`POST ${billing}/resume`, {}, PROVIDERS[1])
  await ask(`PUT ${billing}/seats`, { seats: 7 })
  await ask(`POST ${billing}/cancel`, { atPeriodEnd: true })
  const unpaid = await exchange('POST /organizations', { as, body: { name: 'Unpaid' } })
  const checkout = { as, param: { org: unpaid.id }, body: { plan: 'team', seats: 1 } }
  for (const app of PROVIDERS) await exchange(`POST ${billing}/checkout`, checkout, app)
  await exchange('POST /organizations/:org/members', { ...add, param: { org: unpaid.id } })
  await exchange(`POST ${billing}/checkout`, checkout)
}
