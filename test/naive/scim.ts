import type { ScimAnswer, ScimProduct } from '../museum/scim-cases.ts'

interface User {
  readonly id: string
  userName: string
  active: boolean
  [name: string]: unknown
}

/**
 * SCIM as it is written in an afternoon: the body is the row, and PATCH is a spread. Every line is plausible,
 * and each case finds a bug that a product has shipped.
 */
export function openNaiveScim(): ScimProduct {
  const users = new Map<string, User>()
  let limit = 10
  const said = (status: number, body: unknown): ScimAnswer => ({
    status,
    type: 'application/json',
    body,
  })
  const post = (body: User): ScimAnswer => {
    const known = [...users.values()].find(({ userName }) => userName === body.userName)
    const id = known?.id ?? body.id ?? crypto.randomUUID()
    users.set(id, { ...body, id, active: true })
    return said(201, users.get(id))
  }
  const patch = (user: User, body: unknown): ScimAnswer => {
    const { Operations } = body as { Operations: { op: string; path?: string; value: unknown }[] }
    for (const { op, path, value } of Operations) {
      if (op === 'add' && path !== undefined) user[path] = value
      if (op !== 'replace') continue
      if (path === 'active' && value === true) {
        if (users.size >= limit) return said(400, { error: 'not supported' })
        user.active = true
      } else if (path !== undefined && path !== 'active') {
        user[path] = value
      } else if (path === undefined) {
        Object.assign(user, value)
      }
    }
    return said(200, user)
  }
  return {
    person: (name, more) => ({ userName: `${name}@acme.example`, ...more }),
    async ask(method, path, body) {
      const [, , id = ''] = path.split(/[/?]/)
      if (method === 'POST') return post(body as User)
      if (path.includes('?')) return said(404, { error: 'not found' })
      const user = users.get(id)
      if (!user) return said(404, { error: 'not found' })
      if (method === 'PATCH') return patch(user, body)
      if (method === 'DELETE') users.delete(id)
      return said(method === 'DELETE' ? 204 : 200, user)
    },
    members: async () => 1 + [...users.values()].filter(({ active }) => active).length,
    limitTo: async (seats) => void (limit = seats),
    makeOwner: async () => {},
  }
}
