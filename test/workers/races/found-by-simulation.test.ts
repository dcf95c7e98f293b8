/**
 * What the simulation has found, once more in the real runtime.
 */
import { drizzle } from 'drizzle-orm/d1'
import { afterEach, describe, expect, it, vi } from 'vitest'
import {
  changeInvitationRole,
  createInvitation,
  createInvitations,
  forwardOrganization,
  joinOrganization,
  removeMember,
  resendInvitation,
  seatUsage,
  sweepSeats,
  withdrawJoinRequest,
  type Result,
  type LedgerCalls,
  type LedgerNamespace,
} from '../../../src/index.ts'
import { startLedger } from '../../../src/parts/ledger/start-ledger.ts'
import {
  differencesOf,
  muchLater,
  invite,
  newAddress,
  readState,
  violations,
  joinByDomain,
  createJoiningKit,
  neighbourOf,
  openOrganization,
  testEnv,
  add,
  unwrap,
  codeOf,
  createKit,
  join,
} from '../../kit/index.ts'

afterEach(() => {
  vi.useRealTimers()
})

it('a raise of the epoch that arrives late makes no change', async () => {
  const kit = createKit()
  const organization = await kit.organization({ seats: 5 })
  const db = drizzle(testEnv.DB)
  expect(codeOf(await add(kit, organization))).toBe('ok')
  await kit.settled()
  const { ledger, epoch } = await readState(organization.id)
  // The ledger was told that its first try was lost, started with a second, and now the first arrives.
  const { sql, params } = raising(organization.id, epoch - 1)
  await testEnv.DB.prepare(sql)
    .bind(...params)
    .run()
  expect((await readState(organization.id)).epoch).toBe(epoch)
  expect(ledger?.epoch).toBe(epoch)
  expect(codeOf(await add(kit, organization))).toBe('ok')
  // A new start counts, even if the clock stands still.
  const again = await startLedger(db, organization.id, new Date(epoch))
  expect(again.epoch).toBe(epoch + 1)

  function raising(organizationId: string, at: number) {
    let raised: { sql: string; params: unknown[] } | undefined
    const spy = {
      prepare: (sql: string) => ({
        bind(...params: unknown[]) {
          if (sql.includes('insert into "seatgate_seat_ledgers"')) raised = { sql, params }
          return testEnv.DB.prepare('SELECT 1')
        },
      }),
      batch: async () => Promise.reject(new Error('Network connection lost.')),
    } as unknown as D1Database
    void startLedger(drizzle(spy), organizationId, new Date(at)).catch(() => {})
    return raised!
  }
})

/** Ledgers to which every request for a seat and every confirmation comes once more, when asked for. */
function echoing() {
  const late: (() => Promise<unknown>)[] = []
  const namespace: LedgerNamespace = {
    getByName(name) {
      const ledger = testEnv.SEATS.getByName(name) as unknown as LedgerCalls
      const twice =
        <Q, A>(ask: (request: Q) => Promise<A>) =>
        (request: Q) => {
          late.push(() => ask(request))
          return ask(request)
        }
      return {
        reserve: twice((request) => ledger.reserve(request)),
        reserveEach: twice((requests) => ledger.reserveEach(requests)),
        confirm: twice((request) => ledger.confirm(request)),
        release: (request) => ledger.release(request),
        setLimit: (request) => ledger.setLimit(request),
        usage: (request) => ledger.usage(request),
        close: (request) => ledger.close(request),
        inspect: (request) => ledger.inspect(request),
        seal: (request, sign) => ledger.seal(request, sign),
      }
    },
  }
  return { late, namespace }
}

describe('a late message after a member has left', () => {
  async function removed() {
    const { late, namespace } = echoing()
    const calm = createKit()
    const kit = createKit({ namespace })
    const organization = await calm.organization({ seats: 2 })
    const gone = await join(kit, organization)
    unwrap(await removeMember(kit.seatgate, organization.as(organization.owner), gone))
    await kit.settled()
    // The ledger has heard of the departure in every way in which it does.
    await forwardOrganization(calm.seatgate, organization.id)
    const [request, confirmation] = late
    expect(late).toHaveLength(2)
    return { calm, organization, request: request!, confirmation: confirmation! }
  }

  it('holds no seat if only the request is late: the alarm asks D1', async () => {
    const { calm, organization, request } = await removed()
    await request()
    expect((await readState(organization.id)).ledger).toMatchObject({ held: 1, reserved: 1 })
    await muchLater(organization.id)
    expect(await violations(organization.id, { quiet: true })).toEqual([])
    expect(codeOf(await add(calm, organization))).toBe('ok')
  })

  it('holds no seat if only the confirmation is late', async () => {
    const { organization, confirmation } = await removed()
    await confirmation()
    expect(await violations(organization.id, { quiet: true })).toEqual([])
  })

  it('holds one without a holder if it is both, until the sweep finds it', async () => {
    const { calm, organization, request, confirmation } = await removed()
    await request()
    await confirmation()
    expect((await readState(organization.id)).ledger).toMatchObject({ held: 2, reserved: 0 })
    expect(await differencesOf(calm, organization)).toEqual(['leaked_seat'])
    await sweepSeats(calm.seatgate)
    await calm.settled()
    expect(await violations(organization.id, { quiet: true })).toEqual([])
    expect(codeOf(await add(calm, organization))).toBe('ok')
  })
})

