/**
 * What each operation may cost, exactly: one more fails. Where a cost is meant to change:
 * `npx vitest run --project workers row-budget -u`
 *
 * @module
 */
import { beforeAll, describe, expect, it } from 'vitest'
import { operationsOn } from '../../../../bench/operations.ts'
import type { LifecycleHook } from '../../../../src/index.ts'
import {
  putBookends,
  createKit,
  createRowMeter,
  type Count,
  type RowCost,
  unwrap,
  enforcing,
  type Provider,
} from '../../../kit/index.ts'

const pages = import.meta.glob(['../../../../docs/costs.md'], {
  query: '?raw',
  import: 'default',
  eager: true,
})
const costsPage = pages['../../../../docs/costs.md'] ?? ''

const onDelete: LifecycleHook = (statements) => ({ ok: true, statements })

/** Measures each operation, by default with a user agent of its own, whose row no other event has. */
async function costsOf(
  provider: Provider,
  agentOf = (operation: string) => operation
): Promise<Map<string, RowCost>> {
  const { around, namespace, measure } = createRowMeter()
  const kit = createKit({
    provider,
    namespace,
    around,
    lifecycle: { onDelete },
    invitationLimits: {},
  })
  const costs = new Map<string, RowCost>()
  const origin = { ipAddress: '192.0.2.1', userAgent: '' }
  const marks = { requestId: 'ray', origin }
  for (const [operation, act] of Object.entries(await operationsOn(kit, 10, marks))) {
    origin.userAgent = agentOf(operation)
    const { value, cost } = await measure(kit, act)
    unwrap(value)
    costs.set(operation, cost)
  }
  return costs
}

const HEADER =
  'operation                        | D1: trips, statements, read, written | object: calls, read, written | messages'

function lineOf(name: string, { answer, after }: RowCost): string {
  const cell = (of: (count: Count) => number) => {
    const [before, later] = [of(answer), of(after)]
    return (later === 0 ? `${before}` : `${before}+${later}`).padStart(7)
  }
  const d1 = [
    cell(({ trips }) => trips),
    cell(({ statements }) => statements),
    cell(({ read }) => read),
    cell(({ written }) => written),
  ]
  const object = [
    cell(({ calls }) => calls),
    cell(({ objectRead }) => objectRead),
    cell(({ objectWritten }) => objectWritten),
  ]
  const messages = cell((count) => count.messages)
  return `${name.padEnd(32)} | ${d1.join(' ')} | ${object.join(' ')} | ${messages}`
}

/** The rows that the main operations write, with a ledger and with D1 alone. */
const WRITTEN: Record<string, readonly [ledger: number, d1: number]> = {
  'add member': [12, 8],
  'change role': [4, 4],
  invite: [14, 10],
  'accept invitation': [13, 10],
  'remove member': [13, 8],
  'create organization': [13, 13],
}

/** The rows written in all stores, before the answer and after it. */
function writtenBy({ answer, after }: RowCost): number {
  return [answer, after].reduce((sum, count) => sum + count.written + count.objectWritten, 0)
}

describe('the rows of each operation', () => {
  const costs = new Map<Provider, Map<string, RowCost>>()
  beforeAll(async () => {
    await putBookends()
    for (const provider of enforcing) costs.set(provider, await costsOf(provider))
  })

  it('are those of the record, before the answer + after it', async () => {
    const lines = enforcing.flatMap((provider) => [
      `## ${provider} seats`,
      HEADER,
      ...[...costs.get(provider)!].map(([name, cost]) => lineOf(name, cost)),
      '',
    ])
    await expect(lines.join('\n')).toMatchFileSnapshot('./row-budget.txt')
  })

  it.each(Object.entries(WRITTEN))('%s writes as many rows as it is said to', (name, most) => {
    const written = enforcing.map((provider) => writtenBy(costs.get(provider)!.get(name)!))
    expect(written).toEqual(most)
  })

  it('a change that shares its personal data with the last one writes a row less, by a statement less', async () => {
    const shared = await costsOf('d1', () => 'Mozilla/5.0')
    for (const name of ['change role', 'invite', 'rename organization']) {
      const [{ answer: first }, { answer: next }] = [costs.get('d1')!, shared].map((of) =>
        of.get(name)!
      ) as [RowCost, RowCost]
      expect([name, next.written, next.statements]).toEqual([
        name,
        first.written - 1,
        first.statements - 1,
      ])
    }
  })

  it('are listed in docs/costs.md', () => {
    const said = [...costsPage.matchAll(/^\| ([a-z ]+?) +\| (\d+) +\| (\d+) +\|$/gm)].map(
      ([, name = '', ledger, d1]) => [name.replace(/ an? /, ' '), [Number(ledger), Number(d1)]]
    )
    expect(Object.fromEntries(said)).toEqual(WRITTEN)
  })
})
