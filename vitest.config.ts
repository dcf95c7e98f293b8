import { cloudflareTest, readD1Migrations } from '@cloudflare/vitest-plugin'
import { configDefaults, defineConfig } from 'vitest/config'
import { ConformanceReporter } from './test/conformance/reporter.ts'

/**
 * The reference host's own configuration, in the real runtime, with the migrations at hand, and
 * further bindings for tests that want them.
 */
export const workerd = (bindings: Readonly<Record<string, string>> = {}) =>
  cloudflareTest(async () => ({
    wrangler: { configPath: './wrangler.toml' },
    miniflare: {
      bindings: {
        TEST_MIGRATIONS: await readD1Migrations('migrations'),
        INVITATION_SECRET: 'a secret of the reference host under test',
        ...bindings,
      },
    },
  }))

/** `SCALE=whole` for all of what takes long: see `npm run scale`. */
export const inWorkerd = workerd({ SCALE: process.env['SCALE'] ?? 'share' })

export default defineConfig({
  test: {
    reporters: [...configDefaults.reporters, new ConformanceReporter()],
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'] } },
      {
        plugins: [inWorkerd],
        test: {
          name: 'workers',
          include: ['test/{workers,museum,naive}/**/*.test.ts'],
          setupFiles: ['test/workers/setup.ts'],
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'simulation',
          include: ['test/simulation/**/*.test.ts'],
          // It takes all cores by itself.
          fileParallelism: false,
          testTimeout: 900_000,
        },
      },
      {
        test: {
          name: 'node',
          include: ['test/{end-to-end,package,migrations}/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
})
