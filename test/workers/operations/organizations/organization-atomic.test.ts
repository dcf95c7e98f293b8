import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createOrganization } from '../../../../src/index.ts'
import {
  shareOf,
  muchLater,
  readLedger,
  actionsOf,
  everything,
  freshSlug,
  kitWithHooks,
  isChange,
  meanwhile,
  EVERY_CHANGE,
  newTeam,
  type Team,
  freshStores,
  testEnv,
  keys,
  codeOf,
  createKit,
  newUser,
  PASSWORD,
} from '../../../kit/index.ts'

beforeEach(freshStores)

afterEach(() => {
  vi.useRealTimers()
})

const providers = ['ledger', 'd1'] as const
const named = EVERY_CHANGE.map((mutator) => [mutator.name, mutator] as const)

// An answer that is no verdict on the statements: nobody knows what became of the batch.
const NO_ANSWER = 'abs(-9223372036854775808)'
const raising = (error: string) => `RAISE(ABORT, '${error}')`

async function whileBroken<T>(table: string, fault: string, act: () => Promise<T>): Promise<T> {
  await testEnv.DB.exec(
    `CREATE TRIGGER broken BEFORE INSERT ON ${table} BEGIN SELECT ${fault}; END;`
  )
  const answer = await act()
  await testEnv.DB.exec('DROP TRIGGER broken')
  return answer
}

describe.each(providers)('a change with %s seats', (provider) => {
  it.each(shareOf(named, 3))(
    'leaves no trace if its audit insert fails: %s [ORG-137]',
    async (_name, mutator) => {
      const { act, told } = mutator
      const team = await newTeam(provider)
      const called: string[] = []
      // The log accepts every event, so every batch marks its organization.
      const auditLogKey = keys.privateKey
      const kit = kitWithHooks({ provider, auditLogKey }, (hook) => called.push(hook))
      const [rows, ledger] = [await everything(), await readLedger(team.organization.id)]

      // The first two are answers of D1's: the batch is certainly not in, and the seat is free at once.
      // After the others nobody knows what became of it: the seat waits for its deadline.
      const faults = [
        ['seatgate_audit_events', raising('guard:stale')],
        ['seatgate_audit_events', raising('a rule of the host')],
        ['seatgate_audit_events', NO_ANSWER],
        ['seatgate_audit_outbox', NO_ANSWER],
        ...(told ? [['seatgate_jobs', NO_ANSWER]] : []),
      ] as [string, string][]
      for (const [table, fault] of faults) {
        const refusal = await whileBroken(table, fault, () => act(kit.seatgate, team))
        expect(refusal.ok).toBe(false)
        await kit.settled()
        expect(await everything()).toEqual(rows)
        if (fault === NO_ANSWER && ledger) await muchLater(team.organization.id)
        expect(await readLedger(team.organization.id)).toEqual(ledger)
        await testEnv.DB.exec('DELETE FROM seatgate_seat_fences')
      }
      expect(called.filter((hook) => hook.startsWith('after'))).toEqual([])

      expect(codeOf(await act(kit.seatgate, team))).toBe('ok')
      await kit.settled()
      expect(await everything()).not.toEqual(rows)
      expect(called.some((hook) => hook.startsWith('after'))).toBe(told)
    }
  )
})

describe('the batch of a change', () => {
  it.each(shareOf(named, 3))(
    'makes no call between start and end of its batch: %s [ORG-139]',
    async (_name, m) => {
      const team = await newTeam()
      const calls: string[] = []
      let batches = 0
      let within = false
      const note = (call: string) => {
        if (within) calls.push(call)
      }
      vi.spyOn(globalThis, 'fetch').mockImplementation(async () => {
        note('fetch')
        return new Response()
      })
      const kit = kitWithHooks(
        {
          verifyPassword(_userId, password) {
            note('verifyPassword')
            return password === PASSWORD
          },
          async around({ store, asked }, run) {
            note(`${store}: ${asked[0]}`)
            if (store !== 'd1' || !isChange(asked)) return run()
            batches += 1
            within = true
            // Whatever was started before has every chance to show itself.
            for (let turn = 0; turn < 10; turn++)
              await new Promise((resolve) => setTimeout(resolve))
            const answer = await run()
            within = false
            return answer
          },
        },
        note
      )
      expect(codeOf(await m.act(kit.seatgate, team))).toBe('ok')
      await kit.settled()
      vi.restoreAllMocks()
      expect({ batches, calls }).toEqual({ batches: 1, calls: [] })
    }
  )
})

