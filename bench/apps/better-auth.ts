/**
 * The organization plugin of better-auth as its documentation shows it on D1: the binding as the
 * database, the session in the database. `addMember` has no route of its own, so the host has one that
 * asks for the permission first.
 *
 * @module
 */
import { betterAuth } from 'better-auth'
import { bearer, organization } from 'better-auth/plugins'
import { Hono } from 'hono'
import type { App, Bindings } from './app.ts'

export function auth({ DB }: Pick<Bindings, 'DB'>) {
  return betterAuth({
    database: DB,
    secret: 'a secret of the bench, long enough for its purpose',
    baseURL: 'http://bench.test',
    logger: { disabled: true },
    telemetry: { enabled: false },
    rateLimit: { enabled: false },
    plugins: [
      bearer(),
      organization({
        organizationLimit: 1_000_000,
        invitationLimit: 1_000_000,
        membershipLimit: (_user, { slug }) => limitIn(slug),
      }),
    ],
  })
}

export default function betterAuthApp(bindings: Bindings): App {
  const { api, handler } = auth(bindings)
  const app = new Hono()
    .post('/members', async (c) => {
      const { headers } = c.req.raw
      const body = await c.req.json<{ userId: string; organizationId: string }>()
      const { organizationId, userId } = body
      const permissions = { member: ['create' as const] }
      const { success } = await api.hasPermission({
        headers,
        body: { organizationId, permissions },
      })
      if (!success) return c.json({ code: 'forbidden' }, 403)
      const member = await api.addMember({ body: { organizationId, userId, role: 'member' } })
      return c.json(member, 201)
    })
    .all('/api/auth/*', (c) => handler(c.req.raw))
    .onError((error, c) => {
      const { statusCode, body } = error as { statusCode?: number; body?: object }
      return c.json(body ?? {}, (statusCode ?? 500) as 403)
    })
  return { fetch: (request) => app.fetch(request) }
}

// The plan costs better-auth no look-up: a slug such as `full-10-7` says it.
function limitIn(slug: string): number {
  return Number(/^full-(\d+)-/.exec(slug)?.[1] ?? 1_000_000)
}
