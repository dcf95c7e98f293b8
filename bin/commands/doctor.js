import { checkConfiguration, databaseOf } from '../doctor/configuration.js'
import { checkDatabase } from '../doctor/database.js'
import { loadWrangler } from '../doctor/wrangler.js'

export const usage = `seatgate doctor [--remote] [--database BINDING] [--config FILE] [--env NAME] [--persist-to DIRECTORY]
  Checks the wrangler configuration (D1, Durable Object, queue, cron, migrations) and the tables,
  columns, constraints, indexes and triggers of a D1 database against what the migrations make. It
  changes nothing, and prints the command that mends what is wrong. Needs the wrangler of your project.
  Checks the local database, or with --remote the one on Cloudflare.
`

export const operands = []

export const options = {
  remote: { type: 'boolean', default: false },
  database: { type: 'string' },
  config: { type: 'string' },
  env: { type: 'string' },
  'persist-to': { type: 'string' },
}

export async function run(_operands, flags) {
  const wrangler = await loadWrangler(process.cwd())
  const config = wrangler.readConfig(flags)
  const database = databaseOf(config, flags.database)
  const findings = [...checkConfiguration(config, database)]
  if (database !== undefined) findings.push(...(await checkDatabase(wrangler, database, flags)))
  return print(findings)
}

const MARKS = { ok: 'ok   ', note: 'note ', wrong: 'WRONG' }

/** Prints findings, each with what to do; returns the exit code. */
function print(findings) {
  for (const { level, text, mend } of findings) {
    process.stdout.write(`${MARKS[level]}  ${text}\n`)
    for (const line of mend?.split('\n') ?? []) process.stdout.write(`         ${line}\n`)
  }
  const wrong = findings.filter(({ level }) => level === 'wrong').length
  process.stdout.write(wrong === 0 ? '\nNothing is wrong.\n' : `\nWrong: ${wrong}\n`)
  return wrong === 0 ? 0 : 1
}
