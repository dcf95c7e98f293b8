import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { shareOf } from '../kit/scale.ts'

const run = promisify(execFile)
const PROGRAM = join(import.meta.dirname, 'explore-all.ts')

async function explored(...options: string[]): Promise<string> {
  const { stdout } = await run(process.execPath, ['--no-warnings', PROGRAM, ...options]).catch(
    (failed: { stdout: string }) => failed
  )
  return stdout.trim().split('\n').at(-1) ?? ''
}

// Each needs one core.
describe.concurrent('every order of three operations on two seats', () => {
  const choices = [
    ['add,add another,remove', '0', '0'],
    ['add,accept,revoke', '0', '0'],
    ['add,invite,lower the limit', '0', '0'],
    ['add,suspend,restore', '0', '0'],
  ] as const
  it.each(shareOf(choices, 1))('%s, with %s faults and %s alarms', async (only, faults, rings) => {
    const last = await explored('--only', only, '--faults', faults, '--rings', rings)
    expect(last).toMatch(/^1 choices of three operations: \d{3,} states, .* 0 violations/)
  })

  const commuting = [
    ['remove,revoke,revoke', '1', '0'],
    ['add,accept,revoke', '0', '1'],
  ] as const
  it.each(shareOf(commuting, 1))(
    'reaches the same states by one order of commuting steps as by both: %s, with %s faults and %s alarms',
    async (only, faults, rings) => {
      const scope = ['--only', only, '--faults', faults, '--rings', rings]
      const lines = await Promise.all([explored(...scope), explored(...scope, '--both-orders')])
      const [one, both] = lines.map(
        (line) => /(\d+) states, (\d+) steps, (\d+) ends/.exec(line) ?? []
      )
      expect(one?.[1]).toMatch(/^\d{3,}$/)
      expect([one?.[1], one?.[3]]).toEqual([both?.[1], both?.[3]])
      expect(Number(one?.[2])).toBeLessThan(Number(both?.[2]))
    }
  )

  it('notices a seat that is freed without asking D1', async () => {
    const mutation = 'a seat is freed at its deadline without asking D1'
    const scope = ['--only', 'add,add another,remove', '--faults', '0', '--rings', '1']
    const last = await explored(...scope, '--mutation', mutation)
    expect(last).toMatch(/ 1 violations/)
  })
})
