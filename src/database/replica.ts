/**
 * Reading near the reader: lists from a replica of D1, by its Sessions API. A bookmark names a state of
 * the database, and a replica answers a session when it has reached the session's bookmark.
 *
 * @module
 */
import { drizzle } from 'drizzle-orm/d1'
import { batch } from './batch.ts'
import {
  sendingBy,
  setReplica,
  withHandle,
  type Database,
  type DatabaseContext,
  type Replica,
  type Sent,
} from './database.ts'

/** A configuration that reads lists from a replica, for one request. */
export interface ReplicaReads<S> {
  readonly seatgate: S
  /** Returns the bookmark of what was read; null if the primary was read. */
  bookmark(): string | null
}

// Keyed by the client, so that all handles of a database share it.
const written = new WeakMap<D1Database, { bookmark: string | null }>()

/**
 * Returns the configuration with a handle that notes a bookmark after each batch. Every batch is the first
 * of a session of its own, which D1 runs on the primary.
 *
 * @throws {TypeError} if the database has no `withSession`.
 */
export function notingBookmarks<S extends DatabaseContext>(seatgate: S): S {
  const client = clientOf(seatgate.db)
  if (typeof client.withSession !== 'function') {
    throw new TypeError("reads: 'replica' needs a D1 binding with withSession.")
  }
  if (!written.has(client)) written.set(client, { bookmark: null })
  return sendingOtherwise(seatgate, async (statements) => {
    const session = client.withSession('first-primary')
    const answers = await handleOf(session).batch(statements)
    // The latest of this isolate: never before the batch.
    const [noted, bookmark] = [written.get(client), session.getBookmark()]
    if (noted && bookmark !== null && bookmark > (noted.bookmark ?? '')) noted.bookmark = bookmark
    return answers
  })
}

/** Returns the latest bookmark that a handle of this database has noted. */
export function latestBookmark({ db }: DatabaseContext): string | null {
  return written.get(clientOf(db))?.bookmark ?? null
}

/**
 * Reads lists from a replica that has reached the bookmark, or without one from the nearest. The caller's
 * access is read from the primary.
 */
export function readingReplica<S extends DatabaseContext>(
  seatgate: S,
  bookmark: string | null | undefined
): ReplicaReads<S> {
  const from = isBookmark(bookmark) ? bookmark : 'first-unconstrained'
  const session = clientOf(seatgate.db).withSession(from)
  const handle = handleOf(session)
  const near = sendingOtherwise(seatgate, (statements) => handle.batch(statements))
  const far = sendingOtherwise(seatgate, (statements) => seatgate.db.batch(statements))
  let wasRead = false
  const read: Replica['read'] = async (access, others, accessIn) => {
    const all = { ...others, ...access }
    if (Object.keys(others).length === 0) return batch(seatgate.db, all)
    const [here, there] = await Promise.all([
      batch(near.db, all).catch(() => null),
      batch(seatgate.db, access),
    ])
    // Else the list might lack what the caller may read, or be empty for a session that is new.
    wasRead = here !== null && accessIn(here) === accessIn(there)
    return wasRead ? { ...here, ...there } : batch(seatgate.db, all)
  }
  setReplica(far.db, { read })
  return { seatgate: far, bookmark: () => (wasRead ? session.getBookmark() : null) }
}

/** Whether a text has the form of D1's bookmarks. Another one is treated like an absent one. */
function isBookmark(text: string | null | undefined): text is string {
  return typeof text === 'string' && /^[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{32}$/.test(text)
}

function clientOf(db: Database): D1Database {
  return (db as Database & { readonly $client: D1Database }).$client
}

function handleOf(session: D1DatabaseSession): Database {
  return drizzle(session as unknown as D1Database)
}

function sendingOtherwise<S extends DatabaseContext>(
  seatgate: S,
  send: (statements: Sent) => Promise<unknown>
): S {
  return withHandle(seatgate, sendingBy(seatgate.db, send))
}
