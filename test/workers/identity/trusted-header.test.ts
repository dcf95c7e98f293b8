import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { trustedHeader } from '../../../src/identity/index.ts'
import { callerOf } from '../../kit/identity/issuer.ts'

const SECRET = 'a secret of the gateway, 32 characters'
const OLD = 'the secret before it, also 32 characters'

describe('trustedHeader', () => {
  it('takes the user of a request that has the secret of the gateway', async () => {
    const { authenticate } = trustedHeader({
      gateway: { secret: [SECRET, OLD] },
      operator: 'x-operator',
    })
    const ask = (headers: Record<string, string>) => callerOf(authenticate, headers)
    for (const secret of [SECRET, OLD]) {
      expect(await ask({ 'x-user-id': 'ann', 'x-gateway-secret': secret })).toEqual({
        userId: 'ann',
      })
    }
    const named = { 'x-user-id': 'ann', 'x-gateway-secret': SECRET }
    expect(await ask({ ...named, 'x-operator': 'true' })).toEqual({ userId: 'ann', operator: true })
    expect(await ask({ ...named, 'x-operator': '1' })).toEqual({ userId: 'ann' })
  })

  it.each([
    ['no secret', { 'x-user-id': 'ann' }],
    ['an empty secret', { 'x-user-id': 'ann', 'x-gateway-secret': '' }],
    ['another secret', { 'x-user-id': 'ann', 'x-gateway-secret': `${SECRET}!` }],
    ['no user', { 'x-gateway-secret': SECRET }],
    ['two users', { 'x-user-id': 'ann, ben', 'x-gateway-secret': SECRET }],
    ['an id of 256 characters', { 'x-user-id': 'a'.repeat(256), 'x-gateway-secret': SECRET }],
  ])('has no caller for a request with %s', async (_what, headers) => {
    const { authenticate } = trustedHeader({ gateway: { secret: SECRET } })
    expect(await callerOf(authenticate, headers)).toBeNull()
  })

  it('takes the user of a request with a verified client certificate of the gateway', async () => {
    const FINGERPRINT = 'ab'.repeat(32)
    const colons = FINGERPRINT.toUpperCase().match(/../g)!.join(':')
    const { authenticate } = trustedHeader({ gateway: { certificates: [colons] } })
    const app = new Hono().get('/', async (c) => c.json(await authenticate(c)))
    const ask = async (tlsClientAuth?: object) => {
      const init = { headers: { 'x-user-id': 'ann' }, cf: { tlsClientAuth } }
      return (await app.request(new Request('https://x.example/', init as RequestInit))).json()
    }
    const verified = { certVerified: 'SUCCESS', certFingerprintSHA256: FINGERPRINT }
    expect(await ask(verified)).toEqual({ userId: 'ann' })
    expect(await ask({ ...verified, certVerified: 'FAILED:expired' })).toBeNull()
    expect(await ask({ ...verified, certFingerprintSHA256: 'cd'.repeat(32) })).toBeNull()
    expect(await ask()).toBeNull()
  })

  it('takes the user of a request that passes the check', async () => {
    const answers: unknown[] = [true, false, 'yes', null]
    const { authenticate } = trustedHeader({ gateway: { check: () => answers.shift() as boolean } })
    const headers = { 'x-user-id': 'ann' }
    expect(await callerOf(authenticate, headers)).toEqual({ userId: 'ann' })
    for (let n = 0; n < 3; n++) expect(await callerOf(authenticate, headers)).toBeNull()
  })

  it.each([
    ['no gateway', {}],
    ['a short secret', { gateway: { secret: 'short' } }],
    ['no secrets', { gateway: { secret: [] } }],
    ['an unset secret', { gateway: { secret: undefined } }],
    ['no certificates', { gateway: { certificates: [] } }],
    ['a certificate that is no fingerprint', { gateway: { certificates: ['abc'] } }],
    ['a check that is no function', { gateway: { check: true } }],
    ['a misspelt option', { gateway: { secret: SECRET }, user: 'x' }],
    ['a header that has no such name', { gateway: { secret: SECRET }, userId: 'x user' }],
  ])('refuses to start with %s', (_what, options) => {
    expect(() => trustedHeader(options as never)).toThrow(TypeError)
  })
})
