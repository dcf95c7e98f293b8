import type { Hono } from 'hono'
import { HonoBase } from 'hono/hono-base'
import { TrieRouter } from 'hono/router/trie-router'
import type { BlankEnv, Env } from 'hono/types'

/**
 * Creates an application to mount, which also responds by itself. A host's own router takes the mounted
 * routes, so that `hono`, with all of its routers, would stay in the bundle of a host that uses `hono/tiny`.
 */
export function mountable<E extends Env = BlankEnv>(): Hono<E> {
  return new HonoBase<E>({ router: new TrieRouter() })
}
