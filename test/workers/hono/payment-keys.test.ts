import { expect, it } from 'vitest'
import { connected, newUsers } from '../../kit/index.ts'

const ROUTES = [
  ['POST', 'checkout', { plan: 'team', seats: 4 }],
  ['PUT', 'seats', { seats: 6 }],
  ['POST', 'cancel', { atPeriodEnd: true }],
  ['POST', 'resume', undefined],
  ['POST', 'portal', undefined],
] as const

it.each(ROUTES)(
  '%s %s refuses a wrong Idempotency-Key and a body of another type, after access',
  async (method, route, body) => {
    const test = connected()
    const { id, owner } = await test.subscribed(4)
    const path = `/organizations/${id}/billing/${route}`
    const codeFor = async (userId: string, headers: Record<string, string>, json: unknown) => {
      const response = await test.ask(userId, method, path, json, headers)
      return [response.status, (await response.json<{ code: string }>()).code]
    }
    const asked = test.standIn.asked.length
    const wrong = { 'idempotency-key': 'x'.repeat(256) }
    const text = { 'x-user': owner, 'content-type': 'text/plain' }
    const [stranger = ''] = await newUsers(1)
    expect(await codeFor(owner, wrong, body)).toEqual([422, 'validation_error'])
    expect(await codeFor(stranger, wrong, body)).toEqual([404, 'organization_not_found'])
    expect(await codeFor(owner, text, undefined)).toEqual([415, 'unsupported_media_type'])
    expect(test.standIn.asked.slice(asked)).toEqual([])
  }
)
