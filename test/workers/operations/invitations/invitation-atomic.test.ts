import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  shareOf,
  muchLater,
  readLedger,
  violations,
  everything,
  kitWithHooks,
  isChange,
  EVERY_CHANGE,
  newTeam,
  freshStores,
  testEnv,
  codeOf,
  enforcingOr,
  type KitOptions,
} from '../../../kit/index.ts'

beforeEach(freshStores)

afterEach(() => {
  vi.useRealTimers()
})

// One is an answer of D1's: nothing is in, and a seat is free at once. After the other nobody knows.
const FAULTS = {
  'an answer': "INSERT INTO seatgate_guards VALUES ('stale')",
  'no answer': 'SELECT abs(-9223372036854775808)',
} as const

// So that what counts is in the batch.
const invitationLimits = { perUser: 1000, perOrganization: 1000, perRecipient: 1000 }

/** D1, in which one statement of the batch of a change fails, and of the next attempt the next one. */
function failing(sql: string) {
  const fault = { at: -1, length: 1, met: 0 }
  let change = false
  const options = {
    around: ({ asked }, run) => {
      change = isChange(asked)
      if (change) fault.length = asked.length
      return run()
    },
    binding: {
      prepare: (text: string) => testEnv.DB.prepare(text),
      batch(statements: D1PreparedStatement[]) {
        if (!change || fault.at < 0) return testEnv.DB.batch(statements)
        const at = (fault.at + fault.met++) % statements.length
        return testEnv.DB.batch(statements.with(at, testEnv.DB.prepare(sql)))
      },
    } as unknown as D1Database,
  } satisfies KitOptions
  return { fault, options }
}

async function fences(): Promise<unknown[]> {
  return (await testEnv.DB.prepare('SELECT * FROM seatgate_seat_fences').all()).results
}

const changes = EVERY_CHANGE.filter(({ name }) => /Invitation/.test(name))
const joins = EVERY_CHANGE.filter(({ name }) => /Domain|JoinRequest|joinOrganization/.test(name))

const faultsIn = (of: typeof changes) =>
  Object.entries(FAULTS).flatMap(([fault, sql]) =>
    of.map((change) => [change.name, fault, sql, change] as const)
  )

describe.each(enforcingOr('d1'))('the batch of an invitation’s change, %s seats', (provider) => {
  it('is looked at for each', () => {
    expect(changes).toHaveLength(10)
    expect(joins).toHaveLength(9)
  })

  const leavesNothing = async (
    name: string,
    kind: string,
    sql: string,
    { act, told }: (typeof changes)[number]
  ) => {
    const team = await newTeam(provider)
    const called: string[] = []
    const { fault, options } = failing(sql)
    const kit = kitWithHooks({ provider, invitationLimits, ...options }, (hook) =>
      called.push(hook)
    )
    const before = [await everything(), await readLedger(team.organization.id)]
    const attempts = kind === 'an answer' ? 5 : 1
    for (fault.at = 0; fault.at < fault.length; fault.at += attempts) {
      fault.met = 0
      const what = `from statement ${fault.at} of ${fault.length}`
      const answer = await act(kit.seatgate, team)
      await kit.settled()
      expect(codeOf(answer), what).toMatch(
        kind === 'an answer' ? /^operation_in_progress$/ : /unavailable$/
      )
      expect(fault.met, what).toBe(attempts)
      expect(await fences(), what).toEqual([])
      if (kind === 'no answer' && provider === 'ledger') {
        await muchLater(team.organization.id)
        await testEnv.DB.exec('DELETE FROM seatgate_seat_fences')
      }
      expect([await everything(), await readLedger(team.organization.id)], what).toEqual(before)
    }
    // The smallest batch of joining is a guard, a change and its event.
    expect(fault.length).toBeGreaterThan(joins.some((join) => join.name === name) ? 2 : 3)
    expect(called.filter((hook) => hook.startsWith('after'))).toEqual([])

    fault.at = -1
    expect(codeOf(await act(kit.seatgate, team))).toBe('ok')
    await kit.settled()
    expect(await everything()).not.toEqual(before[0])
    expect(called.some((hook) => hook.startsWith('after'))).toBe(told)
    expect(await violations(team.organization.id, { quiet: true })).toEqual([])
  }

  it.each(shareOf(faultsIn(changes), 6))(
    'leaves no trace if any statement of it fails: %s, %s [INV-77 INV-85 ORG-137]',
    leavesNothing
  )

  it.each(shareOf(faultsIn(joins), 6))(
    'nor that of joining, if any statement of it fails: %s, %s',
    leavesNothing
  )
})
