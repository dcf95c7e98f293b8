import { expect, it } from 'vitest'
import {
  addMember,
  changeRole,
  createOrganization,
  getOrganization,
  listMembers,
  removeMember,
  type Result,
} from '../src/index.ts'
import {
  answered,
  createWorld,
  newBusyOrganization,
  newUser,
  signedIn,
  type Provider,
} from '../test/workers/world.ts'
import { createMeter, type Cost } from './meter.ts'

const SIZES = [10, 1_000, 10_000]

interface Line extends Cost {
  readonly seats: Provider
  readonly members: number
  readonly operation: string
}

it('what each operation costs, sign-in and authorization included', async () => {
  const lines: Line[] = []
  for (const seats of ['ledger', 'd1', 'unlimited'] as const) {
    for (const members of SIZES) lines.push(...(await linesFor(seats, members)))
  }
  console.log(table(lines))
  expect(lines).toHaveLength(3 * SIZES.length * 6)
})

async function linesFor(seats: Provider, members: number): Promise<Line[]> {
  const meter = createMeter()
  const world = createWorld({ provider: seats, around: meter.around })
  const { seatgate } = world
  const organization = await newBusyOrganization(world, members)
  const owner = await signedIn(world, organization.owner)
  const asOwner = { caller: owner, organization: organization.slug }
  const member = await signedIn(world, organization.someMember)
  const asMember = { caller: member, organization: organization.slug }
  const userId = await newUser()
  const slug = `t${crypto.randomUUID().replaceAll('-', '')}`

  const operations: Record<string, () => Promise<Result<unknown>>> = {
    'add member': () => addMember(seatgate, asOwner, { userId, role: 'member' }),
    'change role': () => changeRole(seatgate, asOwner, userId, { role: 'admin' }),
    'remove member': () => removeMember(seatgate, asOwner, userId),
    'read organization': () => getOrganization(seatgate, asMember),
    'list members (50)': () => listMembers(seatgate, asMember),
    'create organization': () =>
      createOrganization(seatgate, { caller: owner }, { name: 'Test', slug }),
  }
  const lines: Line[] = []
  for (const [operation, act] of Object.entries(operations)) {
    const [answer, cost] = await meter.measure(act, world.settled)
    answered(answer)
    lines.push({ seats, members, operation, ...cost })
  }
  return lines
}

function table(lines: readonly Line[]): string {
  const header = 'operation,seats,members,in sequence,D1 trips,ledger calls,rows read,rows written'
  const rows = lines
    .toSorted((a, b) => a.operation.localeCompare(b.operation))
    .map((line) => [
      line.operation,
      line.seats,
      line.members.toLocaleString('en'),
      line.inSequence,
      line.d1Trips,
      line.ledgerCalls,
      line.rowsRead,
      line.rowsWritten,
    ])
  const cells = [header.split(','), ...rows].map((row) => row.map(String))
  const widths = cells[0]!.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)))
  return cells
    .map((row) =>
      row
        .map((cell, column) =>
          column < 2 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)
        )
        .join('  ')
    )
    .join('\n')
}
