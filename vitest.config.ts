import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { cloudflareTest, readD1Migrations } from '@cloudflare/vitest-plugin'
import { configDefaults, defineConfig } from 'vitest/config'
import { ConformanceReporter } from './test/conformance/reporter.ts'
import { LongestFirst } from './test/longest-first.ts'
import { keepStoresInMemory } from './test/stores-in-memory.ts'

keepStoresInMemory()

// As in `wrangler.toml`: the host's own tables, and the library's.
const MIGRATIONS = {
  migrationsDir: '.',
  migrationsPattern: './{host/migrations,migrations}/*.sql',
}

/**
 * The reference host's own configuration, in the real runtime, with the migrations at hand, and
 * further bindings for tests that want them.
 */
export const workerd = (bindings: Readonly<Record<string, string>> = {}) =>
  cloudflareTest(async () => ({
    wrangler: { configPath: './wrangler.toml' },
    miniflare: {
      r2Buckets: ['TEST_BUCKET'],
      bindings: {
        TEST_MIGRATIONS: await readD1Migrations({ projectPath: '.', ...MIGRATIONS }),
        INVITATION_SECRET: 'a secret of the reference host under test',
        PROOF_RATE: '100',
        OPERATOR_USER_IDS: 'operator of the reference host',
        IMPERSONATION_MINUTES: '15',
        ...bindings,
      },
    },
  }))

/**
 * How much is run of what takes long: a share with `npm test`, what `npm run test:thorough` has, which is
 * also what `vitest run` has by itself, or the whole, which takes an hour: `npm run scale`.
 */
const SCALES = ['share', 'thorough', 'whole'] as const
const SCALE = SCALES.find((scale) => scale === (process.env['SCALE'] ?? 'thorough'))
if (SCALE === undefined) throw new Error(`SCALE is one of ${SCALES.join(', ')}.`)
const provide = { scale: SCALE }

// Tests of whole processes, and others that take a minute each.
const LEFT_OUT = SCALE === 'share' ? ['**/*.thorough.test.ts'] : []
const exclude = [...configDefaults.exclude, ...LEFT_OUT]

const { FUZZ_REQUESTS = SCALE === 'share' ? '300' : '1000', FUZZ_SEED = '20261101' } = process.env
for (const [name, value] of Object.entries({ FUZZ_REQUESTS, FUZZ_SEED })) {
  if (!/^[1-9]\d{0,8}$/.test(value))
    throw new Error(`${name} is a whole number from 1, not "${value}".`)
}

export const inWorkerd = workerd({ FUZZ_REQUESTS, FUZZ_SEED })

// All modules of a test file reach its Worker in one message of at most 32 MiB, each of them twice.
const withoutMapsOfPackages = {
  name: 'without-maps-of-packages',
  transform: (code: string, id: string) =>
    id.includes('/node_modules/') ? { code, map: { mappings: '' } } : undefined,
}

// The schema of each input that is checked is shown to `test/workers/openapi`, which describes it.
const CHECK = 'v.safeParse(schema, input)'
const withSchemasShown = {
  name: 'with-schemas-shown',
  transform(code: string, id: string) {
    if (!id.endsWith('/src/base/input.ts')) return
    if (!code.includes(CHECK)) throw new Error(`${id} has no ${CHECK}.`)
    return code.replace(CHECK, `(globalThis.seeSchema?.(schema), ${CHECK})`)
  },
}

// Loaded as one file each. Above all scrypt: the calls within its innermost loop would lead from module
// to module, which makes it ten times as slow.
const BUNDLED = [
  '@noble/hashes/scrypt.js',
  'drizzle-orm',
  'drizzle-orm/d1',
  'drizzle-orm/sqlite-core',
  'hono',
  'hono/cookie',
  'hono/cors',
  'hono/hono-base',
  'hono/http-exception',
  'hono/quick',
  'hono/request-id',
  'hono/route',
  'hono/router/trie-router',
  'hono/secure-headers',
  'hono/tiny',
  'stripe',
  'valibot',
]

// The examples import the package by its name, as an application does.
const source = (path: string) => fileURLToPath(new URL(`src/${path}`, import.meta.url))
const AS_INSTALLED = [
  { find: /^seatgate$/, replacement: source('index.ts') },
  { find: /^seatgate\/(hono|identity|proof|worker)$/, replacement: source('$1/index.ts') },
  { find: /^seatgate\/billing$/, replacement: source('parts/billing/index.ts') },
  { find: /^seatgate\/stripe$/, replacement: source('parts/billing/stripe/index.ts') },
]

// Two more than two cores: many wait for a clock, and the node project most of the time.
const LANES = Math.max(4, availableParallelism())

// Deadlines are for what hangs. Whoever else is at work on the machine may make it slow.
const PATIENCE = { testTimeout: 240_000, hookTimeout: 120_000 }

export default defineConfig({
  test: {
    // The reference host loads the scripts and styles of the console.
    globalSetup: ['test/console-assets.ts'],
    reporters: [
      ...configDefaults.reporters,
      ...(SCALE === 'share' ? [] : [new ConformanceReporter()]),
    ],
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          exclude,
          provide,
          // They share nothing that one could leave to the next.
          isolate: false,
          maxWorkers: LANES,
          ...PATIENCE,
        },
      },
      {
        plugins: [inWorkerd, withoutMapsOfPackages, withSchemasShown],
        resolve: { alias: AS_INSTALLED },
        json: { stringify: true },
        test: {
          name: 'workers',
          include: ['test/{workers,museum,naive,examples}/**/*.test.ts'],
          exclude,
          provide,
          setupFiles: ['test/kit/each-file.ts'],
          deps: { optimizer: { ssr: { enabled: true, include: BUNDLED } } },
          ...PATIENCE,
          // A file finds empty stores, not a worker of its own: starting one takes longer than most.
          isolate: false,
          maxWorkers: LANES,
        },
      },
      {
        test: {
          name: 'browser',
          include: ['test/browser/**/*.test.ts'],
          exclude,
          provide,
          globalSetup: ['test/browser/setup.ts'],
          maxWorkers: LANES,
          ...PATIENCE,
        },
      },
      {
        test: {
          name: 'simulation',
          include: ['test/simulation/**/*.test.ts'],
          exclude,
          provide,
          // It takes all cores by itself.
          fileParallelism: false,
          testTimeout: 900_000,
        },
      },
      {
        test: {
          name: 'node',
          include: ['test/{end-to-end,package,migrations,bench}/**/*.test.ts'],
          exclude,
          provide,
          maxWorkers: LANES,
          ...PATIENCE,
        },
      },
    ],
  },
})
