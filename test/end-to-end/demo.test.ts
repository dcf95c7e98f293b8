import { expect, test } from 'vitest'
import { npmRun } from './npm-run.ts'

test('npm run demo plays the story, and every line of its table holds', async () => {
  const demo = npmRun('demo')
  try {
    expect(await demo.exitCode(240), demo.output()).toBe(0)
  } finally {
    demo.end()
  }
  expect(demo.output()).toMatch(/^ *members after the rush +5 +5 +ok$/m)
  expect(demo.output()).toMatch(/^ *clear refusals +35 +35 +ok$/m)
  expect(demo.output()).not.toContain('WRONG')
}, 300_000)
