export interface User {
  readonly id: string
  readonly email: string
}

export interface Organization {
  readonly id: string
  readonly slug: string
  readonly name: string
}

export interface Membership {
  readonly id: string
  readonly userId: string
  readonly role: string
}

export interface Seats {
  readonly limit: number | 'unlimited' | 'unknown'
  readonly held: number
  readonly reserved: number
  readonly available: number | 'unlimited' | 'unknown' | null
  readonly overLimit: boolean
  readonly version: number
}

export interface Billing {
  readonly plan: string | null
  readonly status: string
  readonly granting: boolean
  readonly reason: string
}

export interface AuditEvent {
  readonly id: string
  readonly sequence: number
  readonly action: string
}

export interface Page<T> {
  readonly data: readonly T[]
  readonly nextCursor: string | null
}

/** A refusal as it travels: RFC 9457 with a stable code. */
export interface Problem {
  readonly status: number
  readonly code: string
  readonly title?: string
  readonly detail?: string
  readonly limit?: number
  readonly used?: number
}

export type Answer<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: Problem }

export type Client = ReturnType<typeof connect>

const REQUEST_TIMEOUT_MS = 30_000

/** One person's view of the worker at `url`; without a token, a stranger's. */
export function connect(url: string, token?: string) {
  async function ask<T>(method: string, path: string, body?: unknown): Promise<Answer<T>> {
    const response = await fetch(url + path, {
      method,
      headers: {
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    if (response.ok) return { ok: true, value: (text === '' ? undefined : JSON.parse(text)) as T }
    return { ok: false, problem: readProblem(response.status, text) }
  }

  async function pages<T>(path: string): Promise<T[]> {
    const all: T[] = []
    let cursor: string | null = null
    do {
      const from: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`
      const page: Page<T> = granted(await ask<Page<T>>('GET', `${path}?limit=200${from}`))
      all.push(...page.data)
      cursor = page.nextCursor
    } while (cursor !== null)
    return all
  }

  const organization = (id: string) => `/organizations/${encodeURIComponent(id)}`

  return {
    signUp: (email: string, password = 'correct horse battery') =>
      ask<{ user: User; token: string }>('POST', '/identity/sign-up', { email, password }),
    createOrganization: (name: string) => ask<Organization>('POST', '/organizations', { name }),
    addMember: (organizationId: string, userId: string, role = 'member') =>
      ask<Membership>('POST', `${organization(organizationId)}/members`, { userId, role }),
    removeMember: (organizationId: string, userId: string) =>
      ask<undefined>('DELETE', `${organization(organizationId)}/members/${userId}`),
    members: (organizationId: string) =>
      pages<Membership>(`${organization(organizationId)}/members`),
    seats: async (organizationId: string) =>
      granted(await ask<Seats>('GET', `${organization(organizationId)}/seats`)),
    setSeatLimit: (organizationId: string, limit: number) =>
      ask<Seats>('PUT', `${organization(organizationId)}/seats/limit`, { limit }),
    billing: async (organizationId: string) =>
      granted(await ask<Billing>('GET', `${organization(organizationId)}/billing`)),
    /** What a customer, a card or the time does at the provider of development. */
    atProvider: (organizationId: string, event: object) =>
      ask<unknown>('POST', `/dev/billing/${encodeURIComponent(organizationId)}`, event),
    audit: (organizationId: string) => pages<AuditEvent>(`${organization(organizationId)}/audit`),
  }
}

/** The value of an answer that has to be a yes. */
export function granted<T>(answer: Answer<T>): T {
  if (answer.ok) return answer.value
  const { status, code, title, detail } = answer.problem
  throw new Error([status, code, detail ?? title].filter((part) => part !== undefined).join(' '))
}

function readProblem(status: number, text: string): Problem {
  try {
    return { code: 'none', ...(JSON.parse(text) as Partial<Problem>), status }
  } catch {
    return { status, code: 'none', detail: text.slice(0, 500) }
  }
}
