/**
 * Requests by a grammar: routes, people, types, encodings, times, numbers, addresses and names, some as
 * they should be and some as they should not.
 *
 * @module
 */
import * as fc from 'fast-check'

/** A request that the grammar made. The body is bytes, so that it may be anything. */
export interface WildRequest {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array | null
}

/** A route as Hono has it, with parameters in its path. */
export interface KnownRoute {
  readonly method: string
  readonly path: string
}

/** What there is to be named: ids, slugs, addresses and tokens of the test's own. */
export interface Known {
  readonly names: readonly string[]
  /** Values of the `Authorization` header. */
  readonly callers: readonly string[]
}

/** Makes what paths, queries and bodies consist of, which takes a second. */
function createGrammar() {
  const wildText = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.string({ unit: 'grapheme-composite', maxLength: 40 }),
    fc.constantFrom(
      '',
      ' ',
      '\0',
      '\r\n',
      '\u202etxt',
      '\u200b',
      '\ufeff',
      '\u212aate',
      '\ud800',
      '\udfff\ud800',
      "' OR 1=1 --",
      '"; --',
      '%00',
      '%',
      '../..',
      '__proto__',
      'constructor',
      'null',
      'NaN',
      '💺'.repeat(255),
      'x'.repeat(256),
      'x'.repeat(5000)
    )
  )
  const number = fc.oneof(
    fc.integer({ min: -5, max: 300 }),
    fc.double(),
    fc.constantFrom(0, -0, 1e15, 2 ** 52, 2 ** 53 - 1, 2 ** 53, 1e308, 0.1)
  )
  const numeral = fc.oneof(
    number.map(String),
    fc.constantFrom('0x5', '1e1', ' 5', '+5', '5.0', '٥', '9'.repeat(30), '-0', '١٢')
  )
  const time = fc.oneof(
    fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
    fc.constantFrom(
      '2026-06-30T23:59:59Z',
      '2026-06-30T23:59:59+02:00',
      '2026-02-31T00:00:00Z',
      '2026-06-30T24:00:00Z',
      '2026-06-30T23:59:60Z',
      '11/12/2026',
      '1',
      '+275760-09-13T00:00:00.000Z',
      '-000001-01-01T00:00:00Z'
    )
  )
  const address = fc.oneof(
    fc.emailAddress(),
    fc.uuid().map((id) => `${id}@example.com`),
    fc.tuple(wildText, wildText).map(([local, domain]) => `${local}@${domain}`),
    fc.constantFrom(
      'a..b@example.com',
      'ann@127.0.0.1',
      'zoe@ex%61mplé.com',
      'jörg@acme.example',
      'ann@bücher.example',
      '"a b"@example.com',
      'ann@[::1]',
      'ann@xn--a.example'
    )
  )
  const domain = fc.oneof(fc.domain(), wildText, fc.constantFrom('bücher.example', 'a\0.example'))
  const name = fc.oneof(wildText, fc.constantFrom('Acme GmbH', '日本', 'Api', 'Straße', 'x'))

  const jsonFields: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
    name,
    slug: fc.oneof(fc.stringMatching(/^[a-z][a-z0-9-]{1,20}[a-z0-9]$/), wildText),
    confirmSlug: wildText,
    confirmName: wildText,
    email: address,
    domain,
    mode: fc.constantFrom('off', 'request', 'auto', 'AUTO'),
    role: fc.constantFrom('owner', 'admin', 'member', 'Owner', 'root', ''),
    password: fc.oneof(wildText, fc.constant('wrong horse')),
    stepUpProof: wildText,
    token: fc.oneof(wildText, fc.base64String({ maxLength: 400 })),
    limit: fc.oneof(number, numeral, fc.constant('unlimited')),
    version: fc.oneof(number, numeral),
    reason: wildText,
    sequence: fc.oneof(number, numeral),
    fromSequence: fc.oneof(number, numeral),
    from: fc.oneof<fc.Arbitrary<unknown>[]>(time, number),
    to: fc.oneof<fc.Arbitrary<unknown>[]>(time, number),
    action: wildText,
    dryRun: fc.boolean(),
    force: fc.boolean(),
    enabled: fc.boolean(),
    return_to: wildText,
    plan: fc.oneof(fc.constantFrom('free', 'team', 'flat'), wildText),
    seats: fc.oneof(number, numeral),
    proration: fc.constantFrom('create', 'none', 'always_invoice', 'always'),
    atPeriodEnd: fc.boolean(),
    included: fc.oneof(number, numeral, fc.constantFrom('unlimited', 'unknown')),
    purchased: number,
    addOns: number,
    cap: fc.oneof(number, fc.constant('unlimited')),
    until: fc.oneof<fc.Arbitrary<unknown>[]>(time, number),
    params: fc.jsonValue(),
    event: fc.constantFrom(
      'checkout_completed',
      'quantity',
      'payment_failed',
      'payment_succeeded',
      'canceled',
      'advance'
    ),
    days: number,
    permissions: fc.array(
      mostly(fc.constantFrom('audit:read', 'members:invite', 'project:read'), wildText),
      { maxLength: 3 }
    ),
  }
  const parameters: Readonly<Record<string, fc.Arbitrary<string>>> = {
    limit: numeral,
    cursor: fc.oneof(wildText, fc.base64String({ maxLength: 60 })),
    search: wildText,
    order: fc.constantFrom('newest', 'oldest', 'NEWEST', ''),
    format: fc.constantFrom('ndjson', 'csv', 'json', 'xml'),
    from: time,
    to: time,
    at: time,
    sequence: numeral,
    after_sequence: numeral,
    actor_id: wildText,
    action_prefix: wildText,
    effective_user_id: wildText,
    outcome: fc.constantFrom('success', 'failure', 'error', 'none'),
    bom: fc.constantFrom('true', 'false', '1'),
    offset: numeral,
    replacement: mostly(fc.constantFrom('member', 'admin', 'owner', 'auditor'), wildText),
  }
  return { wildText, number, jsonFields, parameters }
}

