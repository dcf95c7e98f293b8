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
  expect(demo.output()).toMatch(
    /^ *growth after the grace +seat_limit_reached +seat_limit_reached +ok$/m
  )
  expect(demo.output()).toMatch(/^ *members after the grace +4 members +4 members +ok$/m)
  expect(demo.output()).not.toContain('WRONG')
}, 300_000)
