import type {
  Answer,
  ArgumentsOf,
  ClientFailure,
  Listing,
  Method,
  PathOf,
  RefusalOn,
  ValueOf,
} from './route-types.ts'
import type { SeatgateRouter } from '../hono/router.ts'

/** Sends a request: the platform's own `fetch`, or a binding's. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>

/** Options of {@link createClient}. */
export interface ClientOptions {
  /** Where the routes are, such as `https://seats.example.com` or `/api`. Default: this origin. */
  readonly baseUrl?: string
  /** Headers of every request, such as `authorization`. A function is called for each attempt. */
  readonly headers?: HeadersInit | (() => HeadersInit | Promise<HeadersInit>)
  /** Whether a browser sends cookies to another origin. Default: its own, `same-origin`. */
  readonly credentials?: 'omit' | 'same-origin' | 'include'
  /** Default: the global `fetch`. */
  readonly fetch?: Fetch
  /** Makes an idempotency key. Default: a random UUID. */
  readonly newKey?: () => string
  /** The longest wait for one request, over all its attempts, in seconds. Default 30; 0: no repetition. */
  readonly maxWaitSeconds?: number
  /** How often a request is repeated at most. Default 3. */
  readonly maxRepetitions?: number
  /** Waits, in milliseconds; ends early if the signal aborts. Default: a timer. */
  readonly sleep?: (milliseconds: number, signal: AbortSignal | undefined) => Promise<void>
  /** The clock that a date in `Retry-After` is compared with. Default: the system's. */
  readonly now?: () => number
  /** The state that a list must have at least: the `bookmark` of another client, such as a server's. */
  readonly bookmark?: string | null
}

/** Options of one request. */
export interface RequestOptions {
  /** Further headers. */
  readonly headers?: HeadersInit
  readonly signal?: AbortSignal
  /** The key of a POST or PUT, to repeat one whose answer was lost. Default: a new one. */
  readonly idempotencyKey?: string
  /** A body that is not JSON, such as the CSV of an import, with its type. */
  readonly body?: { readonly type: string; readonly text: string }
}

/** The parameters of a request: its arguments are optional unless one is required. */
type Parameters<App, M extends Method, Path> =
  object extends ArgumentsOf<App, M, Path>
    ? [input?: ArgumentsOf<App, M, Path>, options?: RequestOptions]
    : [input: ArgumentsOf<App, M, Path>, options?: RequestOptions]

type Answered<App, M extends Method, Path> = Promise<
  Answer<ValueOf<App, M, Path>, RefusalOn<App, M, Path>>
>

/** A client of an application's routes. See {@link createClient}. */
export interface Client<App = SeatgateRouter> {
  get<Path extends PathOf<App, 'get'>>(
    path: Path,
    ...parameters: Parameters<App, 'get', Path>
  ): Answered<App, 'get', Path>
  /** Sends a POST with an `Idempotency-Key`, so that a repetition is not a second change. */
  post<Path extends PathOf<App, 'post'>>(
    path: Path,
    ...parameters: Parameters<App, 'post', Path>
  ): Answered<App, 'post', Path>
  /** Sends a PUT, with an `Idempotency-Key` as well. */
  put<Path extends PathOf<App, 'put'>>(
    path: Path,
    ...parameters: Parameters<App, 'put', Path>
  ): Answered<App, 'put', Path>
  patch<Path extends PathOf<App, 'patch'>>(
    path: Path,
    ...parameters: Parameters<App, 'patch', Path>
  ): Answered<App, 'patch', Path>
  delete<Path extends PathOf<App, 'delete'>>(
    path: Path,
    ...parameters: Parameters<App, 'delete', Path>
  ): Answered<App, 'delete', Path>
  /** Reads a list page by page, until the last one or the first that is refused. */
  pages<Path extends Listing<App>>(
    path: Path,
    ...parameters: Parameters<App, 'get', Path>
  ): AsyncIterable<Awaited<Answered<App, 'get', Path>>>
  /** The latest state that an answer came from; null if the routes do not read replicas. */
  readonly bookmark: string | null
}

type Parameter = string | number | boolean | null | undefined

/** A request as the code below sees it: the types above are checked by the compiler alone. */
interface Input {
  readonly param?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, Parameter | readonly Parameter[]>>
  readonly json?: unknown
}

const BOOKMARK = 'x-seatgate-bookmark'

// They take no key, and a second attempt gets another answer than the first.
const ONCE =
  /^DELETE|^PATCH .*\/roles\/:name$|\/(invitations\/(decline|accept-with-signup)|step-up)$/

/**
 * Creates a client for `seatgateRouter`, alone or mounted in an application: `App` is `typeof app`, and its
 * paths, inputs, answers and refusals are the client's.
 *
 * A refusal is an answer, not an exception: `error.code` says which. So are a network failure, an aborted
 * request and the response of something else in between, see {@link ClientFailure}. Every POST and PUT has
 * an `Idempotency-Key`. A response with `Retry-After` is awaited and the request repeated, within
 * `maxWaitSeconds` and `maxRepetitions`. The bookmark of a response is sent with the next request.
 *
 * @throws {TypeError} from a request, if a parameter of the path is missing or empty.
 *
 * @example
 * ```ts
 * import { createClient } from 'seatgate/client'
 * import type { App } from './worker'
 *
 * const client = createClient<App>({ baseUrl: 'https://seats.example.com' })
 * const added = await client.post('/organizations/:org/members', {
 *   param: { org: 'acme' },
 *   json: { userId, role: 'member' },
 * })
 * if (added.ok) show(added.value.id)
 * else if (added.error.code === 'seat_limit_reached') offerSeats(added.error.limit)
 * ```
 */
