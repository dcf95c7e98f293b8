import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

/** Loads the wrangler of the project in a directory: to read its configuration, and to ask D1. */
export async function loadWrangler(directory) {
  let main
  try {
    main = createRequire(join(directory, 'package.json')).resolve('wrangler')
  } catch {
    throw new Error('wrangler is not installed in this project. Run "npm install -D wrangler".')
  }
  const { unstable_readConfig } = await import(pathToFileURL(main).href)
  const bin = resolve(main, '../../bin/wrangler.js')
  return {
    readConfig: ({ config, env }) => unstable_readConfig({ config, env }, { hideWarnings: true }),
    query: (database, sql, flags) => query([bin, ...executeArgs(database, flags)], sql),
  }
}

/** The arguments with which wrangler runs something in the database that the flags mean. */
export function executeArgs({ binding }, flags) {
  return ['d1', 'execute', binding, ...placeArgs(flags)]
}

/** The flags of wrangler for the place that these flags of the doctor mean. */
export function placeArgs({ remote, config, env, 'persist-to': persistTo }) {
  return [
    remote ? '--remote' : '--local',
    ...(config === undefined ? [] : ['--config', config]),
    ...(env === undefined ? [] : ['--env', env]),
    ...(persistTo === undefined || remote ? [] : ['--persist-to', persistTo]),
  ]
}

async function query(args, sql) {
  const { exitCode, out, err } = await output([...args, '--yes', '--json', '--command', sql])
  try {
    const [{ results }] = JSON.parse(out.slice(out.indexOf('[')))
    return results
  } catch {
    throw new Error(`wrangler could not ask D1 (exit code ${exitCode}):\n${out}${err}`.trimEnd())
  }
}

function output(args) {
  const env = { ...process.env, CI: '1', WRANGLER_HIDE_BANNER: 'true', NO_COLOR: '1' }
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let [out, err] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text) => (out += text))
  child.stderr.setEncoding('utf8').on('data', (text) => (err += text))
  return new Promise((done, reject) => {
    child.on('error', reject)
    child.on('close', (exitCode) => done({ exitCode, out, err }))
  })
}
