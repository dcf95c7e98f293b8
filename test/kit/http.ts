/**
 * A small client over the reference host, and hosts with settings of their own beside it.
 *
 * @module
 */
import { exports } from 'cloudflare:workers'
import { drizzle } from 'drizzle-orm/d1'
import { addressVerification } from '../../host/identity/routes.ts'
import { insertSession, newSession, sessionQuery } from '../../host/identity/sessions.ts'
import { users } from '../../host/identity/schema.ts'
import { seatgateRouter, type Authenticate } from '../../src/hono/index.ts'
import {
  d1Sessions,
  joinRules,
  ledgerSeats,
  type InvitationWithToken,
  type LedgerNamespace,
  type Membership,
  type Organization,
  type Page,
  type Principal,
  type SeatUsage,
} from '../../src/index.ts'
import { createFlat, type FlatOptions } from './flat-options.ts'
import { testEnv } from './environment.ts'
import { PASSWORD, SECRET } from './kit.ts'

export const db = drizzle(testEnv.DB)

/** Seals the invitations of the reference host under test: see `vitest.config.ts`. */
export const HOST_SECRET = 'a secret of the reference host under test'

/** Somebody who is signed in. */
export interface Person {
  readonly userId: string
  readonly email: string
  readonly token: string
}

type Headers = Readonly<Record<string, string>>
type Fetch = (url: string, init: RequestInit) => Response | Promise<Response>
export type Client = ReturnType<typeof clientOf>