it('a resent invitation keeps the role that it got since the read', async () => {
  const calm = createKit()
  const organization = await calm.organization({ seats: 5 })
  const asOwner = organization.as(organization.owner)
  const invited = await invite(calm, organization)
  let changed: Promise<Result<unknown>> | null = null
  const kit = createKit({
    async around({ asked }, run) {
      const writes = asked.some((sql) => sql.startsWith('update "seatgate_invitations"'))
      if (writes && changed === null) {
        changed = changeInvitationRole(calm.seatgate, asOwner, invited.id, { role: 'admin' })
        await changed
      }
      return run()
    },
  })
  expect(codeOf(await resendInvitation(kit.seatgate, asOwner, invited.id))).toBe('ok')
  await kit.settled()
  expect((await readState(organization.id)).invitations[0]?.role).toBe('admin')
  expect(await violations(organization.id, { quiet: true })).toEqual([])
})

it('a refusal at the default limit says how many seats are used', async () => {
  const kit = createKit({ provider: 'd1', defaultSeatLimit: 2 })
  const organization = await kit.organization()
  expect(codeOf(await add(kit, organization))).toBe('ok')
  expect(await add(kit, organization)).toMatchObject({
    error: { code: 'seat_limit_reached', limit: 2, used: 2 },
  })
})

it('with d1Seats, a seat that passes on to another invitation is counted all the time [SEAT-14]', async () => {
  const calm = createKit({ provider: 'd1' })
  const organization = await calm.organization({ seats: 3 })
  const { email } = await invite(calm, organization)
  let overtaken = false
  const kit = createKit({
    provider: 'd1',
    async around({ asked }, run) {
      // The last seat goes to somebody else, after it was seen and before the invitations are written.
      if (!overtaken && asked.some((sql) => sql.includes('insert into "seatgate_invitations"'))) {
        overtaken = true
        expect(codeOf(await add(calm, organization))).toBe('ok')
      }
      return run()
    },
  })
  const invitations = [newAddress(), email].map((address) => ({ email: address, role: 'member' }))
  const asOwner = organization.as(organization.owner)
  unwrap(await createInvitations(kit.seatgate, asOwner, { invitations }))
  expect(overtaken).toBe(true)
  expect(unwrap(await seatUsage(calm.seatgate, asOwner))).toMatchObject({ held: 2, reserved: 1 })
})

it('a repeated join under an operation id returns the first result, also after later changes', async () => {
  const kit = createJoiningKit()
  const organization = await openOrganization(kit, 'auto', 2)
  const join = (userId: string, operationId: string) =>
    joinOrganization(
      kit.seatgate,
      { caller: { userId } },
      { organizationId: organization.id },
      { operationId }
    )
  const first = await neighbourOf(organization)
  const joined = await join(first, 'one')
  expect(joined).toMatchObject({ value: { status: 'joined', membership: { userId: first } } })
  expect(await join(first, 'one')).toEqual(joined)

  const second = await neighbourOf(organization)
  const waiting = unwrap(await join(second, 'two'))
  if (waiting.status !== 'waiting') throw new Error('There was a seat.')
  const scope = { caller: { userId: second } }
  unwrap(await withdrawJoinRequest(kit.seatgate, scope, waiting.request.id))
  expect(await join(second, 'two')).toEqual({ ok: true, value: waiting })
  expect(unwrap(await join(second, 'three')).status).toBe('waiting')
})

it('a join that was cut off after its batch is settled when it is asked for again', async () => {
  const kit = createJoiningKit()
  const organization = await openOrganization(kit, 'auto', 2)
  const userId = await neighbourOf(organization)
  const ask = ({ seatgate }: typeof kit) =>
    joinOrganization(
      seatgate,
      { caller: { userId } },
      { organizationId: organization.id },
      { operationId: 'cut off' }
    )
  const cut = {
    ...kit,
    seatgate: {
      ...kit.seatgate,
      joining: { ...kit.seatgate.joining!, admitWaiting: () => Promise.reject(new Error('cut')) },
    },
  }
  await expect(ask(cut)).rejects.toThrow('cut')
  const joined = await ask(kit)
  expect(joined).toMatchObject({ value: { status: 'joined', membership: { userId } } })
  expect((await joinByDomain(kit, organization)).status).toBe('waiting')
  expect(await ask(kit)).toEqual(joined)
})

it('an attempt that is refused while another one commits returns the result of the other, decrypted', async () => {
  const calm = createKit()
  const organization = await calm.organization({ seats: 1 })
  const input = { email: newAddress(), role: 'member' as const }
  const ask = ({ seatgate }: typeof calm) =>
    createInvitation(seatgate, organization.as(organization.owner), input, { operationId: 'both' })
  let committed: Awaited<ReturnType<typeof ask>> | null = null
  // The first finds no seat; before it stores that, there is one, and the second takes it.
  const kit = createKit({
    async around({ asked }, run) {
      if (committed === null && asked[0]?.startsWith('insert into "seatgate_operations"')) {
        await organization.limitTo(2)
        committed = await ask(calm)
      }
      return run()
    },
  })
  const refused = await ask(kit)
  expect(codeOf(committed!)).toBe('ok')
  expect(refused).toEqual(committed)
  expect(await ask(calm)).toEqual(committed)
})
