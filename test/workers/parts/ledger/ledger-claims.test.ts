import { runInDurableObject } from 'cloudflare:test'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { SeatLedger } from '../../../../src/worker/seat-ledger.ts'
import { createKit, ledgerOf, type TestOrganization } from '../../../kit/index.ts'

afterEach(() => {
  vi.useRealTimers()
})

type ReserveRequest = Parameters<SeatLedger['reserve']>[0]

// More than the row of the ledger takes.
const MANY = 40

const requestsFor = (organization: TestOrganization): readonly ReserveRequest[] =>
  Array.from({ length: MANY }, (_, index) => ({
    organizationId: organization.id,
    seatId: `seat ${index}`,
    holder: `user ${index}`,
    defaultLimit: { kind: 'unlimited' },
    reservationSeconds: 30,
  }))

/** What a ledger has stored, and what its counts are. */
function stored(organization: TestOrganization) {
  return runInDurableObject(ledgerOf(organization), (_ledger, { storage: { sql } }) => {
    const [ledger] = sql.exec('SELECT held, reserved, claims FROM ledger').toArray()
    const { rows } = sql.exec('SELECT count(*) AS rows FROM seats').one()
    const { own } = sql.exec('SELECT count(deadline) AS own FROM seats').one()
    const claims = Object.keys(JSON.parse(String(ledger?.['claims'])) as object).length
    return { held: ledger?.['held'], reserved: ledger?.['reserved'], rows, claims, own }
  })
}

async function claimed() {
  const kit = createKit({ provider: 'ledger' })
  const organization = await kit.organization({ seats: MANY + 1 })
  const requests = requestsFor(organization)
  const ledger = ledgerOf(organization)
  const answers = await ledger.reserveEach(requests)
  expect(answers.every(({ ok }) => ok)).toBe(true)
  return { organization, requests, ledger }
}

describe('claims', () => {
  it('are in the row of the ledger up to 32, and have deadlines of their own beyond', async () => {
    const { organization } = await claimed()
    expect(await stored(organization)).toEqual({
      held: 1,
      reserved: MANY,
      rows: MANY + 1,
      claims: 32,
      own: MANY - 32,
    })
  })

  it('become held seats by their confirmation, wherever they are, and once', async () => {
    const { organization, requests, ledger } = await claimed()
    for (const request of [...requests, ...requests]) {
      await ledger.confirm({ ...request, userId: request.holder, until: null })
    }
    expect(await stored(organization)).toEqual({
      held: MANY + 1,
      reserved: 0,
      rows: MANY + 1,
      claims: 0,
      own: 0,
    })
    for (const request of [...requests, ...requests]) {
      await ledger.release({ ...request, userId: request.holder })
    }
    expect(await stored(organization)).toMatchObject({ held: 1, reserved: 0, rows: 1 })
  })

  it('are settled at their deadline, wherever they are', async () => {
    const { organization } = await claimed()
    vi.useFakeTimers({ now: Date.now() + 60_000, toFake: ['Date'] })
    await runInDurableObject(ledgerOf(organization), (ledger: SeatLedger) => ledger.alarm())
    expect(await stored(organization)).toEqual({ held: 1, reserved: 0, rows: 1, claims: 0, own: 0 })
  })

  it('do not take a seat from the member who has it under another id', async () => {
    const { organization, ledger, requests } = await claimed()
    const [first] = requests
    await ledger.release({ ...first!, seatId: 'another seat', userId: first!.holder })
    expect(await stored(organization)).toMatchObject({ reserved: MANY, rows: MANY + 1 })
  })
})
