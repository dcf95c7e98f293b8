/**
 * Reading near the reader: lists from a replica of D1, by its Sessions API. A bookmark names a state of
 * the database, and a replica answers a session when it has reached the session's bookmark.
 *
 * @module
 */
import { drizzle } from 'drizzle-orm/d1'
import type { Database, DatabaseContext, Statement } from './database.ts'

type Batch = readonly [Statement, ...Statement[]]

/** A configuration that reads lists from a replica, for one request. */
export interface ReplicaReads<S> {
  readonly seatgate: S
  /** Returns the bookmark of what was read; null if the primary was read. */
  bookmark(): string | null
}

interface Replica {
  readonly db: Database
  read: boolean
}

// Keyed by the handle: a function that reads a list finds the replica of the handle that it gets.
const replicas = new WeakMap<Database, Replica>()
// Keyed by the client, so that all handles of a database share it.
const written = new WeakMap<D1Database, { bookmark: string | null }>()

/** Returns the replica from which the lists of this handle are read; null for the primary. */
export function replicaOf(db: Database): Replica | null {
  return replicas.get(db) ?? null
}

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
  return withHandle(seatgate, async (statements) => {
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
  const near = withHandle(seatgate, (statements) => handle.batch(statements))
  const far = withHandle(seatgate, (statements) => seatgate.db.batch(statements))
  const replica = { db: near.db, read: false }
  replicas.set(far.db, replica)
  return { seatgate: far, bookmark: () => (replica.read ? session.getBookmark() : null) }
}

/** Whether a text has the form of D1's bookmarks. Another one is treated like an absent one. */
export function isBookmark(text: string | null | undefined): text is string {
  return typeof text === 'string' && /^[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{32}$/.test(text)
}

function clientOf(db: Database): D1Database {
  return (db as Database & { readonly $client: D1Database }).$client
}

function handleOf(session: D1DatabaseSession): Database {
  return drizzle(session as unknown as D1Database)
}

// Inherits from the handle, so that the client stays the same object by which a database is known.
function withHandle<S extends DatabaseContext>(
  seatgate: S,
  batch: (statements: Batch) => Promise<unknown>
): S {
  const db = Object.create(seatgate.db, { batch: { value: batch } }) as Database
  const { seatContext } = seatgate as { readonly seatContext?: object }
  return { ...seatgate, db, ...(seatContext && { seatContext: { ...seatContext, db } }) }
}
