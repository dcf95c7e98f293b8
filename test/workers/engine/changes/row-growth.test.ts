/**
 * Counts the rows that every operation reads at ten and at ten thousand events and open invitations. The
 * plans of statements do not show that: a search of an index can be as wide as the organization.
 *
 * @module
 */
import { beforeAll, describe, expect, it } from 'vitest'
import { operationsOn } from '../../../../bench/operations.ts'
import type { LifecycleHook } from '../../../../src/index.ts'
import {
  addEvents,
  createKit,
  createRowMeter,
  enforcing,
  invitees,
  putBookends,
  testEnv,
  type Provider,
  unwrap,
} from '../../../kit/index.ts'

const onDelete: LifecycleHook = (statements) => ({ ok: true, statements })
const FEW = 10

// It ends each open invitation and frees its seat: its work is as much as there are.
const ENDS_THEM = new Set(['delete organization', 'restore organization'])

type Seed = (organizationId: string, count: number) => Promise<void>

async function rowsRead(provider: Provider, seed: Seed, count: number) {
  const { around, namespace, measure } = createRowMeter()
  const kit = createKit({
    provider,
    namespace,
    around,
    lifecycle: { onDelete },
    invitationLimits: {},
  })
  const operations = Object.entries(await operationsOn(kit, 10)).filter(
    ([operation]) => !ENDS_THEM.has(operation)
  )
  const organizationId = await testEnv.DB.prepare(
    'SELECT id FROM seatgate_organizations ORDER BY created_at DESC LIMIT 1'
  ).first<string>('id')
  await seed(organizationId!, count)
  const read: Record<string, number> = {}
  for (const [operation, act] of operations) {
    const { value, cost } = await measure(kit, act)
    unwrap(value)
    read[operation] = cost.answer.read + cost.after.read
  }
  return read
}

async function growthOf(
  provider: Provider,
  seed: Seed,
  most: number
): Promise<Record<string, number>> {
  const few = await rowsRead(provider, seed, FEW)
  const many = await rowsRead(provider, seed, most)
  return Object.fromEntries(
    Object.entries(many).flatMap(([operation, rows]) => {
      const growth = (rows - few[operation]!) / (most - FEW)
      // A page may be filled by the many and not by the few.
      return Math.abs(growth) < 0.02 ? [] : [[operation, Math.round(growth * 10) / 10]]
    })
  )
}

const seeds = {
  async events(organizationId: string, count: number) {
    await addEvents(organizationId, count, 3)
    // The ledger has received them: the queue would bring it a thousand with each operation.
    await testEnv.DB.prepare(
      "INSERT INTO seatgate_sink_cursors (organization_id, sink_id, sequence) VALUES (?, 'seat_ledger', ?)"
    )
      .bind(organizationId, count + 3)
      .run()
  },
  invitations: (organizationId: string, count: number) =>
    invitees(organizationId, count, 'another inviter'),
}

// The guards of a loss of rights look through the open invitations for those of the person, and a freed seat
// is recorded with the number of reserved ones. An index by inviter would be one more written row for each
// invitation, which costs as much as a thousand read ones.
const EITHER = {
  'change role': 2,
  'transfer ownership': 2,
  'suspend member': 3,
  'remove member': 3,
  'delete user': 3,
  'decline invitation': 1,
  'revoke invitation': 1,
}

/** How many rows an operation reads for each open invitation, where it reads any. */
const FOR_EACH_INVITATION: Record<'ledger' | 'd1', Record<string, number>> = {
  ledger: { ...EITHER, 'explain seats': 0.1 },
  // D1 alone counts the reserved seats when it grants one, and again in the event.
  d1: {
    ...EITHER,
    'explain seats': 1.1,
    'read seats': 1,
    'add member': 2,
    'restore member': 2,
    invite: 2,
    'invite (to decline)': 2,
    'invite (to revoke)': 2,
    'invite (to accept)': 2,
    'invite ten': 12,
    'accept invitation': 1,
    'accept invitation with sign-up': 1,
  },
}

describe('the rows that an operation reads', () => {
  beforeAll(putBookends)

  it.each(enforcing)('do not grow with the events of the organization: %s', async (provider) => {
    expect(await growthOf(provider, seeds.events, 10_000)).toEqual({})
  })

  it.each(enforcing)('grow with open invitations as documented: %s', async (provider) => {
    expect(await growthOf(provider, seeds.invitations, 900)).toEqual(FOR_EACH_INVITATION[provider])
  })
})