type Grammar = ReturnType<typeof createGrammar>
let made: Grammar | undefined

const IDS = ['userId', 'organizationId', 'organization_id', 'userIds'] as const

/** All requests to these routes. */
export function wildRequests(
  routes: readonly KnownRoute[],
  known: Known
): fc.Arbitrary<WildRequest> {
  const grammar = (made ??= createGrammar())
  const named = fc.constantFrom(...known.names)
  return fc
    .constantFrom(...routes)
    .chain((route) =>
      fc.record({
        method: mostly(
          fc.constant(route.method),
          fc.constantFrom('GET', 'HEAD', 'POST', 'OPTIONS')
        ),
        path: pathOf(grammar, route, named),
        query: queryOf(grammar, named),
        headers: headersOf(known),
        body: bodyOf(grammar, named),
      })
    )
    .map(({ method, path, query, headers, body }) => ({
      method,
      path: `${path}${query}`,
      headers,
      body: method === 'GET' || method === 'HEAD' ? null : body,
    }))
}

/** Nine times the one, once the other. */
function mostly<T>(usual: fc.Arbitrary<T>, wild: fc.Arbitrary<T>): fc.Arbitrary<T> {
  return fc.oneof({ arbitrary: usual, weight: 9 }, { arbitrary: wild, weight: 1 })
}

function encoded(text: string): string {
  return encodeURIComponent(text.toWellFormed())
}

function pathOf(
  { wildText }: Grammar,
  { path }: KnownRoute,
  named: fc.Arbitrary<string>
): fc.Arbitrary<string> {
  const segment = mostly(
    named.map(encoded),
    fc.oneof(
      wildText.map(encoded),
      fc.constantFrom('%ff', '%E0%A4%A', '%', '%00', '%2e%2e', '%2F', '%E2%84%AAelvin')
    )
  )
  const parts = path.split('/').map((part) => (part.startsWith(':') ? segment : fc.constant(part)))
  return fc.tuple(...parts).map((segments) => segments.join('/'))
}

