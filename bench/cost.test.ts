import { expect, it } from 'vitest'
import type { LifecycleHook } from '../src/index.ts'
import { createKit, unwrap, type Provider } from '../test/kit/index.ts'
import { createMeter, type Cost } from './meter.ts'
import { operationsOn } from './operations.ts'

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
  const operations = new Set(lines.map(({ operation }) => operation))
  expect(lines).toHaveLength(3 * SIZES.length * operations.size)
})

async function linesFor(seats: Provider, members: number): Promise<Line[]> {
  const meter = createMeter()
  const onDelete: LifecycleHook = (statements) => ({ ok: true, statements })
  const kit = createKit({
    provider: seats,
    around: meter.around,
    lifecycle: { onDelete },
    invitationLimits: {},
  })
  const lines: Line[] = []
  for (const [operation, act] of Object.entries(await operationsOn(kit, members))) {
    const [answer, cost] = await meter.measure(act, kit.settled)
    unwrap(answer)
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
