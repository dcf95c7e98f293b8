/**
 * The bytes that a host loads: the library in a bundle, without its peers. `npm run check:package`
 * builds the package and fails if a bundle is more than one percent above what is written here.
 */
import { ORGANIZATIONS_AND_MEMBERS, PEERS } from './test/package/bundles.ts'

/** In bytes, when they were last measured: lower them when you win. */
const BUNDLES = [
  {
    name: 'createSeatgate alone',
    code: `export { createSeatgate } from './dist/index.js'`,
    minified: 15_592,
    zipped: 6_195,
  },
  {
    name: 'organizations, members and d1Seats',
    code: `export { ${ORGANIZATIONS_AND_MEMBERS} } from './dist/index.js'`,
    minified: 98_416,
    zipped: 33_178,
  },
  {
    name: 'createSeatgate, d1Seats and four groups of routes',
    code: `export { createSeatgate, d1Seats } from './dist/index.js'
      export { organizationRoutes, memberRoutes, seatRoutes, sessionRoutes } from './dist/hono/index.js'`,
    minified: 147_968,
    zipped: 49_201,
  },
  {
    name: 'jwks',
    code: `export { jwks } from './dist/identity/index.js'`,
    minified: 8_781,
    zipped: 3_846,
  },
  {
    name: 'betterAuth, with statements that the library has as well',
    code: `export { betterAuth } from './dist/identity/index.js'`,
    minified: 11_743,
    zipped: 4_489,
  },
  {
    name: 'trustedHeader',
    code: `export { trustedHeader } from './dist/identity/index.js'`,
    minified: 2_626,
    zipped: 1_230,
  },
  {
    name: 'everything but the Durable Object',
    code: `export * from './dist/index.js'
      export * from './dist/hono/index.js'
      export * from './dist/worker/index.js'`,
    minified: 492_743,
    zipped: 160_768,
  },
  {
    name: 'the same with the console in English',
    code: `export * from './dist/index.js'
      export * from './dist/hono/index.js'
      export * from './dist/worker/index.js'
      export { seatgateConsole } from './dist/console/index.js'`,
    minified: 612_964,
    zipped: 199_211,
  },
  {
    name: 'the same with the console and its files in assets',
    code: `export * from './dist/index.js'
      export * from './dist/hono/index.js'
      export * from './dist/worker/index.js'
      export { consoleWithAssets } from './dist/console/index.js'`,
    minified: 562_291,
    zipped: 181_222,
  },
  {
    name: 'the scripts and styles of the console',
    code: `export { files } from './dist/console/assets.js'`,
    minified: 28_003,
    zipped: 11_612,
  },
  {
    name: 'client',
    code: `export * from './dist/client/index.js'`,
    minified: 2_608,
    zipped: 1_449,
  },
  {
    name: 'client and hooks of React',
    code: `export * from './dist/client/index.js'
      export * from './dist/react/index.js'`,
    minified: 4_758,
    zipped: 2_315,
  },
]

export default BUNDLES.flatMap(({ name, code, minified, zipped }) => {
  const check = {
    // Replaced by `code`, which may name several files.
    path: 'dist/index.js',
    ignore: PEERS,
    modifyEsbuildConfig: ({ entryPoints: _, ...config }) => ({
      ...config,
      stdin: { contents: code, resolveDir: import.meta.dirname },
      absWorkingDir: import.meta.dirname,
      format: 'esm',
      target: 'es2023',
    }),
  }
  return [
    { ...check, name: `${name}, minified`, brotli: false, limit: limit(minified) },
    { ...check, name: `${name}, minified and zipped`, gzip: true, limit: limit(zipped) },
  ]
})

function limit(bytes) {
  return `${Math.floor(bytes * 1.01)} B`
}
