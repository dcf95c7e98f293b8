/**
 * Once everything has calmed down: the ledgers of further types of seats, and what must be true of pushed users.
 *
 * @module
 */
import { poolOf } from './pools.ts'
import { listScimUsers, type ScimContext } from '../../../src/hono/scim/index.ts'
import type { Surroundings } from '../network.ts'
import type { Registry } from '../people.ts'
import type { World } from '../world.ts'
import { readFacts } from './facts.ts'
import { typesOf, type AccessHost } from './host.ts'

const MINUTE = 60_000

/** The ledgers of the further types of seats. */
export function typeLedgersOf({ ledgers }: World, id: string, host: AccessHost | null) {
  return Object.fromEntries(
    [...typesOf(host).keys()].map((type) => [type, ledgers.stateOf(poolOf(id, type))])
  )
}

/** What the identity provider reads of its users is what they are. */
export async function pushedAtTheEnd(
  { scheduler }: Surroundings,
  world: World,
  registry: Registry,
  host: AccessHost
): Promise<string[]> {
  const { seatgate } = world.startWorker('reader')
  const wrong: string[] = []
  for (const organization of registry.ids()) {
    const view = registry.view(organization)
    if (view === null || view.deleted) continue
    const { pushed } = readFacts(world.connection, organization, host)
    let told: Awaited<ReturnType<typeof listScimUsers>> | null = null
    const caller = { type: 'system' } as const
    const library = seatgate as typeof seatgate & ScimContext
    void listScimUsers(library, { caller, organization }, { count: 100 }).then(
      (page) => (told = page)
    )
    await scheduler.run(scheduler.now() + MINUTE, () => told !== null)
    const page = told as Awaited<ReturnType<typeof listScimUsers>> | null
    const users = page?.ok ? page.value.users : []
    if (users.length !== pushed.size) wrong.push(`${users.length} of ${pushed.size} are listed`)
    for (const { id, active } of users) {
      const member = view.members.find(({ user_id }) => user_id === pushed.get(id)?.user_id)
      const isIn = member?.status === 'active'
      if (active !== isIn) wrong.push(`${id} is told to be ${active ? 'in' : 'out'}`)
    }
  }
  return wrong
}
