import { describe, expect, it } from 'vitest'
import {
  addMember,
  renameOrganization,
  suspendMember,
  type Principal,
} from '../../../../src/index.ts'
import {
  type FullSeatgate,
  readState,
  violations,
  testEnv,
  unwrap,
  codeOf,
  createKit,
  join,
  newUser,
  type TestOrganization,
} from '../../../kit/index.ts'

const kit = createKit()
const { seatgate } = kit

const machine = (serviceAccountId: string, { id }: TestOrganization, role = 'admin') =>
  ({ type: 'service_account', serviceAccountId, organizationId: id, role }) as const
const host = { type: 'system' } as const

const adding = (
  by: FullSeatgate,
  { id }: TestOrganization,
  caller: Principal,
  userId: string,
  operationId: string
) => addMember(by, { caller, organization: id }, { userId, role: 'member' }, { operationId })

const recorded = async (operationId: string) => {
  const { results } = await testEnv.DB.prepare(
    'SELECT actor_id FROM seatgate_operations WHERE id = ?'
  )
    .bind(operationId)
    .all<{ actor_id: string }>()
  return results.map(({ actor_id }) => actor_id)
}

describe('one operation id of several callers', () => {
  it('is an operation of each: a person, a machine and the host [SEAT-18]', async () => {
    const organization = await kit.organization()
    const admin = await join(kit, organization, 'admin')
    const operationId = crypto.randomUUID()
    const callers: Principal[] = [
      { userId: organization.owner },
      { userId: admin },
      machine('bot-1', organization),
      machine('bot-2', organization),
      host,
    ]
    const newcomers = await Promise.all(callers.map(() => newUser()))
    const first = []
    for (const [index, caller] of callers.entries()) {
      const added = await adding(seatgate, organization, caller, newcomers[index]!, operationId)
      first.push(unwrap(added))
    }
    await kit.settled()
    expect(first.map(({ created, membership: { userId } }) => [created, userId])).toEqual(
      newcomers.map((userId) => [true, userId])
    )
    expect(new Set(await recorded(operationId)).size).toBe(callers.length)

    // And again: each is answered as the first time, and the input of another is a mismatch.
    for (const [index, caller] of callers.entries()) {
      const again = await adding(seatgate, organization, caller, newcomers[index]!, operationId)
      expect(unwrap(again)).toEqual(first[index])
      const other = newcomers[(index + 1) % callers.length]!
      expect(codeOf(await adding(seatgate, organization, caller, other, operationId))).toBe(
        'idempotency_mismatch'
      )
    }
    const { members } = await readState(organization.id)
    expect(members).toHaveLength(2 + callers.length)
    expect(await violations(organization.id, { quiet: true })).toEqual([])
  })

  it('is not the machine’s if a person has its name [SEAT-18]', async () => {
    const organization = await kit.organization()
    const operationId = crypto.randomUUID()
    const person = 'bot-3'
    const newcomers = [await newUser(), await newUser()] as const
    await testEnv.DB.prepare(
      `INSERT OR IGNORE INTO users (id, email, password_hash, created_at)
       VALUES (?1, ?1 || '@example.com', 'none', 0)`
    )
      .bind(person)
      .run()
    await join(kit, organization, 'admin', person)
    const by = [{ userId: person }, machine(person, organization)] as const
    for (const [index, caller] of by.entries()) {
      const added = await adding(seatgate, organization, caller, newcomers[index]!, operationId)
      expect(unwrap(added).membership.userId).toBe(newcomers[index])
    }
    expect(await recorded(operationId)).toHaveLength(2)
  })

  it('shows a machine no result of another organization’s operation [SEAT-18]', async () => {
    const [here, there] = [await kit.organization(), await kit.organization()]
    const operationId = crypto.randomUUID()
    const userId = await newUser()
    unwrap(await adding(seatgate, here, machine('bot-4', here), userId, operationId))
    // Hosts may number the machines of each organization by themselves.
    const other = await adding(seatgate, there, machine('bot-4', there), userId, operationId)
    expect(['ok', 'idempotency_mismatch']).toContain(codeOf(other))
    if (other.ok) expect(other.value.membership.organizationId).toBe(there.id)
  })

  it('is returned to its caller, also after they have lost the right [SEAT-18]', async () => {
    const organization = await kit.organization()
    const admin = await join(kit, organization, 'admin')
    const userId = await newUser()
    const operationId = crypto.randomUUID()
    const caller = { userId: admin }
    const first = unwrap(await adding(seatgate, organization, caller, userId, operationId))
    unwrap(await suspendMember(seatgate, organization.as(organization.owner), admin))
    expect(unwrap(await adding(seatgate, organization, caller, userId, operationId))).toEqual(first)
    // A new operation they are refused.
    const next = await adding(seatgate, organization, caller, userId, crypto.randomUUID())
    expect(codeOf(next)).toBe('organization_not_found')
  })

  it('of an operator who acts as a user is separate from that of the user [A9 SEAT-18]', async () => {
    const organization = await kit.organization()
    const caller = { userId: organization.owner }
    const acting = { ...caller, impersonatedBy: 'support-1' }
    const operationId = crypto.randomUUID()
    const scope = (by: Principal) => ({ caller: by, organization: organization.id })
    const rename = (by: Principal, name: string) =>
      renameOrganization(seatgate, scope(by), { name }, { operationId })
    const first = unwrap(await rename(acting, 'Renamed'))
    const own = unwrap(await rename(caller, 'Other'))
    expect([first.name, own.name]).toEqual(['Renamed', 'Other'])
    expect(unwrap(await rename(acting, 'Renamed'))).toEqual(first)
    expect(unwrap(await rename(caller, 'Other'))).toEqual(own)
    expect(codeOf(await rename(acting, 'Other'))).toBe('idempotency_mismatch')
    expect(codeOf(await rename(caller, 'Renamed'))).toBe('idempotency_mismatch')
    expect(await recorded(operationId)).toEqual([`user:${organization.owner}`])
    expect(await recorded(`${operationId} by support-1`)).toEqual([`user:${organization.owner}`])
    const { events } = await readState(organization.id)
    const renames = events.filter(({ action }) => action === 'organization.rename')
    expect(renames.map(({ actor_id }) => actor_id)).toEqual(['support-1', organization.owner])
  })

  it.each([
    ['the host', 'system', host],
    ['a machine', 'service_account:bot-5', null],
  ] as const)(
    'of %s is not that of a person of the same name [SEAT-18]',
    async (_what, name, principal) => {
      const organization = await kit.organization()
      const operationId = crypto.randomUUID()
      const [first, second] = [await newUser(), await newUser()]
      await testEnv.DB.prepare(
        `INSERT OR IGNORE INTO users (id, email, password_hash, created_at)
       VALUES (?1, ?1 || '@example.com', 'none', 0)`
      )
        .bind(name)
        .run()
      await join(kit, organization, 'admin', name)
      const by = principal ?? machine('bot-5', organization)
      unwrap(await adding(seatgate, organization, by, first, operationId))
      const person = await adding(seatgate, organization, { userId: name }, second, operationId)
      expect(codeOf(person)).toBe('ok')
    }
  )
})
