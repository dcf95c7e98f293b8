/**
 * Changes of role that race for seats.
 *
 * @module
 */
import { expect } from 'vitest'
import { changeRole, type Result } from '../../../src/index.ts'
import { seeded, type Kit, type KitOrganization } from '../../kit/index.ts'

/** For races of a hundred and more: nothing may run out while they are under way. */
export const PATIENT = { timeoutSeconds: 3600, reservationSeconds: 3600 }
export const PATIENCE_MS = 600_000

/** Lets a number of members join in a role, at once. */
export function joinMany(organization: KitOrganization, count: number, role: string) {
  return Promise.all(Array.from({ length: count }, () => organization.join(role)))
}

/**
 * Gives all of them a role at once, and returns those who got it. All others are refused because of the
 * same full limit.
 */
export async function changeAtOnce(
  kit: Kit,
  organization: KitOrganization,
  people: readonly string[],
  [role, full]: readonly [role: string, full: object]
): Promise<string[]> {
  const scope = organization.as(organization.owner)
  const answers: Result<unknown>[] = await Promise.all(
    people.map((userId) => changeRole(kit.seatgate, scope, userId, { role }))
  )
  await kit.settled()
  for (const answer of answers) {
    if (!answer.ok) expect(answer.error).toEqual({ code: 'seat_limit_reached', ...full })
  }
  return people.filter((_, index) => answers[index]?.ok).toSorted()
}

/** Moves people between two roles at random, 36 times at once, and looks at the organization after each. */
export async function moveAtRandom(
  kit: Kit,
  organization: KitOrganization,
  people: readonly string[],
  {
    roles,
    random,
    look,
  }: {
    readonly roles: readonly [string, string]
    readonly random: ReturnType<typeof seeded>
    readonly look: () => Promise<void>
  }
): Promise<void> {
  const scope = organization.as(organization.owner)
  await Promise.all(
    Array.from({ length: 36 }, async () => {
      const userId = people[Math.floor(random() * people.length)]!
      const role = roles[random() < 0.5 ? 0 : 1]
      await changeRole(kit.seatgate, scope, userId, { role })
      await look()
    })
  )
  await kit.settled()
}
