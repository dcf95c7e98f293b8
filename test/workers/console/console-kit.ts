import { Hono } from 'hono'
import { sessionQuery } from '../../../host/identity/sessions.ts'
import { scimTokenPages, seatgateConsole, type ConsoleOptions } from '../../../src/console/index.ts'
import { createKit, person, postMember, SECRET, type Kit, type Person } from '../../kit/index.ts'
import { createScimKit } from '../../kit/scim.ts'

/** The ids of users who are operators. */
export const operators = new Set<string>()

/** Finds the session of a request. The query goes into the library's batch: it is made with its handle. */
export const authenticating =
  ({ db }: Kit['seatgate']): ConsoleOptions['authenticate'] =>
  async (c) => {
    const [, token] = /session=([\w-]+)/.exec(c.req.header('cookie') ?? '') ?? []
    return token === undefined
      ? null
      : sessionQuery(db, token, ({ userId }) => operators.has(userId))
  }

/** Mounts a console, and makes requests to it. */
export function mounted(seatgate: Kit['seatgate'], options: Partial<ConsoleOptions> = {}) {
  const app = new Hono().route(
    '/admin/console',
    seatgateConsole(seatgate, { authenticate: authenticating(seatgate), ...options })
  )
  const headersFor = (who: Person | null) =>
    who === null ? {} : { cookie: `session=${who.token}` }
  return {
    get: (path: string, who: Person | null, headers: Record<string, string> = {}) =>
      app.request(`/admin/console${path}`, { headers: { ...headersFor(who), ...headers } }),
    post: (
      path: string,
      who: Person | null,
      fields: Record<string, string> = {},
      headers: Record<string, string> = { 'sec-fetch-site': 'same-origin' }
    ) =>
      app.request(`/admin/console${path}`, {
        method: 'POST',
        body: new URLSearchParams(fields),
        headers: { ...headersFor(who), ...headers },
      }),
  }
}

/** A console over an organization with an owner and a member, both with a session. */
export async function acme(
  options: Parameters<typeof createKit>[0] = {},
  consoleOptions: Partial<ConsoleOptions> = {}
) {
  const kit = createKit({ secret: SECRET, ...options })
  const [owner, member] = [await person(), await person()]
  const pages = mounted(kit.seatgate, consoleOptions)
  const created = await pages.post('/new', owner, { name: 'Acme' })
  const slug = created.headers.get('location')?.split('/')[4] ?? ''
  if (slug === '') throw new Error(`${created.status} ${[...created.headers].join(' ')}`)
  await kit.settled()
  return { kit, owner, member, pages, slug }
}

/** The path that a response leads to, below that of the console. */
export const leads = ({ headers }: Response) =>
  (headers.get('location') ?? '').replace('/admin/console', '')

/** A console with SCIM over an organization with an owner and an administrator. */
export async function pushed() {
  const kit = createScimKit({ secret: SECRET })
  const [owner, admin] = [await person(), await person()]
  const pages = mounted(kit.context, { sections: [scimTokenPages] })
  const created = await pages.post('/new', owner, { name: 'Pushed' })
  const slug = leads(created).split('/')[2] ?? ''
  await postMember({ id: slug } as Parameters<typeof postMember>[0], owner, admin, 'admin')
  return { kit, owner, admin, pages, path: `/org/${slug}/directory` }
}

/** Submits a form, and returns the page that its response leads to. */
export async function shownAfter(
  pages: ReturnType<typeof mounted>,
  path: string,
  who: Person,
  fields: Record<string, string> = {}
): Promise<string> {
  const answer = await pages.post(path, who, fields)
  const outcome = (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? ''
  const cookie = `session=${who.token}; ${outcome}`
  return (await pages.get(leads(answer), null, { cookie })).text()
}

/** Follows the links to older rows from a page, and returns the matches of each page. */
export async function readAll(
  pages: ReturnType<typeof mounted>,
  who: Person,
  path: string,
  pattern: RegExp
): Promise<readonly (readonly string[])[]> {
  const found: string[][] = []
  let next: string | null = path
  while (next !== null) {
    const response = await pages.get(next, who)
    const html = await response.text()
    const leadsBack = html.includes('Back to the newest')
    if (!response.ok || leadsBack !== found.length > 0) throw new Error(`${next}: ${html}`)
    found.push([...html.matchAll(pattern)].map(([, name = '']) => name))
    const [, href] = /<a href="([^"]*)" rel="next">Older</.exec(html) ?? []
    next = href?.replaceAll('&amp;', '&').replace('/admin/console', '') ?? null
  }
  return found
}
