/**
 * Sends requests to an application and keeps the exchanges: for each status and code of a route the first.
 *
 * @module
 */
import type { Hono } from 'hono'
import type * as v from 'valibot'
import { fieldsOf } from '../../../scripts/openapi/schema-of-input.ts'
import { KEYLESS } from '../../../scripts/openapi/keyless.ts'
import {
  ADVERSE,
  BROKEN,
  rotated,
  settled,
  stepping,
  unwritable,
} from '../../kit/openapi-application.ts'

/** The parts of a request. */
export interface Asked {
  readonly as?: string | null
  readonly param?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, string>>
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  /** The query as it is, where it is not well encoded. */
  readonly search?: string
}

interface Exchange {
  readonly method: string
  readonly path: string
  readonly body?: unknown
  readonly status: number
  readonly answer?: unknown
}

const TOO_LARGE = 'x'.repeat(64 * 1024 + 1)

/** Creates a recorder of the exchanges with an application; with `refusals`, also of each request refused. */
export function recorder(application: Hono, { refusals }: { readonly refusals: boolean }) {
  const exchanges: Exchange[] = []
  const inputs = new Map<string, Record<string, object>>()
  const played = new Set<string>()
  const settle = settled()
  let asking = ''
  let keys = 0
  let earlier = ''

  // The plugin of `vitest.config.ts` calls it with each schema that an input is checked against.
  Object.assign(globalThis, {
    seeSchema: (schema: v.GenericSchema) =>
      inputs.set(asking, { ...inputs.get(asking), ...fieldsOf(schema) }),
  })

  // oxlint-disable-next-line typescript/no-explicit-any -- Each answer has its own members.
  async function exchange(app: Hono, route: string, asked: Asked): Promise<any> {
    const [method = '', path = ''] = route.split(' ')
    const { as = null, param = {}, query = {}, body, headers = {} } = asked
    const search = asked.search ?? new URLSearchParams(query).toString()
    const filled = path.replaceAll(/:(\w+)/g, (_, name: string) => param[name] ?? 'missing')
    const isText = typeof body === 'string'
    asking = route
    const response = await app.request(`${filled}?${search}`, {
      method,
      headers: {
        ...(as !== null && { authorization: `Bearer ${as}` }),
        ...(body !== undefined && { 'content-type': isText ? 'text/csv' : 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: isText ? body : JSON.stringify(body) }),
    })
    const isJson = response.headers.get('content-type')?.includes('json') ?? false
    const isShown = isJson && !(response.ok && path.endsWith('/export'))
    const answer: unknown = isShown ? await response.json() : null
    exchanges.push({
      method,
      path,
      ...(body !== undefined && response.ok && { body: settle(body) }),
      status: response.status,
      ...(answer !== null && { answer: settle(answer) }),
    })
    if (answer === null) await response.body?.cancel()
    return answer
  }

  /** Sends what would be granted where no change can be written, with bad bodies and keys, and as others. */
  async function sendRefused(route: string, asked: Asked): Promise<void> {
    const { headers, body, ...rest } = asked
    const type = typeof body === 'string' ? 'text/csv' : 'application/json'
    const all = { ...headers, 'content-type': type }
    const isRead = route.startsWith('GET')
    for (const app of isRead ? BROKEN : [...BROKEN, ...ADVERSE]) await exchange(app, route, asked)
    for (const as of [null, record.member, 'user:stranger']) {
      await exchange(unwritable, route, { ...asked, as })
    }
    await exchange(unwritable, route, { ...asked, search: 'a=%ff' })
    if (typeof body === 'object' && body !== null && 'password' in body) {
      await exchange(unwritable, route, { ...asked, body: { ...body, password: 'wrong' } })
      const proof = { ...body, password: null, stepUpProof: 'wrong' }
      await exchange(stepping, route, { ...asked, body: proof })
      await exchange(unwritable, route, { ...asked, as: record.machine })
    }
    if (isRead) {
      for (const wrong of [{ colour: 'red' }, { cursor: 'none' }]) {
        await exchange(application, route, { ...asked, query: { ...asked.query, ...wrong } })
      }
      return
    }
    for (const wrong of ['{', TOO_LARGE]) {
      await exchange(unwritable, route, { ...rest, body: wrong, headers: all })
    }
    const other = { ...all, 'content-type': 'application/pdf' }
    await exchange(unwritable, route, { ...rest, body: '{', headers: other })
    const foreign = { ...all, 'sec-fetch-site': 'cross-site', cookie: 'session=x' }
    await exchange(unwritable, route, { ...asked, as: null, headers: foreign })
    if (!takesKey(route)) return
    const keyed = { ...headers, 'idempotency-key': 'a key' }
    const answer = await exchange(unwritable, route, { ...asked, headers: keyed })
    if (answer?.errors?.['Idempotency-Key'] === undefined) {
      throw new Error(`${route} takes no Idempotency-Key: add it to KEYLESS.`)
    }
    await exchange(unwritable, route, {
      ...asked,
      headers: { ...headers, ...(earlier !== '' && { 'idempotency-key': earlier }) },
    })
  }

  const record = {
    inputs,
    /** A member without a role for changes. */
    member: 'user:nobody',
    /** A service account with the highest role. */
    machine: 'user:nobody',
    exchange: (route: string, asked: Asked = {}, app = application) => exchange(app, route, asked),
    /** The first exchange of each status and code of each route. */
    firstExchanges(): readonly Exchange[] {
      const first = new Map(
        exchanges
          .map((one) => {
            const { code } = (one.answer ?? {}) as { code?: string }
            return [[one.path, one.method, one.status, code].join(' '), one] as const
          })
          .toReversed()
      )
      return [...first].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one)
    },
    /** Sends a request that is granted and, with `refusals`, before it the same request where it is refused. */
    // oxlint-disable-next-line typescript/no-explicit-any -- As above.
    async send(route: string, asked: Asked = {}): Promise<any> {
      const isFirst = !played.has(route)
      played.add(route)
      if (isFirst && refusals) await sendRefused(route, asked)
      if (!takesKey(route)) return exchange(application, route, asked)
      const headers = { ...asked.headers, 'idempotency-key': `key-${(keys += 1)}` }
      const answer = await exchange(application, route, { ...asked, headers })
      if (isFirst && refusals) await exchange(rotated, route, { ...asked, headers })
      if (earlier === '' && exchanges.at(-1)?.status === 201) earlier = headers['idempotency-key']
      return answer
    },
  }
  return record
}

const takesKey = (route: string) =>
  route.startsWith('POST ') && !KEYLESS.includes(route.slice('POST '.length))

export type Recorder = ReturnType<typeof recorder>