function queryOf(
  { wildText, parameters }: Grammar,
  named: fc.Arbitrary<string>
): fc.Arbitrary<string> {
  const pair = fc
    .constantFrom(...Object.keys(parameters))
    .chain((parameter) =>
      fc
        .oneof(parameters[parameter] ?? wildText, named)
        .map((value) => `${parameter}=${encoded(value)}`)
    )
  const wild = fc.oneof(
    fc.tuple(wildText, wildText).map((both) => both.map(encoded).join('=')),
    fc.constantFrom('%ff=1', 'limit=%ff', '&&', '=', 'limit', '__proto__=1', 'limit=1&limit=2')
  )
  const pairs = fc.array(mostly(pair, wild), { maxLength: 3 })
  return pairs.map((all) => (all.length === 0 ? '' : `?${all.join('&')}`))
}

function headersOf({ callers }: Known): fc.Arbitrary<Record<string, string>> {
  const type = mostly(
    fc.constant('application/json'),
    fc.constantFrom(
      'application/json; charset=iso-8859-1',
      'application/merge-patch+json',
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'json',
      ''
    )
  )
  const key = fc.oneof(
    fc.uuid(),
    fc.string({ unit: 'grapheme-ascii', maxLength: 300 }),
    fc.constantFrom('', 'k', 'a b')
  )
  const optional = {
    authorization: mostly(fc.constantFrom(...callers), fc.constantFrom('Basic eA==', 'Bearer', '')),
    'idempotency-key': key.map((text) => text.trim()),
    origin: fc.constantFrom('https://evil.example', 'http://seatgate.test', 'null', ''),
    'sec-fetch-site': fc.constantFrom('cross-site', 'same-origin', 'none'),
    cookie: fc.constantFrom('seatgate_session=x', 'a=b; c', '=;;'),
    'user-agent': fc.constantFrom('a'.repeat(600), ''),
  }
  const required = { 'content-type': type }
  return fc.record({ ...required, ...optional }, { requiredKeys: ['content-type'] })
}

function bodyOf(
  { wildText, number, jsonFields }: Grammar,
  named: fc.Arbitrary<string>
): fc.Arbitrary<Uint8Array | null> {
  const id = mostly<unknown>(named, fc.oneof<fc.Arbitrary<unknown>[]>(wildText, number))
  const fields = {
    ...jsonFields,
    ...Object.fromEntries(IDS.map((field) => [field, id])),
    userIds: fc.array(id, { maxLength: 3 }),
    remove: fc.array(id, { maxLength: 3 }),
  }
  const wildField = Object.fromEntries(
    Object.entries(fields).map(([field, value]) => [field, mostly<unknown>(value, fc.jsonValue())])
  )
  const object = fc.record(wildField, { requiredKeys: [] }).map((value) => JSON.stringify(value))
  const broken = fc.oneof(
    fc.jsonValue().map((value) => JSON.stringify(value)),
    fc.constantFrom('{', '', '[]', 'null', '{"name":1e999}', '{"a":1,"a":2}', '\ufeff{}'),
    fc.constant(`${'['.repeat(20_000)}${']'.repeat(20_000)}`),
    fc.constant(JSON.stringify({ name: 'x'.repeat(70_000) })),
    wildText
  )
  const bytes = (text: string) => new TextEncoder().encode(text)
  return fc.oneof(
    { arbitrary: object.map(bytes), weight: 8 },
    { arbitrary: broken.map(bytes), weight: 1 },
    { arbitrary: fc.uint8Array({ maxLength: 60 }), weight: 1 },
    { arbitrary: fc.constant(null), weight: 1 }
  )
}
