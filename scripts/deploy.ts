/**
 * `npm run deploy`: creates what `wrangler.toml` names, applies the migrations and deploys the reference
 * host. It announces every step before the first; a repeat does only what is left. With `--dry-run` it
 * announces the steps and builds the Worker, without an account.
 *
 * @module
 */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { unstable_readConfig } from 'wrangler'
import { generateLogKey } from '../src/proof/note.ts'
import { readArguments } from './arguments.ts'
import { announce, deploy, PLACEHOLDER, stepsOf, type RunWrangler } from './deploy-steps.ts'
import { root } from './run-wrangler.ts'

const { values } = readArguments('npm run deploy -- [--dry-run]', () =>
  parseArgs({ options: { 'dry-run': { type: 'boolean', default: false } } })
)

const configPath = join(root, 'wrangler.toml')
const config = unstable_readConfig({ config: configPath }, { hideWarnings: true })
const say = (line: string) => console.log(line)
const secrets = {
  INVITATION_SECRET: async () => randomBytes(32).toString('base64url'),
  AUDIT_LOG_KEY: async () => {
    const { privateKey, publicKey } = await generateLogKey(config.name ?? 'seatgate')
    say(`The public key of the audit log, for verifiers: ${publicKey}`)
    return privateKey
  },
}
const steps = stepsOf(config, Object.keys(secrets))

const wrangler: RunWrangler = async (args, input) => {
  const command = join(root, 'node_modules/wrangler/bin/wrangler.js')
  const env = { ...process.env, WRANGLER_HIDE_BANNER: 'true', WRANGLER_SEND_METRICS: 'false' }
  const child = spawn(process.execPath, [command, ...args, '--config', configPath], {
    cwd: root,
    env,
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let out = ''
  const keep = (text: string) => {
    out += text
  }
  child.stdout.setEncoding('utf8').on('data', keep)
  child.stderr.setEncoding('utf8').on('data', keep)
  child.stdin.end(input ?? '')
  const exitCode = await new Promise<number>((resolve) => {
    child.on('close', (code) => resolve(code ?? 1))
  })
  return { exitCode, out }
}

async function putDatabaseId(id: string): Promise<void> {
  const text = await readFile(configPath, 'utf8')
  await writeFile(configPath, text.replace(PLACEHOLDER, id))
  say(`The id of the database is ${id}. Commit wrangler.toml.`)
}

if (values['dry-run']) {
  announce(steps, { say })
  const { exitCode, out } = await wrangler(['deploy', '--dry-run'])
  say(out.trim())
  process.exitCode = exitCode
} else {
  try {
    await deploy(steps, { wrangler, say, putDatabaseId, secrets })
    say('Deployed. `npx seatgate doctor --remote` checks the result.')
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
  }
}
