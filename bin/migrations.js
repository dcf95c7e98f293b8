/**
 * The migrations of the package, and the copies of them in a directory of a host.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const PACKED = fileURLToPath(new URL('../migrations/', import.meta.url))

/** The migrations of this version, in order. */
export function ownMigrations() {
  return sqlIn(PACKED).map(({ name, text }) => ({ name, text, hash: hashOf(text) }))
}

/** The files of SQL in a directory, in order; none if there is no such directory. */
export function sqlIn(directory) {
  return sqlNamesIn(directory).map((name) => {
    // A checkout may have other ends of lines.
    const text = readFileSync(join(directory, name), 'utf8').replaceAll('\r\n', '\n')
    return { name, text }
  })
}

function sqlNamesIn(directory) {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.name.endsWith('.sql') && !entry.isDirectory())
      .map(({ name }) => name)
      .sort()
  } catch (error) {
    if (error.code === 'ENOENT') return []
    throw error
  }
}

const FIRST_LINE = /^-- seatgate (\S+): (\w+\.sql), sha256 ([0-9a-f]{64})\n/

/** A migration as it is written for a host: its first line says what it is. */
export function copyOf({ name, text, hash }, version) {
  return `-- seatgate ${version}: ${name}, sha256 ${hash}\n${text}`
}

/** The name of a copy: behind a number of the host's. */
export function copyName(number, { name }) {
  return `${number}_seatgate_${withoutNumber(name)}`
}

/** The name of a migration without its number, by which it is the same in every version. */
export const withoutNumber = (name) => basename(name).replace(/^\d+_/, '')

/**
 * What a file of a host is: `origin` says from which migration of which version it was written, `hash`
 * is that of its SQL now. `origin` is null for a file that says nothing of the kind.
 */
export function readCopy({ name, text }) {
  const said = FIRST_LINE.exec(text)
  if (said === null) return { file: name, origin: null, hash: hashOf(text) }
  const [line, version, origin, hash] = said
  return {
    file: name,
    origin: { name: origin, version, hash },
    hash: hashOf(text.slice(line.length)),
  }
}

// An editor may take away the empty end of a file, or add one.
function hashOf(text) {
  return createHash('sha256').update(text.trim()).digest('hex')
}
