/**
 * The entry points whose operations a table of all of them asks.
 *
 * @module
 */
export * as library from '../../src/index.ts'
export * as grouping from '../../src/hono/groups/index.ts'
export * as impersonating from '../../src/hono/impersonation/index.ts'
export * as keying from '../../src/hono/keys/index.ts'
export * as pushing from '../../src/hono/scim/index.ts'
export * as owning from '../../src/hono/roles/index.ts'
