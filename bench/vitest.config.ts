import { defineConfig } from 'vitest/config'
import { inWorkerd } from '../vitest.config.ts'

export default defineConfig({
  plugins: [inWorkerd],
  test: {
    include: ['bench/**/*.test.ts'],
    setupFiles: ['test/kit/each-file.ts'],
    testTimeout: 300_000,
    disableConsoleIntercept: true,
  },
})