export function createClient<App = SeatgateRouter>(options: ClientOptions = {}): Client<App> {
  const {
    baseUrl = '',
    credentials,
    fetch: send = (url, init) => fetch(url, init),
    newKey = () => crypto.randomUUID(),
    maxWaitSeconds = 30,
    maxRepetitions = 3,
    sleep = wait,
    now = Date.now,
  } = options
  let bookmark = options.bookmark ?? null

  async function request(
    method: string,
    path: string,
    input: Input = {},
    { headers, signal, body, idempotencyKey }: RequestOptions = {}
  ): Promise<Answer<unknown, unknown>> {
    const url = baseUrl.replace(/\/$/, '') + filled(path, input.param) + queryOf(input.query)
    const key = /^P(OS|U)T/.test(method) ? (idempotencyKey ?? newKey()) : null
    const sent = body?.text ?? jsonOf(method, input.json)
    let left = maxWaitSeconds
    for (let repetitions = 0; ; repetitions++) {
      const given = options.headers
      const all = new Headers(typeof given === 'function' ? await given() : given)
      new Headers(headers).forEach((value, name) => all.set(name, value))
      if (sent !== undefined) all.set('content-type', body?.type ?? 'application/json')
      if (key !== null) all.set('idempotency-key', key)
      if (bookmark !== null) all.set(BOOKMARK, bookmark)
      try {
        const response = await send(url, {
          method,
          headers: all,
          ...(sent !== undefined && { body: sent }),
          ...(credentials && { credentials }),
          ...(signal && { signal }),
        })
        const latest = response.headers.get(BOOKMARK)
        // As D1 orders them: a later one is greater.
        if (latest !== null && latest > (bookmark ?? '')) bookmark = latest
        const seconds = secondsToWait(response, now)
        const again =
          repetitions < maxRepetitions && seconds <= left && mayRepeat(method, path, response)
        if (!again) return await answerOf(response)
        await response.body?.cancel()
        left -= seconds
        // A timer does not notice an earlier abort.
        signal?.throwIfAborted()
        await sleep(seconds * 1000, signal)
        signal?.throwIfAborted()
      } catch (cause) {
        const code = signal?.aborted ? 'aborted' : 'network_failure'
        return failed({ code, cause, idempotencyKey: key })
      }
    }
  }

  async function* pages(path: string, input: Input = {}, options?: RequestOptions) {
    for (let cursor = input.query?.['cursor']; ;) {
      const query = { ...input.query, cursor }
      const page = await request('GET', path, { ...input, query }, options)
      yield page
      cursor = page.ok ? (page.value as { nextCursor?: string | null }).nextCursor : null
      // Without one the first page would be read again.
      if (!cursor) return
    }
  }

  const client = {
    pages,
    get bookmark() {
      return bookmark
    },
  }
  for (const method of ['get', 'post', 'put', 'patch', 'delete']) {
    Object.defineProperty(client, method, { value: request.bind(null, method.toUpperCase()) })
  }
  return client as unknown as Client<App>
}

function filled(path: string, values: Input['param'] = {}): string {
  return path.replaceAll(/:(\w+)/g, (_match, name: string) => {
    const value = values[name]
    // An empty or a dotted segment would name another resource.
    if (!value || /^\.\.?$/.test(value)) throw new TypeError(`${path}: ${name} must be a name.`)
    return encodeURIComponent(value)
  })
}

function queryOf(query: Input['query'] = {}): string {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    for (const one of [value].flat()) {
      if (one !== undefined && one !== null) parameters.append(name, `${one}`)
    }
  }
  return parameters.size > 0 ? `?${parameters.toString()}` : ''
}

// Routes that read a body want an object, even if each of its members may be left out.
function jsonOf(method: string, json: unknown): string | undefined {
  if (json !== undefined) return JSON.stringify(json)
  return method === 'GET' || method === 'DELETE' ? undefined : '{}'
}

/** The seconds of `Retry-After`, or until its date; infinite without one. */
function secondsToWait({ headers }: Response, now: () => number): number {
  const value = headers.get('retry-after')
  if (value === null) return Infinity
  const seconds = /^\d+$/.test(value) ? Number(value) : (Date.parse(value) - now()) / 1000
  return Number.isNaN(seconds) ? Infinity : Math.max(0, seconds)
}

// After a 503 a change may have been made: repeating is safe where it has a key, or the same effect twice.
function mayRepeat(method: string, path: string, { status }: Response): boolean {
  return status === 429 || (status === 503 && !ONCE.test(`${method} ${path}`))
}

async function answerOf(response: Response): Promise<Answer<unknown, unknown>> {
  const { ok, status, headers } = response
  if (status === 204) return { ok: true, value: null }
  const type = headers.get('content-type') ?? ''
  const isFile = ok && headers.has('content-disposition')
  if (isFile || !/^application\/([\w.-]+\+)?json\b/.test(type)) {
    // A page is of something else, such as a proxy that asks to sign in.
    const isExpected = ok && !type.startsWith('text/html')
    return isExpected ? { ok, value: response } : failed({ code: 'unexpected_response', response })
  }
  const value: unknown = await response.json()
  return ok ? { ok, value } : { ok: false, error: value }
}

function failed(error: ClientFailure): Answer<never, never> {
  return { ok: false, error }
}

function wait(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, milliseconds)
    signal?.addEventListener('abort', end)
  })
}
