/**
 * Storage: the bytes that D1 needs for each member that is added, and for each change of a role, which is
 * one event with its address.
 *
 * @module
 */
import { driverOf } from './drivers/all.ts'
import { must, type Act } from './drivers/driver.ts'
import type { StoredBytes } from './results.ts'
import { start, type Stage } from './stage.ts'

// Enough for several pages of each index, so that the pages that are half full do not count.
const CHANGES = 1_500
const CONCURRENCY = 16

/** Measures the library with seats in D1: the ledger is another store, with 100 bytes a seat. */
export async function storageOf(library: string): Promise<StoredBytes> {
  const stage = await start('d1', { library })
  try {
    const driver = driverOf('d1', library)
    await driver.prepare(stage)
    const at = await driver.organization(stage, { members: 10 })
    const people = [...(await driver.people(stage, CHANGES))]
    const adds = people.map(({ id }) => driver.adding(at, id))
    const begun = await bytesOf(stage)
    await send(stage, adds)
    const added = await bytesOf(stage)
    const changes = people.map(({ id }) => ({
      path: `/organizations/${at.slug}/members/${id}`,
      method: 'PATCH',
      token: at.owner.token,
      body: { role: 'admin' },
      status: 200,
    }))
    await send(stage, changes)
    const changed = await bytesOf(stage)
    return { member: (added - begun) / CHANGES, change: (changed - added) / CHANGES }
  } finally {
    await stage.dispose()
  }
}

async function bytesOf({ database }: Stage): Promise<number> {
  const { meta } = await database.prepare('SELECT 1').all()
  return meta.size_after
}

async function send(stage: Stage, acts: readonly Act[]): Promise<void> {
  const waiting = [...acts]
  const lanes = Array.from({ length: CONCURRENCY }, async () => {
    for (let act = waiting.pop(); act !== undefined; act = waiting.pop()) await must(stage, act)
  })
  await Promise.all(lanes)
}
