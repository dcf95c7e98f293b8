/**
 * The client against the reference host: each group of routes answers as its type says.
 */
import { exports } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { createClient } from '../../../src/client/index.ts'
import { people, person, type Person } from '../../kit/index.ts'

const fetcher = (exports as unknown as { default: Fetcher }).default

function clientOf(who: Person | null) {
  return createClient({
    baseUrl: 'http://seatgate.test',
    headers: who ? { authorization: `Bearer ${who.token}` } : {},
    fetch: (url, init) => fetcher.fetch(url, init),
  })
}

/** Returns the value of an answer; fails with its refusal. */
function valueOf<T>(answer: { ok: true; value: T } | { ok: false; error: unknown }): T {
  if (!answer.ok) throw new Error(JSON.stringify(answer.error))
  return answer.value
}

async function acme() {
  const owner = await person()
  const client = clientOf(owner)
  const json = { name: 'Acme', slug: `acme-${crypto.randomUUID().slice(0, 8)}` }
  const organization = valueOf(await client.post('/organizations', { json }))
  return { owner, client, organization, param: { org: organization.id } }
}

describe('the client', () => {
  it('reads and changes organizations', async () => {
    const { client, organization, param } = await acme()
    const json = { name: 'Acme Ltd' }
    expect(valueOf(await client.patch('/organizations/:org', { param, json })).name).toBe(
      'Acme Ltd'
    )
    const own = valueOf(await client.get('/organizations'))
    expect(own.data.map((row) => row.organization.slug)).toEqual([organization.slug])
    const missing = await client.get('/organizations/:org', { param: { org: 'nobody' } })
    expect(missing.ok ? null : missing.error.code).toBe('organization_not_found')
  })

  it('adds, lists, suspends, restores and removes members', async () => {
    const { client, param } = await acme()
    const others = await people(3)
    for (const { userId } of others) {
      const json = { userId, role: 'member' }
      valueOf(await client.post('/organizations/:org/members', { param, json }))
    }
    const found: string[] = []
    const query = { limit: 2 }
    for await (const page of client.pages('/organizations/:org/members', { param, query })) {
      found.push(...valueOf(page).data.map((member) => member.userId))
    }
    expect(new Set(found).size).toBe(4)
    const one = { org: param.org, userId: others[0]?.userId ?? '' }
    const path = '/organizations/:org/members/:userId'
    expect(valueOf(await client.post(`${path}/suspend`, { param: one })).status).toBe('suspended')
    expect(valueOf(await client.post(`${path}/restore`, { param: one })).status).toBe('active')
    valueOf(await client.patch(path, { param: one, json: { role: 'admin' } }))
    expect(valueOf(await client.delete(path, { param: one }))).toBeNull()
    const again = await client.delete(path, { param: one })
    expect(again.ok ? null : again.error.code).toBe('not_found')
    const wrong = await client.post('/organizations/:org/members', {
      param,
      json: { userId: one.userId, role: 'king' },
    })
    if (wrong.ok || wrong.error.code !== 'validation_error') throw new Error('not refused')
    expect(Object.keys(wrong.error.errors)).toEqual(['role'])
  })

  it('invites, shows and accepts', async () => {
    const { client, param } = await acme()
    const invitee = await person()
    const json = { email: invitee.email, role: 'member' }
    const path = '/organizations/:org/invitations'
    const invited = valueOf(await client.post(path, { param, json }))
    expect(valueOf(await client.get(path, { param })).data.map(({ id }) => id)).toEqual([
      invited.id,
    ])
    const token = { json: { token: invited.token } }
    expect(valueOf(await clientOf(null).post('/invitations/view', token)).status).toBeTypeOf(
      'string'
    )
    const accepted = valueOf(await clientOf(invitee).post('/invitations/accept', token))
    expect(accepted.organization.id).toBe(param.org)
    const text = `email,role\n${crypto.randomUUID()}@example.com,member\n`
    const imported = valueOf(
      await client.post(
        '/organizations/:org/members/import',
        { param },
        { body: { type: 'text/csv', text } }
      )
    )
    expect(imported.data.map(({ status }) => status)).toEqual([201])
  })

  it('asks to join', async () => {
    const { client, param } = await acme()
    expect(valueOf(await client.get('/organizations/:org/domains', { param })).data).toEqual([])
    expect(valueOf(await client.get('/organizations/:org/join-requests', { param })).data).toEqual(
      []
    )
    expect(valueOf(await clientOf(await person()).get('/joinable-organizations')).data).toEqual([])
    const json = { organizationId: param.org }
    const refused = await clientOf(await person()).post('/join-requests', { json })
    expect(refused.ok ? null : refused.error.code).toBe('organization_not_found')
  })

  it('reads seats, billing and the audit trail', async () => {
    const { client, param } = await acme()
    const seats = valueOf(await client.get('/organizations/:org/seats', { param }))
    expect(seats).toMatchObject({ limit: 'unlimited', held: 1 })
    valueOf(await client.get('/organizations/:org/seats/explain', { param }))
    const billing = valueOf(await client.get('/organizations/:org/billing', { param }))
    expect(billing.seats.used).toBe(1)
    const query = { action: 'organization.create', order: 'oldest' } as const
    const events = valueOf(await client.get('/organizations/:org/audit', { param, query }))
    expect(events.data.map((event) => event.sequence)).toEqual([1])
    expect(valueOf(await client.get('/organizations/:org/audit/count', { param })).count).toBe(2)
    const file = valueOf(await client.get('/organizations/:org/audit/export', { param }))
    expect((await file.text()).split('\n')[0]).toContain('organization.create')
    const inJson = { param, query: { format: 'json' } } as const
    const document = valueOf(await client.get('/organizations/:org/audit/export', inJson))
    expect((await document.json<{ end: { events: number } }>()).end.events).toBe(3)
    expect(valueOf(await client.get('/organizations/:org/audit/sinks', { param })).data).toEqual([])
  })

  it('sets the active organization', async () => {
    const { client, organization } = await acme()
    const json = { organizationId: organization.id }
    valueOf(await client.put('/active-organization', { json }))
    const active = valueOf(await client.get('/active-organization'))
    expect(active.organization?.id).toBe(organization.id)
    const { role } = valueOf(
      await client.get('/o/:org', { param: { org: organization.slug } })
    ) as {
      role: string
    }
    expect(role).toBe('owner')
  })

  it('is refused the operations of operators, as a stranger and without an identity', async () => {
    const { client, param } = await acme()
    const limited = await client.put('/organizations/:org/seats/limit', {
      param,
      json: { limit: 3 },
    })
    expect(limited.ok ? null : limited.error.code).toBe('insufficient_role')
    const platform = await client.get('/operator/organizations/:org', { param })
    expect(platform.ok ? null : platform.error.code).toBe('organization_not_found')
    const stranger = await clientOf(await person()).get('/organizations/:org/seats', { param })
    expect(stranger.ok ? null : stranger.error.code).toBe('organization_not_found')
    const nobody = await clientOf(null).get('/organizations')
    expect(nobody.ok ? null : nobody.error).toMatchObject({ code: 'unauthenticated', status: 401 })
  })
})

describe('a repetition of a POST', () => {
  it('gets the first answer', async () => {
    const client = clientOf(await person())
    const json = { name: 'Acme', slug: `acme-${crypto.randomUUID().slice(0, 8)}` }
    const options = { idempotencyKey: crypto.randomUUID() }
    const first = valueOf(await client.post('/organizations', { json }, options))
    const second = valueOf(await client.post('/organizations', { json }, options))
    expect(second).toEqual(first)
    expect(valueOf(await client.get('/organizations')).data).toHaveLength(1)
  })
})
