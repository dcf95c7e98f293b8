/**
 * The OpenAPI 3.1 document of the routes: paths, inputs and answers from the types of the routes, limits of
 * inputs from the schemas that check them, refusals by status from the table of problems, examples from
 * exchanges that a test has recorded.
 *
 * @module
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { IDEMPOTENCY_KEY } from '../../src/hono/idempotency-key.ts'
import { root } from '../run-wrangler.ts'
import { operationOf, sharedExamples, type Exchange } from './operation.ts'
import { readTypes } from './read-types.ts'
import { scimPaths } from './scim-paths.ts'
import { SCIM_SCHEMAS } from './scim-schemas.ts'
import type { Schema } from './schema-of-type.ts'

/** Where the document is, and the exchanges of its examples. */
export const DOCUMENT = join(root, 'openapi.json')
const EXCHANGES = join(root, 'test/workers/openapi')

/** What the test has recorded. */
export interface Recorded {
  readonly routes: readonly string[]
  /** The schema of each field that a route has checked. */
  readonly inputs: Readonly<Record<string, Readonly<Record<string, Schema>>>>
  readonly exchanges: readonly Exchange[]
}

/** Builds the document, as text. */
export async function documentText(): Promise<string> {
  const { exchanges, inputs } = await readRecorded()
  const shared = sharedExamples(exchanges)
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
      [operation.method.toLowerCase()]: operationOf(operation, {
        exchanges: of,
        checked: inputs[`${operation.method} ${operation.path}`] ?? {},
        summary: summaries.get(`${operation.method} ${operation.path}`),
        shared,
      }),
    }
  }
  Object.assign(paths, scimPaths(exchanges))
  const document = {
    openapi: '3.1.0',
    info: {
      title: 'Seatgate',
      version,
      description:
        'Organizations, memberships, exact seat limits and a provable audit trail. The routes of `seatgateRouter` with every part, of `keyRoutes`, `groupRoutes`, `roleRoutes`, `impersonationRoutes`, `scimTokenRoutes`, `paymentRoutes`, `billingWebhooks` and `stepUpRoutes`, and of `scimRoutes` at `/scim/v2`; a host may mount fewer, and under another path. Limits of slugs and roles are those of the default configuration; permissions are the own ones of the library, and `project:read` and `project:write` as those of a host.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    security: [{ bearer: [] }, { cookie: [] }],
    paths,
    components: {
      schemas: { ...problems, ...SCIM_SCHEMAS },
      examples: Object.fromEntries(shared),
      parameters: {
        IdempotencyKey: {
          name: 'Idempotency-Key',
          in: 'header',
          description: 'A repetition with the same key gets the first answer and changes no more.',
          schema: { type: 'string', pattern: IDEMPOTENCY_KEY.source },
        },
      },
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer' },
        cookie: { type: 'apiKey', in: 'cookie', name: 'session' },
        scim: { type: 'http', scheme: 'bearer', description: 'A token of `createScimToken`.' },
      },
    },
  }
  return `${JSON.stringify(document, null, 1)}\n`
}

/** Reads what the tests have recorded; nothing before they have run for the first time. */
export async function readRecorded(): Promise<Recorded> {
  const read = async (name: string): Promise<Partial<Recorded>> =>
    JSON.parse(await readFile(join(EXCHANGES, name), 'utf8').catch(() => '{}')) as Partial<Recorded>
  const granted = await read('exchanges.json')
  const refused = await read('every-refusal.json')
  const both = [...(granted.exchanges ?? []), ...(refused.exchanges ?? [])]
  const first = new Map(both.toReversed().map((one) => [keyOf(one), one]))
  return {
    routes: [...new Set([...(granted.routes ?? []), ...(refused.routes ?? [])])],
    inputs: refused.inputs ?? {},
    exchanges: [...first].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one),
  }
}

function keyOf({ method, path, status, answer }: Exchange): string {
  const { code = '' } = (answer ?? {}) as { code?: string }
  return [path, method, status, code].join(' ')
}

/** The tables of `docs/http.md`: what each route does. */
async function readSummaries(): Promise<ReadonlyMap<string, string>> {
  const page = await readFile(join(root, 'docs/http.md'), 'utf8')
  const rows = page.matchAll(/^\| `([A-Z]+ \/[^ `?{]*)[^|]*\|([^|]*)\|/gm)
  return new Map([...rows].map(([, route = '', does = '']) => [route, does.trim()]))
}
