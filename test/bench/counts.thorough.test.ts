import { expect, test } from 'vitest'
import { countAll } from '../../bench/counts.ts'
import { root } from '../../bench/stage.ts'

test('the bench counts an operation of the floor exactly', async () => {
  const counts = await countAll(root, {
    sizes: [10],
    products: ['floor'],
    operations: ['read organization', 'add member', 'refused add at the limit'],
  })
  const costs = counts.map(({ operation, inSequence, answer, after }) => [
    operation,
    inSequence,
    answer.statements,
    answer.rowsWritten,
    after.trips,
  ])
  expect(costs).toEqual([
    ['read organization', 1, 1, 0, 0],
    ['add member', 2, 4, 4, 0],
    ['refused add at the limit', 1, 1, 0, 0],
  ])
})

test('the bench drives both providers and better-auth, and separates an answer from the work after it', async () => {
  const counts = await countAll(root, {
    sizes: [10],
    products: ['better-auth', 'ledger', 'd1'],
    operations: ['add member', 'remove member'],
  })
  const of = (product: string, operation: string) =>
    counts.find((each) => each.product === product && each.operation === operation)!
  expect(counts).toHaveLength(6)
  for (const { answer } of counts) expect(answer.rowsWritten).toBeGreaterThan(0)
  expect(of('ledger', 'add member')).toMatchObject({
    inSequence: 3,
    answer: { objectCalls: 1, messages: 0 },
    after: { objectCalls: 1 },
  })
  expect(of('ledger', 'remove member').after.trips).toBeGreaterThan(0)
  expect(of('d1', 'add member')).toMatchObject({ inSequence: 2, answer: { objectCalls: 0 } })
  expect(of('better-auth', 'add member').answer.objectCalls).toBe(0)
})
