import { Hono } from 'hono'
import { beforeEach, describe, expect, it } from 'vitest'
import { loadActiveOrganization, seatgateRouter } from '../../../src/hono/index.ts'
import { createKit } from '../../kit/index.ts'
import { createIssuer, identityOf } from '../../kit/identity/issuer.ts'

let issuer: Awaited<ReturnType<typeof createIssuer>>
beforeEach(async () => {
  issuer = await createIssuer()
})

describe('the routes with jwks', () => {
  it('read an organization in one round trip', async () => {
    const kit = createKit({ provider: 'd1' })
    const acme = await kit.organization()
    const { authenticate } = identityOf(issuer)
    const router = seatgateRouter(kit.seatgate, { authenticate })
    const authorization = `Bearer ${await issuer.token({ sub: acme.owner })}`
    const ask = (headers: Record<string, string>) =>
      router.request(`/organizations/${acme.id}`, { headers })
    expect((await ask({ authorization })).status).toBe(200)
    const before = kit.trips()
    expect((await ask({ authorization })).status).toBe(200)
    expect(kit.trips() - before).toBe(1)
    expect(issuer.fetched).toHaveLength(1)
    expect((await ask({ authorization: 'Bearer a.b.c' })).status).toBe(401)
  })

  it('are unavailable, and not unauthenticated, while the issuer does not answer', async () => {
    issuer.answerWith(() => new Response(null, { status: 503 }))
    const reports: string[] = []
    const kit = createKit({ provider: 'd1', report: ({ event }) => void reports.push(event) })
    const { authenticate } = identityOf(issuer)
    const headers = { authorization: `Bearer ${await issuer.token()}` }
    const router = seatgateRouter(kit.seatgate, { authenticate })
    expect((await router.request('/organizations', { headers })).status).toBe(503)
    const own = new Hono()
      .use(loadActiveOrganization(kit.seatgate, { authenticate }))
      .get('/', (c) => c.text('reached'))
    expect((await own.request('/', { headers })).status).toBe(503)
    expect(reports).toEqual(['identity_unavailable', 'identity_unavailable'])
  })
})
