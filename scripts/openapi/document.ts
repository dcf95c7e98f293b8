/**
 * The OpenAPI 3.1 document of the ready routes: paths, inputs and answers from the types of the routes,
 * refusals by status from the table of problems, examples from exchanges that a test has recorded.
 *
 * @module
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { API, type Checker, type Type } from 'typescript/unstable/sync'
import { titleOf, statusOf } from '../../src/hono/problem.ts'
import type { RefusalCode } from '../../src/base/result.ts'
import { root } from '../run-wrangler.ts'
import { schemaOf, type Schema } from './schema-of-type.ts'

/** Where the document is, and the exchanges of its examples. */
export const DOCUMENT = join(root, 'openapi.json')
export const EXCHANGES = join(root, 'test/workers/openapi/exchanges.json')

/** A request that a test has sent, and its response. */
export interface Exchange {
  readonly method: string
  /** The path of the route, with its parameters by name. */
  readonly path: string
  readonly body?: unknown
  readonly status: number
  readonly answer?: unknown
}

/** An operation, as the types of the routes have it. */
interface Operation {
  readonly method: string
  readonly path: string
  readonly input: Readonly<Record<string, Schema>>
  readonly responses: readonly Response[]
}

interface Response {
  readonly status: number
  readonly codes: readonly string[]
  readonly schema: Schema
}

const OPEN = ['/invitations/view', '/invitations/decline', '/invitations/accept-with-signup']
const KEYLESS = [...OPEN, '/organizations/switch']

/** Builds the document, as text. */
export async function documentText(): Promise<string> {
  const exchanges = await readExchanges()
  const summaries = await readSummaries()
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
    version: string
  }
  const { operations, problems } = readTypes()
  const paths: Record<string, Record<string, unknown>> = {}
  for (const operation of operations) {
    const path = operation.path.replaceAll(/:(\w+)/g, '{$1}')
    const of = exchanges.filter(
      (one) => one.method === operation.method && one.path === operation.path
    )
    paths[path] = {
      ...paths[path],
      [operation.method.toLowerCase()]: operationOf(operation, of, summaries),
    }
  }
  const document = {
    openapi: '3.1.0',
    info: {
      title: 'Seatgate',
      version,
      description:
        'Organizations, memberships, exact seat limits and a provable audit trail. The routes of `seatgateRouter` with every part; a host may mount fewer, and under another path.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    security: [{ bearer: [] }, { cookie: [] }],
    paths,
    components: {
      schemas: problems,
      parameters: {
        IdempotencyKey: {
          name: 'Idempotency-Key',
          in: 'header',
          description: 'A repetition with the same key gets the first answer and changes no more.',
          schema: { type: 'string', pattern: '^[\\x21-\\x7e]{1,255}$' },
        },
      },
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer' },
        cookie: { type: 'apiKey', in: 'cookie', name: 'session' },
      },
    },
  }
  return `${JSON.stringify(document, null, 1)}\n`
}

async function readExchanges(): Promise<readonly Exchange[]> {
  const text = await readFile(EXCHANGES, 'utf8').catch(() => '{"exchanges":[]}')
  return (JSON.parse(text) as { exchanges: readonly Exchange[] }).exchanges
}

/** The tables of `docs/http.md`: what each route does. */
async function readSummaries(): Promise<ReadonlyMap<string, string>> {
  const page = await readFile(join(root, 'docs/http.md'), 'utf8')
  const rows = page.matchAll(/^\| `([A-Z]+ \/[^ `?{]*)[^|]*\|([^|]*)\|/gm)
  return new Map([...rows].map(([, route = '', does = '']) => [route, does.trim()]))
}

function readTypes(): { operations: readonly Operation[]; problems: Record<string, Schema> } {
  const api = new API({ cwd: root })
  try {
    const config = join(root, 'tsconfig.openapi.json')
    const project = api.updateSnapshot({ openProjects: [config] }).getProject(config)
    if (project === undefined) throw new Error(`${config} is no project.`)
    const { checker, program } = project
    const file = program.getSourceFile(join(root, 'scripts/openapi/types.ts'))
    const module = file && checker.getSymbolAtLocation(file)
    if (module === undefined) throw new Error('scripts/openapi/types.ts is no module.')
    const exported = (name: string): Type => {
      const symbol = checker.getExportsOfModule(module).find((one) => one.name === name)
      if (symbol === undefined) throw new Error(`types.ts does not export ${name}.`)
      return checker.getDeclaredTypeOfSymbol(symbol)
    }
    const operations = membersOf(checker, exported('Routes')).flatMap(([path, methods]) =>
      membersOf(checker, methods).map(([method, route]) =>
        operationFrom(checker, method.slice(1).toUpperCase(), path, route)
      )
    )
    const problems = membersOf(checker, exported('Problems')).map(
      ([code, type]) => [code, problemOf(code as RefusalCode, schemaOf(checker, type))] as const
    )
    return { operations, problems: Object.fromEntries(problems) }
  } finally {
    api.close()
  }
}

function membersOf(checker: Checker, type: Type): readonly (readonly [string, Type])[] {
  return checker
    .getPropertiesOfType(type)
    .flatMap((symbol) => {
      const member = checker.getTypeOfSymbol(symbol)
      return member ? [[symbol.name, member] as const] : []
    })
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
}

