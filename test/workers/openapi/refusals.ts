/**
 * The refusals of every operation that need no request which would be granted.
 *
 * @module
 */
import type { Hono } from 'hono'
import type { Person } from '../../kit/index.ts'
import * as scenes from './every-scene.ts'
import type { Asked, Recorder } from './recorder.ts'

interface Scene {
  readonly org: string
  readonly owner: Person
  readonly other: Person
  readonly plain: Person
  readonly paid: string
}

const SCENES = [
  scenes.refuseMore,
  scenes.refuseRolesWithSeats,
  scenes.refuseLinks,
  scenes.refuseJoining,
  scenes.refuseIdentities,
  scenes.refuseRestoring,
  scenes.refuseTrails,
  scenes.refuseFurther,
  scenes.push,
  scenes.refuseRoles,
]

/** The routes of an application, without its middleware. */
export function routesOf(app: Hono): readonly string[] {
  const routes = app.routes.filter(({ method }) => method !== 'ALL')
  return [...new Set(routes.map(({ method, path }) => `${method} ${path}`))].toSorted()
}

/** The refusals of every operation, each where it is expected, and those of {@link refuseStrangers}. */
export async function refuseEverywhere(record: Recorder, app: Hono, scene: Scene) {
  await scenes.refuseSpecially(record)
  await scenes.refuseProvider(record, scene)
  for (const refuse of SCENES) await refuse(record)
  await refuseStrangers(record, app, scene)
}

/** Calls every operation without an identity, as a stranger, with a missing id and from another site. */
export async function refuseStrangers({ exchange }: Recorder, app: Hono, scene: Scene) {
  const { org, owner, other } = scene
  const operator = `operator:${owner.userId}`
  const none = crypto.randomUUID()
  const there = { org, userId: other.userId, id: org, sink: 'siem', provider: 'stripe' }
  const missing = { org, userId: none, id: none, sink: 'none', provider: 'none' }
  for (const route of routesOf(app)) {
    const ask = (asked: Asked) => exchange(route, asked)
    await ask({ param: there })
    await ask({ as: 'user:stranger', param: there })
    const body = route.startsWith('GET') ? undefined : {}
    await ask({ as: operator, param: missing, body })
    await ask({ as: operator, param: { ...there, org: none } })
    if (route.startsWith('GET')) {
      await ask({ as: operator, param: there, query: { colour: 'red' } })
      continue
    }
    await ask({ as: operator, param: there, body: { oddity: true } })
    await ask({ param: there, headers: { 'sec-fetch-site': 'cross-site', cookie: 'session=x' } })
    await ask({ as: operator, param: there, body, headers: { 'content-type': 'text/plain' } })
  }
}
