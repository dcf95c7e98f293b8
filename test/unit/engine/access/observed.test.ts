import { describe, expect, it } from 'vitest'
import { FAILURES } from '../../../../src/engine/access/observed.ts'
import { statusOf } from '../../../../src/hono/index.ts'
import type { RefusalCode } from '../../../../src/index.ts'

declare global {
  interface ImportMeta {
    glob(patterns: readonly string[], options: object): Record<string, string>
  }
}

const [problem = ''] = Object.values(
  import.meta.glob(['../../../../src/hono/problem.ts'], {
    query: '?raw',
    import: 'default',
    eager: true,
  })
)
const CODES = [...problem.matchAll(/^  (\w+): \[\d{3}, /gm)].map(
  ([, code = '']) => code as RefusalCode
)

describe('the outcome of an operation', () => {
  it('is a failure if its refusal has a status of 500 or above, and for no other', () => {
    const failures = CODES.filter((code) => statusOf(code) >= 500)
    expect(failures.length).toBeGreaterThan(4)
    expect([...FAILURES].filter((code) => code !== 'error').sort()).toEqual(failures.sort())
  })
})
