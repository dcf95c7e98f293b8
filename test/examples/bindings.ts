import { env, withEnv } from 'cloudflare:workers'

/** Runs a function as in a Worker with these bindings beside those of the tests. */
export function withBindings<T>(
  bindings: Partial<Cloudflare.Env>,
  run: () => Promise<T>
): Promise<T> {
  return withEnv({ ...env, ...bindings }, run) as Promise<T>
}

/** Runs the statements of a migration. */
export async function runStatements(script: string): Promise<void> {
  const statements = script.split(';').filter((statement) => statement.trim() !== '')
  await env.DB.batch(statements.map((statement) => env.DB.prepare(statement)))
}

/** A request with a JSON body, if there is one, and these headers. */
export function requestOf(
  method: string,
  headers: Readonly<Record<string, string>>,
  body?: unknown
): RequestInit {
  return {
    method,
    headers: { ...headers, ...(body !== undefined && { 'content-type': 'application/json' }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  }
}
