/**
 * What is there before anything goes wrong: a host, people with accounts, and an organization.
 *
 * @module
 */
import { createOrganization, setSeatLimit } from '../../src/index.ts'
import type { HostOptions } from './host.ts'
import type { Surroundings } from './network.ts'
import { addressOf, operator, sessionOf } from './operations/deed.ts'
import type { Random } from './random.ts'
import type { Connection } from './sqlite.ts'
import type { World } from './world.ts'

export function drawHost(random: Random): HostOptions {
  const provider = random.chance(0.82) ? 'ledger' : random.chance(0.8) ? 'd1' : 'unlimited'
  const whenFull = () => (random.chance(0.7) ? 'wait' : 'refuse')
  return {
    provider,
    defaultSeatLimit: random.chance(0.5) ? 'unlimited' : 1 + random.below(6),
    invitationTtlSeconds: Math.round(random.between(5, 3_600)),
    invitationsHoldSeats: random.chance(0.85),
    mails: random.chance(0.3),
    queue: true,
    sinks: ['everything', 'organizations'].filter(() => random.chance(0.4)),
    joining: random.chance(0.6) ? { domain: whenFull(), request: whenFull() } : null,
    hooks: random.chance(0.4),
    importPage: random.chance(0.6) ? 1 + random.below(4) : 2000,
  }
}

/** People with an account and a session each. The address of every fourth is not verified. */
export function insertUsers(
  { post }: Surroundings,
  connection: Connection,
  count: number
): string[] {
  return Array.from({ length: count }, (_, index) => {
    const id = `user-${index + 1}`
    const verified = index % 4 !== 3
    connection.all(
      `INSERT INTO users (id, email, password_hash, email_verified_at, created_at)
       VALUES (?, ?, 'none', ?, 0)`,
      [id, addressOf(id), verified ? 1 : null]
    )
    if (verified) post.believe(addressOf(id))
    connection.all('INSERT INTO seatgate_sessions VALUES (?, ?, NULL, 0, 0, 0)', [
      sessionOf(id),
      id,
    ])
    return id
  })
}

/** The organization in which most of it happens, in fine weather. */
export async function found(
  world: World,
  { scheduler, random }: Surroundings,
  userIds: readonly string[]
) {
  const { seatgate } = world.startWorker('founder')
  const caller = { userId: userIds[0]! }
  let founded = false
  const founding = async () => {
    const made = await createOrganization(seatgate, { caller }, { name: 'First', slug: 'first' })
    if (!made.ok) throw new Error('The first organization was not made.')
    const scope = { caller: operator, organization: made.value.id }
    if (random.chance(0.8)) await setSeatLimit(seatgate, scope, { limit: 2 + random.below(6) })
    founded = true
  }
  let failed: unknown = null
  founding().catch((error: unknown) => {
    failed = error
    founded = true
  })
  await scheduler.run(Infinity, () => founded)
  if (failed !== null) throw failed
}
