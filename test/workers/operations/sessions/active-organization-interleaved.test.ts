import { Hono } from 'hono'
import { expect, it } from 'vitest'
import {
  loadActiveOrganization,
  loadOrganizationFromSlug,
  putActiveOrganization,
  requireMembership,
  type ScopeEnv,
  type ScopeVariables,
} from '../../../../src/hono/index.ts'
import {
  unwrap,
  createKit,
  newUser,
  freshSlug,
  pointerOf,
  sessionOf,
  stalePointer,
  belonging,
  callers,
  gate,
  queryOf,
} from '../../../kit/index.ts'
import type { Caller, Seatgate, Session } from '../../../../src/index.ts'

/** Lets every trip of a number of requests wait until all of them have come as far. */
function inStep(count: number) {
  const gates: (() => Promise<void>)[] = []
  const steps = new Map<string, number>()
  return async (who: string) => {
    const step = steps.get(who) ?? 0
    steps.set(who, step + 1)
    await (gates[step] ??= gate(count))()
  }
}

interface Visitor {
  readonly name: string
  readonly userId: string
  readonly session: Session
}

const { seatgate } = createKit({ provider: 'unlimited', delayMs: 2 })

/** One host for everybody: who asks is in a header, and every step waits for the others. */
function hostOf(
  visitors: readonly Visitor[],
  callerOf: (seatgate: Seatgate, of: Visitor) => Caller
) {
  const step = inStep(visitors.length)
  const authenticate = async (c: { req: { header(name: string): string | undefined } }) => {
    const name = c.req.header('x-visitor')!
    await step(name)
    return callerOf(
      seatgate,
      visitors.find((visitor) => visitor.name === name)!
    )
  }
  const tell = async (c: {
    req: { header(name: string): string | undefined }
    var: ScopeVariables
  }) => {
    await step(c.req.header('x-visitor')!)
    return c.var
  }
  return new Hono<ScopeEnv>()
    .get('/active', loadActiveOrganization(seatgate, { authenticate }), async (c) =>
      c.json(await tell(c))
    )
    .put('/active/:to', loadActiveOrganization(seatgate, { authenticate }), async (c) => {
      await tell(c)
      unwrap(await putActiveOrganization(seatgate, c, c.req.param('to')))
      return c.json(await tell(c))
    })
    .get(
      '/o/:org/x',
      loadOrganizationFromSlug(seatgate, { authenticate }),
      requireMembership(seatgate),
      async (c) => c.json(await tell(c))
    )
}

async function visitorsWith(places: number) {
  return Promise.all(
    ['ann', 'ben', 'cem'].map(async (name) => {
      const userId = await newUser()
      const homes = await belonging(userId, places)
      return { name, userId, homes, session: await sessionOf(userId, homes[0]!.id) }
    })
  )
}

async function ask(app: Hono<ScopeEnv>, name: string, path: string, method = 'GET') {
  const response = await app.request(path, { method, headers: { 'x-visitor': name } })
  if (response.status !== 200) throw new Error(`${path} answered ${response.status}`)
  return response.json<ScopeVariables>()
}

it.each(Object.entries(callers))(
  'requests of several people that meet in one isolate see their own scope: %s [PIPE-60]',
  async (_kind, callerOf) => {
    const visitors = await visitorsWith(2)
    for (const [method, path, place] of [
      ['GET', () => '/active', 0],
      ['GET', (of: (typeof visitors)[number]) => `/o/${of.homes[1]!.slug}/x`, 1],
      ['PUT', (of: (typeof visitors)[number]) => `/active/${of.homes[1]!.id}`, 1],
    ] as const) {
      const app = hostOf(visitors, callerOf)
      const scopes = await Promise.all(visitors.map((of) => ask(app, of.name, path(of), method)))
      for (const [index, { userId, homes }] of visitors.entries()) {
        expect(scopes[index]).toMatchObject({
          caller: { userId },
          organization: { id: homes[place]!.id },
          membership: { userId, organizationId: homes[place]!.id },
          role: 'member',
        })
      }
    }
    for (const { session, homes } of visitors) expect(await pointerOf(session)).toBe(homes[1]!.id)
  }
)

it('an anonymous, absent or stale caller stays so beside others [PIPE-60]', async () => {
  const userId = await newUser()
  const [home] = await belonging(userId, 1)
  const live = { name: 'live', userId, session: await sessionOf(userId, home!.id) }
  const idle = { name: 'idle', userId: await newUser(), session: await sessionOf(userId) }
  const lost = { name: 'lost', ...(await stalePointer('the membership is gone', 0)) }
  const gone = {
    name: 'gone',
    userId: '',
    session: { id: freshSlug(), activeOrganizationId: null },
  }
  const visitors = [live, idle, lost, gone]
  const app = hostOf(visitors, (configured, { session }) => queryOf(configured, session))
  const scopes = await Promise.all(visitors.map(({ name }) => ask(app, name, '/active')))
  expect(scopes.map(({ organization }) => organization?.id ?? null)).toEqual([
    home!.id,
    null,
    null,
    null,
  ])
  expect(scopes.map(({ role }) => role)).toEqual(['member', null, null, null])
  expect(scopes[3]!.caller).toBeNull()
})
