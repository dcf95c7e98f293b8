/**
 * Histories of the simulation once more, on the real D1 and the real Durable Objects: every operation has
 * the same outcome there, and the same is stored in the end.
 */
import { afterEach, expect, it, vi } from 'vitest'
import { shareOf } from '../../kit/index.ts'
import { liveInWorkerd } from '../../kit/simulated-histories.ts'

afterEach(() => {
  vi.useRealTimers()
})

const records: Readonly<Record<string, string>> = import.meta.glob(
  ['../../simulation/plain/*.txt'],
  { query: '?raw', import: 'default', eager: true }
)

const histories = Object.entries(records).map(([file, text]) => {
  const [, seed, operations] = /seed-(\d+)-(\d+)[.]txt$/.exec(file) ?? []
  return { seed: Number(seed), operations: Number(operations), lines: text.trimEnd().split('\n') }
})

it.each(shareOf(histories, 1))(
  'a simulated history has the same outcomes in workerd: seed $seed',
  async ({ seed, operations, lines }) => {
    expect(await liveInWorkerd(seed, operations)).toEqual(lines)
  }
)

it('there are four such histories, one with lost trips', () => {
  expect(histories).toHaveLength(4)
})