describe.each(providers)('a change that was planned on outdated rows, %s seats', (provider) => {
  const inside = named.filter(([, mutator]) => mutator.inside)

  async function overtaken(act: (typeof EVERY_CHANGE)[number]['act'], sql: (team: Team) => string) {
    const team = await newTeam(provider)
    const called: string[] = []
    let rows: unknown = null
    const around = meanwhile(async () => {
      await testEnv.DB.exec(sql(team))
      rows = await everything()
    })
    const kit = kitWithHooks({ provider, around }, (hook) => called.push(hook))
    const ledger = await readLedger(team.organization.id)
    const answer = await act(kit.seatgate, team)
    await kit.settled()
    expect(rows).not.toBeNull()
    return { team, answer, rows, ledger, called }
  }

  it.each(shareOf(inside, 3))(
    'leaves no trace if the organization was deleted: %s [ORG-138]',
    async (name, { act }) => {
      const { team, answer, rows, ledger, called } = await overtaken(
        act,
        ({ organization }) =>
          `UPDATE seatgate_organizations SET deleted_at = 1 WHERE id = '${organization.id}'`
      )
      const expected = name === 'putActiveOrganization' ? 'not_a_member' : 'organization_not_found'
      expect(codeOf(answer)).toBe(expected)
      expect(await everything()).toEqual(rows)
      expect(await readLedger(team.organization.id)).toEqual(ledger)
      expect(called.filter((hook) => hook.startsWith('after'))).toEqual([])
    }
  )

  const needsRole = inside.filter(
    ([name]) =>
      !/^(leaveOrganization|setSeatLimit|setEntitlement|putActiveOrganization)$/.test(name)
  )
  it.each(shareOf(needsRole, 3))(
    'leaves no trace if the caller was demoted: %s [ORG-138]',
    async (_n, { act }) => {
      const { team, answer, rows, ledger } = await overtaken(
        act,
        ({ owner, organization }) =>
          `UPDATE seatgate_memberships SET role = 'member' WHERE user_id = '${owner}' AND organization_id = '${organization.id}'`
      )
      expect(codeOf(answer)).toBe('insufficient_role')
      expect(await everything()).toEqual(rows)
      expect(await readLedger(team.organization.id)).toEqual(ledger)
    }
  )

  it('leaves no trace of a restoration whose slug was taken after the read [ORG-138]', async () => {
    const mutator = EVERY_CHANGE.find(({ name }) => name === 'restoreOrganization')!
    const { answer, rows } = await overtaken(
      mutator.act,
      ({ organization, deleted }) =>
        `UPDATE seatgate_organizations SET slug = '${deleted.slug}' WHERE id = '${organization.id}'`
    )
    expect(answer).toMatchObject({
      error: { code: 'validation_error', errors: { slug: [expect.any(String)] } },
    })
    expect(await everything()).toEqual(rows)
  })

  it('writes no second event if another user has just done the same [ORG-138]', async () => {
    for (const [name, sql] of [
      [
        'restoreOrganization',
        ({ deleted }: Team) =>
          `UPDATE seatgate_organizations SET deleted_at = NULL WHERE id = '${deleted.id}'`,
      ],
      [
        'renameOrganization',
        ({ organization }: Team) =>
          `UPDATE seatgate_organizations SET name = 'Renamed' WHERE id = '${organization.id}'`,
      ],
      [
        'setMfaPolicy',
        ({ organization }: Team) =>
          `UPDATE seatgate_organizations SET enforce_mfa_for_members = 1 WHERE id = '${organization.id}'`,
      ],
    ] as [string, (team: Team) => string][]) {
      const mutator = EVERY_CHANGE.find((one) => one.name === name)!
      const { answer, rows } = await overtaken(mutator.act, sql)
      expect(codeOf(answer)).toBe('ok')
      expect(await everything()).toEqual(rows)
    }
  })
})

describe('the batch of a creation', () => {
  it.each([
    ['seatgate_organizations'],
    ['seatgate_memberships'],
    ['seatgate_audit_events'],
    ['seatgate_audit_outbox'],
  ])(
    'has organization, owner with a seat and audit rows in it, or no row if %s fails [ORG-2]',
    async (table) => {
      const changes: (readonly string[])[] = []
      const { seatgate, settled } = createKit({
        auditLogKey: keys.privateKey,
        around({ asked }, run) {
          if (isChange(asked)) changes.push(asked)
          return run()
        },
      })
      const caller = { userId: await newUser() }
      const input = { name: 'Acme', slug: freshSlug() }
      const rows = await everything()
      const refusal = await whileBroken(table, NO_ANSWER, () =>
        createOrganization(seatgate, { caller }, input)
      )
      expect(codeOf(refusal)).toBe('unavailable')
      expect(await everything()).toEqual(rows)

      const created = await createOrganization(seatgate, { caller }, input)
      await settled()
      if (!created.ok) throw new Error(created.error.code)
      expect(changes).toHaveLength(2)
      const member = await testEnv.DB.prepare(
        'SELECT user_id, role, seat_id FROM seatgate_memberships WHERE organization_id = ?'
      )
        .bind(created.value.id)
        .first()
      expect(member).toEqual({
        user_id: caller.userId,
        role: 'owner',
        seat_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      })
      expect(await actionsOf(created.value.id)).toEqual(['organization.create', 'seat.assigned'])
    }
  )
})
