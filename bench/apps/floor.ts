/**
 * The floor: the least code that keeps the same promises for members. The session and the caller's
 * membership are read in one batch; a change, its guard, the seat count and the audit event are
 * another. A change that is not allowed any more sets `sequence` to NULL, which rolls the batch back.
 *
 * @module
 */
import { Hono } from 'hono'
import type { App, Bindings } from './app.ts'

interface Standing {
  readonly userId: string
  readonly role: string
  readonly name: string
  readonly seats: number
  readonly limit: number
}

const STANDING = `SELECT m.user_id AS userId, m.role, o.name, o.seats, o.seat_limit AS "limit"
  FROM sessions s JOIN members m ON m.user_id = s.user_id AND m.organization_id = ?2
  JOIN organizations o ON o.id = ?2 WHERE s.token_hash = ?1 AND s.expires_at > ?3`

export default function floorApp({ DB }: Bindings): App {
  const app = new Hono<{ Variables: { standing: Standing; others: readonly unknown[] } }>()

  app.use('/organizations/:id/*', async (c, next) => {
    const [, token = ''] = /^Bearer (.+)$/.exec(c.req.header('authorization') ?? '') ?? []
    const id = c.req.param('id')
    const list = DB.prepare(
      'SELECT user_id, role FROM members WHERE organization_id = ? ORDER BY user_id LIMIT 50'
    )
    const [found, listed] = await DB.batch([
      DB.prepare(STANDING).bind(await hashOf(token), id, Date.now()),
      ...(c.req.method === 'GET' && c.req.path.endsWith('/members') ? [list.bind(id)] : []),
    ])
    const standing = found?.results[0] as Standing | undefined
    if (standing === undefined) return c.json({ code: 'not_found' }, 404)
    if (c.req.method !== 'GET' && standing.role === 'member') {
      return c.json({ code: 'forbidden' }, 403)
    }
    c.set('standing', standing)
    c.set('others', listed?.results ?? [])
    return next()
  })

  // One batch: the guard and the counts, the change, the event.
  const change = (
    id: string,
    actor: string,
    seats: number,
    act: D1PreparedStatement,
    event: Event
  ) =>
    DB.batch([
      DB.prepare(
        `UPDATE organizations SET seats = seats + ?3, sequence = CASE WHEN EXISTS (SELECT 1 FROM members
           WHERE organization_id = ?1 AND user_id = ?2 AND role <> 'member') AND ?4 = EXISTS (SELECT 1
           FROM members WHERE organization_id = ?1 AND user_id = ?5) THEN sequence + 1 END WHERE id = ?1`
      ).bind(id, actor, seats, seats === 1 ? 0 : 1, event.target),
      act,
      DB.prepare(
        'INSERT INTO events SELECT id, sequence, ?2, ?3, ?4, ?5 FROM organizations WHERE id = ?1'
      ).bind(id, event.action, actor, event.target, Date.now()),
    ])

  app.get('/organizations/:id/read', (c) => c.json({ name: c.get('standing').name }))
  app.get('/organizations/:id/members', (c) => c.json({ data: c.get('others') }))
  app.post('/organizations/:id/members', async (c) => {
    const { userId } = await c.req.json<{ userId: string }>()
    const { userId: actor, seats, limit } = c.get('standing')
    if (seats >= limit) return c.json({ code: 'seat_limit_reached' }, 409)
    const act = DB.prepare(`INSERT INTO members VALUES (?, ?, 'member', ?)`)
    const id = c.req.param('id')
    const added = act.bind(id, userId, Date.now())
    await change(id, actor, 1, added, { action: 'member_add', target: userId })
    return c.json({ userId }, 201)
  })
  app.patch('/organizations/:id/members/:user', async (c) => {
    const { role } = await c.req.json<{ role: string }>()
    const [id, user] = [c.req.param('id'), c.req.param('user')]
    const act = DB.prepare('UPDATE members SET role = ? WHERE organization_id = ? AND user_id = ?')
    const event = { action: 'role_change', target: user }
    await change(id, c.get('standing').userId, 0, act.bind(role, id, user), event)
    return c.json({ role })
  })
  app.delete('/organizations/:id/members/:user', async (c) => {
    const [id, user] = [c.req.param('id'), c.req.param('user')]
    const act = DB.prepare('DELETE FROM members WHERE organization_id = ? AND user_id = ?')
    const event = { action: 'member_remove', target: user }
    await change(id, c.get('standing').userId, -1, act.bind(id, user), event)
    return c.body(null, 204)
  })
  app.onError((error, c) =>
    error.message.includes('constraint failed')
      ? c.json({ code: 'conflict' }, 409)
      : c.text('', 500)
  )
  return { fetch: (request) => app.fetch(request) }
}

interface Event {
  readonly action: string
  readonly target: string
}

async function hashOf(token: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(token))
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
