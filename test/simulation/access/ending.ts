/**
 * Once everything has calmed down: what must be true of further types of seats, and of pushed users.
 *
 * @module
 */
import { poolOf, typeOfSeat } from './pools.ts'
import { listScimUsers, type ScimContext } from '../../../src/hono/scim/index.ts'
import type { HostOptions } from '../host.ts'
import type { Surroundings } from '../network.ts'
import { seatsIn, type Registry } from '../people.ts'
import type { World } from '../world.ts'
import { readFacts } from './facts.ts'
import { typeOfRole, typesOf } from './host.ts'

const MINUTE = 60_000

/** Where seats have types there is a line for each: who was first in which, the trail does not say. */
export const isOfOneType = (types: ReadonlyMap<string, number>) => (problem: string) =>
  types.size === 0 || !problem.endsWith('was not the first')

/** What is wrong with the pools of an organization: its ledgers, and who waits. */
export function poolsAtTheEnd(
  { connection, ledgers }: World,
  registry: Registry,
  id: string,
  { access: host, defaultSeatLimit }: HostOptions,
  now: Date
): string[] {
  const access = host ?? null
  const limits = typesOf(access)
  const view = registry.view(id)
  if (limits.size === 0 || view === null) return []
  const { line } = readFacts(connection, id)
  const ofType = (type: string | null, time = now.getTime()) =>
    seatsIn(view, time).filter((seat) => typeOfSeat(seat) === type)
  const typed = [...limits].flatMap(([type]) => {
    const ledger = ledgers.stateOf(poolOf(id, type))
    if (ledger === null) return []
    const [there, known] = [ofType(type), ledger.seats.map(({ seat_id }) => seat_id)]
    return [
      ...known.filter((seat) => !there.includes(seat)).map((seat) => `${seat} leaked`),
      ...there.filter((seat) => !known.includes(seat)).map((seat) => `${seat} is unknown`),
    ]
  })
  const byDefault = defaultSeatLimit === 'unlimited' ? Infinity : defaultSeatLimit
  const all = [[null, view.limit ?? byDefault] as const, ...limits]
  const forgotten = all.flatMap(([type, limit]) => {
    const waiting = line.filter(({ role }) => typeOfRole(access)(role) === type)
    // An expiry is found by the sweep, within a minute.
    const used = ofType(type, now.getTime() - 2 * MINUTE).length
    return waiting.length > 0 && used < limit
      ? [`${waiting.length} wait for ${type ?? 'a seat'} with ${used} of ${limit} in use`]
      : []
  })
  return [...typed, ...forgotten]
}

/** What the identity provider reads of its users is what they are. */
export async function pushedAtTheEnd(
  { scheduler }: Surroundings,
  world: World,
  registry: Registry
): Promise<string[]> {
  const { seatgate } = world.startWorker('reader')
  const wrong: string[] = []
  for (const organization of registry.ids()) {
    const view = registry.view(organization)
    if (view === null || view.deleted) continue
    const { pushed } = readFacts(world.connection, organization)
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
