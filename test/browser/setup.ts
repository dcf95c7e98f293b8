import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import type { TestProject } from 'vitest/node'
import { hashPassword } from '../../host/identity/password.ts'
import { startBrowser } from '../../scripts/browser.ts'
import { startWorker } from '../../scripts/local-worker.ts'
import { temporaryDirectory } from '../end-to-end/temporary-directory.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** The address of the reference host. */
    readonly url: string
    /** The address of the browser that all files share. */
    readonly browser: string
    /** The address of the companion: mails, people, DNS and the log stream. */
    readonly companion: string
  }
}

/** The operator of the reference host under test. */
export const OPERATOR = 'operator@example.com'
export const PASSWORD = 'correct horse battery'

/** A person with a session. */
export interface Person {
  readonly id: string
  readonly email: string
  readonly token: string
}

const PEOPLE = 200
// Until a test says otherwise the log stream is behind.
const STREAM_STATUS = 503
const TXT = 16

/** Starts the reference host and one browser for all files. */
export default async function setup({ provide }: TestProject) {
  const directory = await temporaryDirectory()
  const lines: string[] = []
  const people: Person[] = []
  const companion = await startCompanion(lines, people)
  const address = `http://127.0.0.1:${(companion.address() as AddressInfo).port}`
  const [worker, browser, hash] = await Promise.all([
    startWorker({
      persistTo: directory.path,
      vars: {
        DEFAULT_SEAT_LIMIT: '3',
        OPERATOR_EMAILS: OPERATOR,
        JOINING_WHEN_FULL: 'wait',
        IMPERSONATION_MINUTES: '60',
        AUDIT_WEBHOOK_URL: `${address}/stream`,
        DNS_URL: `${address}/dns`,
      },
      flags: ['test/browser/host/worker.ts', '--compatibility-flags', 'nodejs_als'],
      onLine: (line) => lines.push(line),
    }),
    startBrowser(),
    hashPassword(PASSWORD),
  ])
  people.push(...(await addPeople(worker.url, hash)))
  provide('url', worker.url)
  provide('browser', browser.wsEndpoint())
  provide('companion', address)
  return async () => {
    await Promise.all([browser.close(), worker.stop()])
    companion.close()
    await directory.remove()
  }
}

/**
 * Adds people with a session each and one password. To hash a password takes longer than to show the pages
 * that a test opens.
 */
async function addPeople(url: string, hash: string): Promise<readonly Person[]> {
  const people = Array.from({ length: PEOPLE }, (_, index) => ({
    id: randomUUID(),
    email: `person-${index}@example.com`,
    token: randomBytes(32).toString('base64url'),
  }))
  const now = Date.now()
  const statements = people.flatMap(({ id, email, token }) => [
    {
      sql: 'INSERT INTO users (id, email, password_hash, created_at) VALUES (?, ?, ?, ?)',
      params: [id, email, hash, now],
    },
    {
      sql: `INSERT INTO seatgate_sessions (token_hash, user_id, expires_at, last_active_at, created_at)
        VALUES (?, ?, ?, ?, ?)`,
      params: [createHash('sha256').update(token).digest('hex'), id, now + 86_400_000, now, now],
    },
  ])
  const body = JSON.stringify(statements)
  const response = await fetch(`${url}/test/statements`, { method: 'POST', body })
  if (!response.ok) throw new Error(await response.text())
  return people
}

/** Serves what the worker printed, the next person, DNS records, and the log stream of the host. */
async function startCompanion(lines: readonly string[], people: Person[]): Promise<Server> {
  const statuses = new Map<string, number>()
  const records = new Map<string, string>()
  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://companion')
    if (pathname === '/output') response.end(lines.join('\n'))
    else if (pathname === '/person') response.end(JSON.stringify(people.shift() ?? null))
    else if (pathname === '/stream') {
      const { data } = (await json(request)) as { data: { organizationId: string } }
      response.writeHead(statuses.get(data.organizationId) ?? STREAM_STATUS).end()
    } else if (pathname === '/dns') {
      const value = records.get(searchParams.get('name') ?? '')
      response.end(JSON.stringify({ Answer: value ? [{ type: TXT, data: `"${value}"` }] : [] }))
    } else if (pathname === '/record') {
      records.set(searchParams.get('name') ?? '', searchParams.get('value') ?? '')
      response.end()
    } else {
      statuses.set(searchParams.get('organization') ?? '', Number(searchParams.get('status')))
      response.end()
    }
  }
  const server = createServer((request, response) => {
    respond(request, response).catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}
