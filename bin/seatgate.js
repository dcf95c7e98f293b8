#!/usr/bin/env node
/**
 * The command of the package. Each subcommand is a file in `bin/commands`.
 *
 * @module
 */
import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'

/**
 * The subcommands. Each module exports `usage` (the lines of help), `operands` (the names of its
 * operands, all required), `options` (as for `parseArgs`) and `run(operands, values)`, which returns the
 * exit code. It loads what it needs inside `run`, so that `--help` works without a build.
 */
const COMMANDS = {
  verify: () => import('./commands/verify.js'),
  keygen: () => import('./commands/keygen.js'),
  doctor: () => import('./commands/doctor.js'),
  migrations: () => import('./commands/migrations.js'),
}

const HELP = { help: { type: 'boolean', short: 'h', default: false } }

const CLOSING = `seatgate --help, seatgate COMMAND --help, seatgate --version

Exit codes: 0 if the command succeeded; 1 if it did not, for whatever reason.
`

// A reader that has seen enough, such as `head`, closes the pipe.
process.stdout.on('error', (error) => {
  if (error.code !== 'EPIPE') throw error
})

process.exitCode = await main(process.argv.slice(2))

async function main([name, ...words]) {
  if (name === '--help' || name === '-h') return print(await usage())
  if (name === 'help') return print(await usage(words[0]))
  if (name === '--version' || name === '-V') return print(`${await version()}\n`)
  if (name === undefined) return fail('No command is given.', await usage())
  if (!Object.hasOwn(COMMANDS, name)) {
    const what = name.startsWith('-') ? 'option' : 'command'
    return fail(`Unknown ${what} "${name}".`, await usage())
  }
  const command = await COMMANDS[name]()
  const read = readWords(command, words)
  if (read === 'help') return print(command.usage)
  if (typeof read === 'string') return fail(read, command.usage)
  try {
    return await command.run(read.operands, read.values)
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error))
  }
}

/** The operands and options of a subcommand; a text if they are wrong, `help` if that is asked for. */
function readWords({ operands, options }, words) {
  try {
    const parsed = parseArgs({
      args: words,
      allowPositionals: true,
      options: { ...options, ...HELP },
    })
    if (parsed.values.help) return 'help'
    const missing = operands[parsed.positionals.length]
    if (missing !== undefined) return `${missing} is missing.`
    const extra = parsed.positionals[operands.length]
    if (extra !== undefined) return `Unexpected operand "${extra}".`
    return { operands: parsed.positionals, values: parsed.values }
  } catch (error) {
    return error.message
  }
}

async function usage(name) {
  const names = Object.hasOwn(COMMANDS, name ?? '') ? [name] : Object.keys(COMMANDS)
  const commands = await Promise.all(names.map((each) => COMMANDS[each]()))
  return [...commands.map((command) => command.usage), CLOSING].join('\n')
}

async function version() {
  const text = await readFile(new URL('../package.json', import.meta.url), 'utf8')
  return JSON.parse(text).version
}

function print(text) {
  process.stdout.write(text)
  return 0
}

function fail(reason, help) {
  process.stderr.write(`seatgate: ${reason}\n${help === undefined ? '' : `\n${help}`}`)
  return 1
}
