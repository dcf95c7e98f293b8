import { Hono, type Context } from 'hono'
import { users } from '../../host/identity/schema.ts'
import {
  hostAdapter,
  stepUpRoutes,
  type HostAdapter,
  type HostAdapterOptions,
} from '../../src/hono/index.ts'
import { listPlatformEvents, type Metric } from '../../src/index.ts'
import { sweepHandler } from '../../src/worker/index.ts'
import { createKit, operator, unwrap, type KitOptions } from './kit.ts'

export { Hono, users }

/** A user of the host. */
export interface HostUser {
  readonly id: string | number | null
  readonly admin?: boolean
}

const START = Date.parse('2026-03-01T00:00:00Z')

// What a host writes: the user is in a header, or in the object that it is asked with.
export function adapterOf(changes: Partial<HostAdapter<HostUser>> = {}): HostAdapter<HostUser> {
  return {
    currentUser(from) {
      const object = from as { req?: { header(name: string): string | undefined }; userId?: string }
      const id = object?.req?.header('x-user') ?? object?.userId
      return id === undefined ? null : { id, admin: id.startsWith('admin') }
    },
    requireAdmin: () => async (c, next) => {
      if (!c.req.header('x-user')?.startsWith('admin')) return c.text('Not for you.', 403)
      return next()
    },
    userSchema: () => users,
    logAudit: () => undefined,
    actorId: ({ id }) => id,
    isAdmin: ({ admin }) => admin === true,
    ...changes,
  }
}

export const stepUp: Partial<HostAdapter<HostUser>> = {
  stepUpChallenge: (_user, action) => ({ kind: 'totp', action }),
  verifyStepUp: (_user, params) =>
    (params as { code?: string })?.code === '123456'
      ? { ok: true }
      : { ok: false, reason: 'wrong' },
}

export const failing = () => {
  throw new Error('No one must be asked.')
}

export const hostOf = (
  adapter: () => HostAdapter<HostUser> | null,
  options: Partial<HostAdapterOptions<HostUser>> = {}
) => hostAdapter<HostUser>({ adapter, environment: 'production', report: () => {}, ...options })

export const requestOf = async <T>(
  handle: (c: Context) => Promise<T>,
  headers: Record<string, string> = {}
): Promise<T> => {
  const { promise, resolve } = Promise.withResolvers<T>()
  const app = new Hono().get('/', async (c) => {
    resolve(await handle(c))
    return c.body(null)
  })
  await app.request('/', { headers })
  return promise
}

/** A host with a log of operator actions, and everything that an operator's request touches. */
export function logging(logAudit: HostAdapter['logAudit'], options: KitOptions = {}) {
  const metrics: Metric[] = []
  const adapter = adapterOf({ ...stepUp, logAudit })
  let time = START
  const host = hostOf(() => adapter, {
    session: (c) => ({ id: c.req.header('x-session') ?? 'none', activeOrganizationId: null }),
  })
  const kit = createKit({
    provider: 'd1',
    now: () => new Date(time),
    measure: (metric) => metrics.push(metric),
    sinks: [host.auditSink({ deadlineSeconds: 0.05 })],
    ...options,
  })
  const routes = stepUpRoutes(kit.seatgate, host, { authenticate: (c) => host.authenticate(c) })
  const failures = () =>
    metrics.filter((one) => one.name === 'audit.attempt' && one.outcome === 'error').length
  return {
    kit,
    host,
    failures,
    advance: (seconds: number) => (time += seconds * 1000),
    async post(path: string, body: unknown, { user = 'ada', session = 'one' } = {}) {
      const response = await routes.request(path, {
        method: 'POST',
        headers: { 'x-user': user, 'x-session': session, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
      return [response.status, (await response.json()) as { code?: string }] as const
    },
    async remove(path: string, { user = 'ada', session = 'one' } = {}) {
      const headers = { 'x-user': user, 'x-session': session }
      return (await routes.request(path, { method: 'DELETE', headers })).status
    },
    sweep: sweepHandler(kit.seatgate),
    async events(prefix: string) {
      const input = { organization_id: null, limit: 200 } as const
      const page = unwrap(await listPlatformEvents(kit.seatgate, { caller: operator }, input))
      return page.data.filter(({ action }) => action.startsWith(prefix))
    },
  }
}
