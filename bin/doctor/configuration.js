import * as fs from 'node:fs'
import { dirname, resolve } from 'node:path'
import { ownMigrations, readCopy, sqlIn } from '../migrations.js'
import { note, ok, wrong } from './finding.js'

/** The database to look at: the one that is named, or bound as DB, or the only one. */
export function databaseOf({ d1_databases: bound = [] }, name) {
  if (name !== undefined) {
    const found = bound.find(({ binding }) => binding === name)
    if (found === undefined) throw new Error(`no D1 database is bound as ${name}.`)
    return found
  }
  return bound.find(({ binding }) => binding === 'DB') ?? bound[0]
}

/** Checks a configuration of wrangler, as wrangler reads it. */
export function* checkConfiguration(config, database) {
  yield ok(`the configuration is ${config.configPath ?? 'empty: there is none'}`)
  yield* checkD1(config, database)
  yield* checkObject(config)
  yield* checkQueue(config)
  yield* checkCron(config)
}

function* checkD1(config, database) {
  if (database === undefined) {
    yield wrong(
      'no D1 database is bound',
      'npx wrangler d1 create my-database, and bind it as DB under [[d1_databases]]'
    )
    return
  }
  yield ok(`D1 is bound as ${database.binding}`)
  yield* checkMigrationsDirectory(config, database)
}

function* checkMigrationsDirectory({ configPath }, database) {
  const { migrations_dir: given = 'migrations', migrations_pattern: pattern } = database
  const root = dirname(configPath ?? '.')
  const directory = resolve(root, given)
  const files = pattern === undefined ? sqlIn(directory) : matching(pattern, root)
  const there = new Set(files.map((file) => readCopy(file).hash))
  const missing = ownMigrations().filter(({ hash }) => !there.has(hash))
  const where = pattern ?? directory
  if (missing.length === 0) {
    yield ok(`${where} has all migrations of Seatgate`)
    return
  }
  const names = missing.map(({ name }) => name)
  const which =
    names.length > 3
      ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more`
      : names.join(', ')
  yield wrong(
    `${where} does not have ${which}`,
    `npx seatgate migrations ${given}\n` +
      'or, without migrations of your own: migrations_dir = "node_modules/seatgate/migrations"'
  )
}

// Wrangler needs a version of Node that has `globSync`.
function matching(pattern, root) {
  return fs.globSync(pattern, { cwd: root }).map((name) => {
    const text = fs.readFileSync(resolve(root, name), 'utf8').replaceAll('\r\n', '\n')
    return { name, text }
  })
}

const CLASS = 'SeatLedger'

function* checkObject({ durable_objects, migrations = [], d1_databases: bound = [] }) {
  const binding = durable_objects?.bindings?.find(({ class_name }) => class_name === CLASS)
  if (binding === undefined) {
    yield note(
      `no Durable Object of class ${CLASS} is bound: ledgerSeats() needs one, d1Seats() none`
    )
    return
  }
  yield ok(`${CLASS} is bound as ${binding.name}`)
  if (bound.length > 0 && !bound.some((database) => database.binding === 'DB')) {
    yield wrong(`${CLASS} looks for D1 under DB, and nothing is bound so`, 'name the D1 binding DB')
  }
  if (binding.script_name !== undefined) return
  if (!migrations.some(({ new_sqlite_classes: classes = [] }) => classes.includes(CLASS))) {
    yield wrong(
      `${CLASS} is in no migration as an SQLite class`,
      `[[migrations]] tag = "v1", new_sqlite_classes = ["${CLASS}"]`
    )
  }
}

function* checkQueue({ queues: { producers = [], consumers = [] } = {} }) {
  if (producers.length === 0) {
    yield note('no queue is bound: audit events are forwarded after the answer, or by the cron')
  }
  for (const { queue, binding } of producers) {
    const consumer = consumers.find((one) => one.queue === queue)
    if (consumer === undefined) {
      yield wrong(
        `${binding} sends to the queue ${queue}, and this Worker does not consume it`,
        `[[queues.consumers]] queue = "${queue}", with auditQueueHandler as the handler`
      )
    } else {
      yield ok(`${binding} sends to the queue ${queue}, which this Worker consumes`)
      if (consumer.dead_letter_queue === undefined) {
        yield note(`the queue ${queue} has no dead_letter_queue`)
      }
    }
  }
}

function* checkCron({ triggers: { crons = [] } = {} }) {
  if (crons?.length > 0) yield ok(`cron: ${crons.join(', ')}`)
  else {
    yield wrong(
      'there is no cron: what a crash leaves behind is never found',
      '[triggers] crons = ["* * * * *"], with sweepHandler as the handler'
    )
  }
}