/** Sends requests; a body that is a text goes out as it is, anything else as JSON. */
export function clientOf(fetch: Fetch) {
  const send = async (
    method: string,
    path: string,
    body: unknown,
    token: string | null,
    headers: Headers = {}
  ) =>
    fetch(`http://seatgate.test${path}`, {
      method,
      headers: {
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(token !== null && { authorization: `Bearer ${token}` }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
  return {
    send,
    fetch: (path: string, init: RequestInit) => fetch(`http://seatgate.test${path}`, init),
    get: (path: string, token: string | null = null, headers?: Headers) =>
      send('GET', path, undefined, token, headers),
    post: (path: string, body: unknown, token: string | null = null, headers?: Headers) =>
      send('POST', path, body, token, headers),
    put: (path: string, body: unknown, token: string | null = null, headers?: Headers) =>
      send('PUT', path, body, token, headers),
    patch: (path: string, body: unknown, token: string | null = null, headers?: Headers) =>
      send('PATCH', path, body, token, headers),
    delete: (path: string, token: string | null = null, headers?: Headers) =>
      send('DELETE', path, undefined, token, headers),
  }
}

/** The reference host. */
export const host = clientOf((url, init) =>
  (exports as unknown as { default: Fetcher }).default.fetch(url, init)
)

/** Signs somebody up over HTTP: hashing takes its time, so that most tests use {@link people}. */
export async function signUp(email: string, password = 'correct horse'): Promise<Person> {
  const response = await host.post('/identity/sign-up', { email, password })
  if (response.status !== 201) throw new Error(`sign-up answered ${response.status}`)
  const { user, token } = await response.json<{ user: { id: string }; token: string }>()
  return { userId: user.id, email, token }
}

/** Makes so many signed-in people by SQL; they have no password. */
export async function people(count: number): Promise<Person[]> {
  const now = new Date()
  const made = await Promise.all(
    Array.from({ length: count }, async () => {
      const userId = crypto.randomUUID()
      return { userId, email: `${userId}@example.com`, ...(await newSession()) }
    })
  )
  const statements = made.flatMap(({ userId: id, email, tokenHash }) => [
    db.insert(users).values({ id, email, passwordHash: 'none', createdAt: now }),
    insertSession(db, tokenHash, id, now),
  ])
  const [first, ...rest] = statements
  if (first) await db.batch([first, ...rest])
  return made.map(({ userId, email, token }) => ({ userId, email, token }))
}

/** Makes one signed-in person. */
export async function person(): Promise<Person> {
  const [made] = await people(1)
  if (!made) throw new Error('nobody was made')
  return made
}

/** Creates an organization over HTTP. */
export async function postOrganization(
  owner: { readonly token: string },
  input: { name?: string; slug?: string } = {},
  client: Client = host
): Promise<Organization> {
  const slug = `org-${crypto.randomUUID().slice(0, 8)}`
  const response = await client.post(
    '/organizations',
    { name: 'Acme', slug, ...input },
    owner.token
  )
  if (response.status !== 201) throw new Error(`creation answered ${response.status}`)
  return response.json()
}

/** Adds a member over HTTP. */
export async function postMember(
  organization: Organization,
  owner: Person,
  member: Person,
  role = 'member'
): Promise<Membership> {
  const path = `/organizations/${organization.id}/members`
  const response = await host.post(path, { userId: member.userId, role }, owner.token)
  if (response.status !== 201) throw new Error(`joining answered ${response.status}`)
  return response.json()
}

/** Invites an address over HTTP. */
export async function postInvitation(
  organization: Organization,
  owner: { readonly token: string },
  email: string,
  role = 'member',
  client: Client = host
): Promise<InvitationWithToken> {
  const path = `/organizations/${organization.id}/invitations`
  const response = await client.post(path, { email, role }, owner.token)
  if (response.status !== 201) throw new Error(`inviting answered ${response.status}`)
  return response.json()
}

/** Who asks in {@link embedded} hosts: `operator:ID`, `user:ID` and {@link tokenFor} are tokens. */
export const byName: Authenticate = (c) => {
  const [, kind, name] =
    /^Bearer (operator|user|principal):(.+)$/.exec(c.req.header('authorization') ?? '') ?? []
  if (name === undefined) return null
  if (kind === 'principal') return JSON.parse(atob(name)) as Principal
  return { userId: name, operator: kind === 'operator' }
}

/** The token of any principal in {@link embedded} hosts. */
export const tokenFor = (principal: Principal) => `principal:${btoa(JSON.stringify(principal))}`

/** Who asks is looked up by their session, as in the reference host. */
export const bySession: Authenticate = (c) => {
  const [, token] = /^Bearer (.+)$/.exec(c.req.header('authorization') ?? '') ?? []
  return token === undefined ? null : sessionQuery(db, token, () => false)
}

export const asUser = ({ userId }: Pick<Person, 'userId'>) => `user:${userId}`
export const anOperator = 'operator:operations'

/** A configuration on the same database and ledgers, quiet and awaited. */
export function seatgateWith(options: Partial<FlatOptions> = {}) {
  return createFlat({
    database: db,
    seats: ledgerSeats(testEnv.SEATS),
    ...(!('seats' in options) && { sealer: testEnv.SEATS }),
    sessions: d1Sessions(),
    verifyPassword: (_userId, password) => password === PASSWORD,
    users,
    secret: SECRET,
    emailVerification: addressVerification(db),
    report() {},
    ...('roles' in options || 'users' in options
      ? {}
      : { joining: joinRules({ verifyDomain: () => false }) }),
    ...options,
  })
}

/** A host of its own over {@link seatgateWith}. */
export function embedded(
  options: Partial<FlatOptions> = {},
  authenticate: Authenticate = byName
): Client {
  const router = seatgateRouter(seatgateWith(options), { authenticate })
  return clientOf((url, init) => router.request(url, init))
}

/** Sets a seat limit as an operator. */
export async function limitTo(organization: Organization, limit: number | 'unlimited') {
  const path = `/organizations/${organization.id}/seats/limit`
  const response = await embedded().put(path, { limit }, anOperator)
  if (response.status !== 200) throw new Error(`the limit answered ${response.status}`)
}

/** The headers of an answer that tell something: the id of its request is another each time. */
export function headersOf({ headers }: Response): Record<string, string> {
  const { 'x-request-id': _requestId, ...telling } = Object.fromEntries(headers)
  return telling
}

/** A body's problem: its code, and the fields that it complains of. */
export async function problem(response: Response) {
  const body = await response.json<{ code: string; status: number; errors?: object }>()
  return { status: response.status, code: body.code, fields: Object.keys(body.errors ?? {}) }
}

const COUNTED =
  'seatgate_organizations seatgate_memberships seatgate_entitlements seatgate_audit_events seatgate_operations users seatgate_sessions seatgate_seat_fences ' +
  'seatgate_organization_slug_aliases seatgate_jobs seatgate_invitations seatgate_rate_limits seatgate_organization_domains seatgate_join_requests'

/** How many rows there are in every table that a request writes to itself. */
export async function rowCounts(): Promise<Record<string, number>> {
  const columns = COUNTED.split(' ').map((table) => `(SELECT count(*) FROM ${table}) AS ${table}`)
  const row = await testEnv.DB.prepare(`SELECT ${columns.join(', ')}`).first<
    Record<string, number>
  >()
  if (!row) throw new Error('no counts')
  return row
}

/** The numbers from 1 to 120 for `json_each`: rows for more than two pages. */
export const NUMBERS = JSON.stringify(Array.from({ length: 120 }, (_, index) => index + 1))

/** Follows a list's cursors to the end, which must come within ten pages. */
export async function allPages<T>(path: string, token: string, limit: number): Promise<T[][]> {
  const pages: T[][] = []
  let cursor: string | null = ''
  while (cursor !== null) {
    const query: string = `limit=${limit}${cursor && `&cursor=${cursor}`}`
    const response = await host.get(`${path}?${query}`, token)
    const page: Page<T> = await response.json()
    pages.push([...page.data])
    cursor = page.nextCursor
    if (pages.length > 10) throw new Error('the pages do not end')
  }
  return pages
}

/** An organization of an owner and a member, and a candidate who would like to join. */
export async function smallTeam() {
  const [owner, member, candidate] = (await people(3)) as [Person, Person, Person]
  const organization = await postOrganization(owner)
  await postMember(organization, owner, member)
  const path = `/organizations/${organization.id}`
  const join = (client: Client = host, token = owner.token, headers = {}) =>
    client.post(`${path}/members`, { userId: candidate.userId, role: 'member' }, token, headers)
  const seats = async () => (await host.get(`${path}/seats`, owner.token)).json<SeatUsage>()
  return { owner, member, candidate, organization, path, join, seats }
}

/** Ledgers of which one call, or `everything`, is replaced. */
export function ledgersThat(call: string, instead: () => Promise<never>): LedgerNamespace {
  return {
    getByName: (name) =>
      new Proxy(
        testEnv.SEATS.getByName(name) as unknown as ReturnType<LedgerNamespace['getByName']>,
        {
          get: (stub, key) =>
            key === call || call === 'everything' ? instead : Reflect.get(stub, key, stub),
        }
      ),
  }
}

/** An organization with an owner, an admin and a member, and somebody who is not in it. */
export async function fullTeam() {
  const [owner, admin, member, stranger] = (await people(4)) as [Person, Person, Person, Person]
  const organization = await postOrganization(owner)
  await postMember(organization, owner, admin, 'admin')
  await postMember(organization, owner, member)
  return { owner, admin, member, stranger, organization, ...memberPaths(organization.id) }
}

export function memberPaths(id: string) {
  const members = `/organizations/${id}/members`
  return { members, memberPath: ({ userId }: Person) => `${members}/${userId}` }
}
