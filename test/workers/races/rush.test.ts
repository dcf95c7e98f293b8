import { describe, expect, it } from 'vitest'
import type { AddedMember, Result } from '../../../src/index.ts'
import {
  readState,
  violationsIn,
  atScale,
  add,
  createKit,
  enforcing,
  newUsers,
} from '../../kit/index.ts'

const ROUNDS = atScale({ share: 1, thorough: 2, whole: 200 })
const RACERS = 200
const SEATS = 137
const CROWD = atScale({ share: 150, thorough: 300, whole: 5000 })
const PATIENCE_MS = 3_600_000
// However slow the machine is, nobody is refused for being late.
const PATIENT = { timeoutSeconds: 3600, reservationSeconds: 3600 }

/** So many at once for so many seats: exactly these are taken, and everybody else is told so. */
async function rush(provider: 'ledger' | 'd1', racers: number, seats: number): Promise<void> {
  const kit = createKit({ provider, ledger: PATIENT })
  const limit = 1 + seats
  const organization = await kit.organization({ seats: limit })
  const people = await newUsers(racers)
  const answers: Result<AddedMember>[] = await Promise.all(
    people.map((userId) => add(kit, organization, userId))
  )
  await kit.settled()
  const refusals = answers.flatMap((answer) => (answer.ok ? [] : [JSON.stringify(answer.error)]))
  expect(refusals).toHaveLength(racers - seats)
  const full = JSON.stringify({ code: 'seat_limit_reached', limit, used: limit })
  expect(refusals.filter((refusal) => refusal !== full)).toEqual([])
  const state = await readState(organization.id)
  expect(state.members).toHaveLength(limit)
  expect(violationsIn(state, { quiet: true })).toEqual([])
  const present = new Set(state.members.map(({ user_id }) => user_id))
  expect(people.filter((userId, index) => answers[index]?.ok !== present.has(userId))).toEqual([])
}

describe.each(enforcing)('a rush, %s seats', (provider) => {
  it(
    'of 200 users gives one seat to one user, round after round [MUSEUM-01]',
    async () => {
      for (let round = 0; round < ROUNDS; round++) await rush(provider, RACERS, 1)
    },
    PATIENCE_MS
  )

  it(
    'of a crowd that races for 137 seats 137 get in [MUSEUM-01]',
    () => rush(provider, CROWD, SEATS),
    PATIENCE_MS
  )
})
