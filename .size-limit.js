/**
 * The bytes that a host loads: the library in a bundle without its peers, and small Workers with all that
 * they import. `npm run check:package` builds the package and fails if a bundle is more than one percent
 * above what is written here.
 */
import { ORGANIZATIONS_AND_MEMBERS, PEERS, SMALL_WORKERS } from './test/package/bundles.ts'

/** In bytes, when they were last measured: lower them when you win. */
const BUNDLES = [
  {
    name: 'createSeatgate alone',
    code: `export { createSeatgate } from './dist/index.js'`,
    minified: 11_717,
    zipped: 5_020,
  },
  {
    name: 'organizations, members and d1Seats',
    code: `export { ${ORGANIZATIONS_AND_MEMBERS} } from './dist/index.js'`,
    minified: 96_779,
    zipped: 33_299,
  },
  {
    name: 'createSeatgate, d1Seats and four groups of routes',
    code: `export { createSeatgate, d1Seats } from './dist/index.js'
      export { organizationRoutes, memberRoutes, seatRoutes, sessionRoutes } from './dist/hono/index.js'`,
    minified: 141_895,
    zipped: 48_228,
  },
  {
    name: 'jwks',
    code: `export { jwks } from './dist/identity/index.js'`,
    minified: 8_750,
    zipped: 3_831,
  },
  {
    name: 'betterAuth, with statements that the library has as well',
    code: `export { betterAuth } from './dist/identity/index.js'`,
    minified: 11_191,
    zipped: 4_612,
  },
  {
    name: 'trustedHeader',
    code: `export { trustedHeader } from './dist/identity/index.js'`,
    minified: 2_588,
    zipped: 1_214,
  },
  {
    name: 'everything but the Durable Object',
    code: `export * from './dist/index.js'
      export * from './dist/hono/index.js'
      export * from './dist/worker/index.js'`,
    minified: 498_188,
    zipped: 165_080,
  },
  {
    name: 'the same with the console in English',
    code: `export * from './dist/index.js'
      export * from './dist/hono/index.js'
      export * from './dist/worker/index.js'
      export { seatgateConsole } from './dist/console/index.js'`,
    minified: 620_633,
    zipped: 204_272,
  },
  {
    name: 'the same with the console and its files in assets',
    code: `export * from './dist/index.js'
      export * from './dist/hono/index.js'
      export * from './dist/worker/index.js'
      export { consoleWithAssets } from './dist/console/index.js'`,
    minified: 567_664,
    zipped: 185_525,
  },
  {
    name: 'the scripts and styles of the console',
    code: `export { files } from './dist/console/assets.js'`,
    minified: 28_016,
    zipped: 11_617,
  },
  {
    name: 'client',
    code: `export * from './dist/client/index.js'`,
    minified: 2_708,
    zipped: 1_518,
  },
  {
    name: 'client and hooks of React',
    code: `export * from './dist/client/index.js'
      export * from './dist/react/index.js'`,
    minified: 4_858,
    zipped: 2_384,
  },
]

/** In bytes, zipped: as `wrangler deploy` sends it by default, and with `minify` and without `keep_names`. */
const WORKERS = [
  { name: 'Drizzle and Hono alone', minified: 26_986, deployed: 49_501 },
  { name: 'four operations, without routes', minified: 48_836, deployed: 79_868 },
  { name: 'the routes of organizations and members', minified: 66_602, deployed: 108_945 },
  { name: 'the same with hono/tiny', minified: 65_224, deployed: 106_742 },
  { name: 'all routes', minified: 125_753, deployed: 194_044 },
]

const BUNDLED = BUNDLES.flatMap(({ name, code, minified, zipped }) => {
  const check = { ...checkOf(code), ignore: PEERS }
  return [
    { ...check, name: `${name}, minified`, brotli: false, limit: limit(minified) },
    { ...check, name: `${name}, minified and zipped`, gzip: true, limit: limit(zipped) },
  ]
})

const AS_WRANGLER_DOES = {
  minifyIdentifiers: false,
  minifySyntax: false,
  minifyWhitespace: false,
  keepNames: true,
}

const DEPLOYED = WORKERS.flatMap(({ name, minified, deployed }) => {
  const code = SMALL_WORKERS[name]
  const whole = { external: ['cloudflare:*'] }
  return [
    { ...checkOf(code, whole), gzip: true, name: `${name}, minified`, limit: limit(minified) },
    {
      ...checkOf(code, { ...whole, ...AS_WRANGLER_DOES }),
      gzip: true,
      name: `${name}, deployed`,
      limit: limit(deployed),
    },
  ]
})

export default [...BUNDLED, ...DEPLOYED]

function checkOf(code, further = {}) {
  return {
    // Replaced by `code`, which may name several files.
    path: 'dist/index.js',
    modifyEsbuildConfig: ({ entryPoints: _, ...config }) => ({
      ...config,
      ...further,
      stdin: { contents: code, resolveDir: import.meta.dirname },
      absWorkingDir: import.meta.dirname,
      format: 'esm',
      target: 'es2023',
    }),
  }
}

function limit(bytes) {
  return `${Math.floor(bytes * 1.01)} B`
}
