import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))

describe('the types', () => {
  it('compile correct programs, and reject incorrect ones', async () => {
    const compiling = promisify(execFile)('npx', ['tsc', '-p', 'test/types/tsconfig.json'], {
      cwd: root,
    })
    await expect(compiling).resolves.toEqual({ stdout: '', stderr: '' })
  })
})