function operationFrom(checker: Checker, method: string, path: string, route: Type): Operation {
  const members = route.isUnionType() ? route.getTypes() : [route]
  const each = members.map((member) => new Map(membersOf(checker, member)))
  const input = each[0]?.get('input')
  return {
    method,
    path,
    input: Object.fromEntries(
      (input ? membersOf(checker, input) : []).map(([name, type]) => [
        name,
        schemaOf(checker, type),
      ])
    ),
    responses: each.flatMap((member): Response[] => {
      const output = member.get('output')
      const schema = output ? schemaOf(checker, output) : {}
      const statuses = member.get('status')
      return (statuses?.isUnionType() ? statuses.getTypes() : [statuses]).map((status) => ({
        status: Number(literalOf(status)),
        codes: codesIn(schema),
        schema,
      }))
    }),
  }
}

function literalOf(type: Type | undefined): unknown {
  return type?.isLiteralType() ? type.value : undefined
}

/** The codes of a refusal's schema: its own, or those of each member of a union. */
function codesIn(schema: Schema): readonly string[] {
  const each = (schema['anyOf'] as Schema[] | undefined) ?? [schema]
  return each.flatMap((one) => {
    const { code } = (one['properties'] ?? {}) as { code?: { const?: string; enum?: string[] } }
    return code?.enum ?? (code?.const ? [code.const] : [])
  })
}

function problemOf(code: RefusalCode, schema: Schema): Schema {
  const properties = schema['properties'] as Record<string, Schema>
  return {
    ...schema,
    description: titleOf(code),
    properties: {
      ...properties,
      type: { const: `urn:seatgate:refusal:${code}` },
      status: { const: statusOf(code) },
    },
  }
}

function operationOf(
  { method, path, input, responses }: Operation,
  exchanges: readonly Exchange[],
  summaries: ReadonlyMap<string, string>
) {
  const summary = summaries.get(`${method} ${path}`)
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
    ...queryOf(input['query']),
    ...(takesKey ? [{ $ref: '#/components/parameters/IdempotencyKey' }] : []),
  ]
  const body = bodyOf(path, input['json'], exchanges)
  return {
    operationId:
      method.toLowerCase() +
      path.replaceAll(/[^a-z]+(\w)/gi, (_, letter: string) => letter.toUpperCase()),
    tags: [tag],
    ...(summary && { summary }),
    ...(OPEN.includes(path) && { security: [] }),
    ...(parameters.length > 0 && { parameters }),
    ...(body && { requestBody: body }),
    responses: responsesOf(path, responses, exchanges),
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
    schema: name === 'limit' ? { type: 'integer', minimum: 1, maximum: 200, default: 50 } : given,
  }))
}

function bodyOf(path: string, schema: Schema | undefined, exchanges: readonly Exchange[]) {
  const example = exchanges.find(({ status, body }) => status < 300 && body !== undefined)?.body
  if (path.endsWith('/import')) {
    const csv = { schema: { type: 'string' }, ...(example !== undefined && { example }) }
    return { required: true, content: { 'text/csv': csv } }
  }
  if (schema === undefined) return null
  const json = { schema, ...(example !== undefined && { example }) }
  return { required: true, content: { 'application/json': json } }
}

function responsesOf(
  path: string,
  responses: readonly Response[],
  exchanges: readonly Exchange[]
): Record<string, unknown> {
  const byStatus = Map.groupBy(responses, ({ status }) => status)
  const entries = [...byStatus]
    .toSorted(([a], [b]) => a - b)
    .map(([status, all]) => {
      const got = exchanges.filter((exchange) => exchange.status === status)
      return [String(status), responseOf(path, status, all, got)] as const
    })
  return Object.fromEntries(entries)
}

function responseOf(
  path: string,
  status: number,
  all: readonly Response[],
  exchanges: readonly Exchange[]
) {
  const codes = [...new Set(all.flatMap((response) => response.codes))].toSorted()
  if (status >= 400) {
    const content = { schema: oneOf(codes), ...examplesOf(exchanges) }
    return { description: codes.join(', '), content: { 'application/problem+json': content } }
  }
  if (status === 204) return { description: 'Done.' }
  if (status === 303) return { description: 'Redirects to `return_to`.' }
  if (path.endsWith('/export')) {
    const text = { schema: { type: 'string' } }
    const content = { 'application/x-ndjson': text, 'text/csv': text, 'application/json': {} }
    return { description: 'A file that is produced while it is read.', content }
  }
  const schemas = all.map(({ schema }) => schema)
  const [only] = schemas
  const schema = schemas.length === 1 ? only : { anyOf: schemas }
  const content = { 'application/json': { schema, ...examplesOf(exchanges) } }
  return { description: status === 202 ? 'Accepted.' : 'The answer.', content }
}

function oneOf(codes: readonly string[]): Schema {
  const refs = codes.map((code) => ({ $ref: `#/components/schemas/${code}` }))
  const [only] = refs
  return refs.length === 1 && only ? only : { oneOf: refs }
}

// One for each code; one for an answer.
function examplesOf(exchanges: readonly Exchange[]) {
  const named = new Map(
    exchanges.flatMap(({ answer }) =>
      answer === undefined
        ? []
        : [[(answer as { code?: string }).code ?? 'answer', answer] as const]
    )
  )
  if (named.size === 0) return {}
  return {
    examples: Object.fromEntries([...named].map(([name, value]) => [name, { value }])),
  }
}
