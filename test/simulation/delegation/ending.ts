/**
 * Once everything has calmed down: what is listed of own roles and groups is what is stored.
 *
 * @module
 */
import { listGroupMembers, listGroups } from '../../../src/hono/groups/index.ts'
import { listRoles } from '../../../src/hono/roles/index.ts'
import type { Result } from '../../../src/index.ts'
import type { AccessHost } from '../access/host.ts'
import type { Surroundings } from '../network.ts'
import type { Registry } from '../people.ts'
import type { World } from '../world.ts'
import { readDelegation } from './facts.ts'
import type { DelegationLibrary } from './host.ts'

const MINUTE = 60_000

export async function delegatedAtTheEnd(
  { scheduler }: Surroundings,
  world: World,
  registry: Registry,
  { delegation }: AccessHost
): Promise<string[]> {
  if (delegation === undefined) return []
  const library = world.startWorker('reader').seatgate as DelegationLibrary
  const wrong: string[] = []
  const settled = async <T>(answer: Promise<Result<T>>): Promise<T | null> => {
    let told: Result<T> | null = null
    void answer.then((result) => (told = result))
    await scheduler.run(scheduler.now() + MINUTE, () => told !== null)
    const result = told as Result<T> | null
    return result?.ok ? result.value : null
  }
  for (const organization of registry.ids()) {
    const view = registry.view(organization)
    if (view === null || view.deleted) continue
    const { own, groups } = readDelegation(world.connection, organization)
    const scope = { caller: { type: 'system' }, organization } as const
    const roles = await settled(listRoles(library, scope))
    const listed = roles?.data.flatMap((role) => (role.own ? [role.name] : [])) ?? []
    if (listed.join() !== Object.keys(own).join()) wrong.push(`the roles ${listed} are listed`)
    const page = await settled(listGroups(library, scope, { limit: 100 }))
    if (page?.data.length !== groups.size) wrong.push(`${page?.data.length} groups are listed`)
    for (const { id, members } of page?.data ?? []) {
      const inIt = await settled(listGroupMembers(library, scope, id, { limit: 100 }))
      const there = groups.get(id)?.userIds ?? []
      const told = inIt?.data.map(({ userId }) => userId).toSorted() ?? []
      if (told.join() !== there.toSorted().join() || members !== there.length) {
        wrong.push(`in group ${id} ${told.join(' ')} are listed, of ${members}`)
      }
    }
  }
  return wrong.map((problem) => `at the end: ${problem}`)
}
