/**
 * The reference host as it is, with two doors for tests: stores that fail for a request that asks for it, and
 * statements that put the database into a state which takes days to come about.
 *
 * @module
 */
import { withFault } from './faults.ts'
import { env } from 'cloudflare:workers'
import host from '../../../host/worker.ts'

export { SeatLedger } from '../../../host/worker.ts'

interface Statement {
  readonly sql: string
  readonly params: readonly unknown[]
}

async function execute(request: Request): Promise<Response> {
  const { DB } = env as unknown as { readonly DB: D1Database }
  const statements = await request.json<readonly Statement[]>()
  await DB.batch(statements.map(({ sql, params }) => DB.prepare(sql).bind(...params)))
  return new Response(null, { status: 204 })
}

type Handler = Required<ExportedHandler>

export default {
  ...host,
  fetch(request, bindings, context) {
    if (new URL(request.url).pathname === '/test/statements') return execute(request)
    const fetch = host.fetch as unknown as Handler['fetch']
    return withFault(request, () => fetch(request, bindings, context))
  },
} as ExportedHandler
