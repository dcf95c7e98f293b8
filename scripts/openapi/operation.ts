/**
 * An operation of the document: its parameters, its body and its responses.
 *
 * @module
 */
import { constrained } from './constrained.ts'
import { KEYLESS, OPEN } from './keyless.ts'
import type { TypedOperation, TypedResponse } from './read-types.ts'
import type { Schema } from './schema-of-type.ts'

/** A request that a test has sent, and its response. */
export interface Exchange {
  readonly method: string
  /** The path of the route, with its parameters by name. */
  readonly path: string
  readonly body?: unknown
  readonly status: number
  readonly answer?: unknown
}

/** What is known of an operation beside its types. */
interface Facts {
  readonly exchanges: readonly Exchange[]
  readonly checked: Readonly<Record<string, Schema>>
  readonly summary: string | undefined
  readonly shared: Shared
}

/** Describes an operation. */
export function operationOf(
  { method, path, input, responses }: TypedOperation,
  { exchanges, checked, summary, shared }: Facts
): object {
  const [, first = '', , second = ''] = path.split('/')
  const tag = first === 'organizations' && second !== '' ? second : first
  const takesKey = method === 'POST' && !KEYLESS.includes(path)
  const parameters = [
    ...[...path.matchAll(/:(\w+)/g)].map(([, name = '']) => ({
      name,
      in: 'path',
      required: true,
      schema: { type: 'string' },
    })),
    ...queryOf(constrained(input['query'], checked)),
    ...(takesKey ? [{ $ref: '#/components/parameters/IdempotencyKey' }] : []),
  ]
  const body = bodyOf(path, constrained(input['json'], checked), exchanges)
  return {
    operationId:
      method.toLowerCase() +
      path.replaceAll(/[^a-z]+(\w)/gi, (_, letter: string) => letter.toUpperCase()),
    tags: [tag],
    ...(summary && { summary }),
    ...(OPEN.includes(path) && { security: [] }),
    ...(parameters.length > 0 && { parameters }),
    ...(body && { requestBody: body }),
    responses: responsesOf(
      path,
      takesKey ? responses : responses.map(withoutKey),
      exchanges,
      shared
    ),
  }
}

function queryOf(schema: Schema | undefined) {
  const properties = (schema?.['properties'] ?? {}) as Record<string, Schema>
  const required = (schema?.['required'] ?? []) as readonly string[]
  return Object.entries(properties).map(([name, { description, ...given }]) => ({
    name,
    in: 'query',
    ...(description !== undefined && { description }),
    ...(required.includes(name) && { required: true }),
    schema: given,
  }))
}

function bodyOf(path: string, schema: Schema | undefined, exchanges: readonly Exchange[]) {
  const example = exchanges.find(({ status, body }) => status < 300 && body !== undefined)?.body
  if (path.endsWith('/import')) {
    const csv = { schema: { type: 'string' }, ...(example !== undefined && { example }) }
    return { required: true, content: { 'text/csv': csv } }
  }
  if (path === '/billing/webhooks/:provider') {
    const description = 'The event, as its provider signs it.'
    return { required: true, content: { 'application/json': { schema: { description } } } }
  }
  if (schema === undefined) return null
  const json = { schema, ...(example !== undefined && { example }) }
  return { required: true, content: { 'application/json': json } }
}

function responsesOf(
  path: string,
  responses: readonly TypedResponse[],
  exchanges: readonly Exchange[],
  shared: Shared
): Record<string, unknown> {
  const byStatus = Map.groupBy(responses, ({ status }) => status)
  const entries = [...byStatus]
    .toSorted(([a], [b]) => a - b)
    .map(([status, all]) => {
      const got = exchanges.filter((exchange) => exchange.status === status)
      return [String(status), responseOf(path, status, all, examplesOf(got, shared))] as const
    })
  return Object.fromEntries(entries)
}

function responseOf(path: string, status: number, all: readonly TypedResponse[], examples: object) {
  const codes = [...new Set(all.flatMap((response) => response.codes))].toSorted()
  if (status >= 400 && codes.length > 0) {
    const content = { schema: oneOf(codes), ...examples }
    return { description: codes.join(', '), content: { 'application/problem+json': content } }
  }
  if (status === 204) return { description: 'Done.' }
  if (status === 303) return { description: 'Redirects to `return_to`.' }
  if (path.endsWith('/export')) {
    const text = { schema: { type: 'string' } }
    const content = { 'application/x-ndjson': text, 'text/csv': text, 'application/json': {} }
    return { description: 'A file that is produced while it is read.', content }
  }
  const schemas = distinct(all.map((one) => one.schema))
  const [only] = schemas
  const schema = schemas.length === 1 ? only : { anyOf: schemas }
  const content = { 'application/json': { schema, ...examples } }
  return { description: status === 202 ? 'Accepted.' : 'The answer.', content }
}

function oneOf(codes: readonly string[]): Schema {
  const refs = codes.map((code) => ({ $ref: `#/components/schemas/${code}` }))
  const [only] = refs
  return refs.length === 1 && only ? only : { oneOf: refs }
}

/** Examples that several operations have: refusals without data of their own. By their text. */
type Shared = ReadonlyMap<string, { readonly value: unknown }>

const isShared = ({ answer }: Exchange): boolean =>
  typeof answer === 'object' &&
  answer !== null &&
  'code' in answer &&
  Object.keys(answer).length === 4

/** Collects the refusals that carry nothing but their code. */
export function sharedExamples(exchanges: readonly Exchange[]): Shared {
  const shared = exchanges
    .filter(isShared)
    .map(({ answer }) => [(answer as { code: string }).code, { value: answer }] as const)
  return new Map(shared.toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

// One for each code; one for an answer.
function examplesOf(exchanges: readonly Exchange[], shared: Shared): object {
  const named = exchanges.flatMap((exchange) => {
    const { answer } = exchange
    if (answer === undefined) return []
    const code = (answer as { code?: string }).code ?? 'answer'
    const isRef = isShared(exchange) && shared.has(code)
    return [[code, isRef ? { $ref: `#/components/examples/${code}` } : { value: answer }] as const]
  })
  return named.length === 0 ? {} : { examples: Object.fromEntries(named) }
}

// Without a key there is no other request with the same one.
function withoutKey(response: TypedResponse): TypedResponse {
  const codes = response.codes.filter((code) => code !== 'idempotency_mismatch')
  return { ...response, codes }
}

function distinct(schemas: readonly Schema[]): readonly Schema[] {
  return [...new Map(schemas.map((schema) => [JSON.stringify(schema), schema])).values()]
}
