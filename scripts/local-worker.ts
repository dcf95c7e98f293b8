import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'
import { dirname, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { applyMigrations } from './local-migrations.ts'
import type { ProcessGroup } from './process-group.ts'
import { root, runWrangler } from './run-wrangler.ts'
import { wranglerOutput } from './wrangler-output.ts'

const READY_SECONDS = 60
const MAX_REFUSALS = 10
const GRACE_SECONDS = 1.5
const SWEEP_SECONDS = 5
const KEPT_LINES = 2000

export interface LocalWorkerOptions {
  /** The wrangler configuration, default the project's. */
  readonly config?: string
  /** Default a free port. */
  readonly port?: number
  /** Default 127.0.0.1. */
  readonly ip?: string
  /** Where the data lives, default `.wrangler/state` beside the configuration. */
  readonly persistTo?: string
  /** Beside these, `ENVIRONMENT` is development and `PUBLIC_URL` the address it serves on. */
  readonly vars?: Readonly<Record<string, string>>
  /** Further flags for `wrangler dev`. */
  readonly flags?: readonly string[]
  /** The wrangler environment, for the worker and for its migrations. */
  readonly env?: string
  /** Takes every line of output as it comes; errors then do not repeat them. */
  readonly onLine?: (line: string) => void
}

export interface LocalWorker {
  readonly url: string
  readonly port: number
  /** Resolves once wrangler has ended, for whatever reason. */
  readonly ended: Promise<number>
  /** Ends wrangler in good order, and with it every process it started. */
  stop(): Promise<void>
  /** SIGKILL to all of them at once: what a crash looks like. */
  kill(): Promise<void>
  /** What wrangler and the worker printed, without wrangler's small talk. */
  output(): string
}

/** Applies the migrations, starts `wrangler dev` and waits until the worker answers. */
export async function startWorker(options: LocalWorkerOptions = {}): Promise<LocalWorker> {
  const { ip = '127.0.0.1' } = options
  const port = options.port || (await freePort(ip))
  await assertPortIsFree(ip, port)

  const flags = await prepareState(options)

  const lines: string[] = []
  const onOutput = wranglerOutput((line) => {
    if (lines.push(line) > KEPT_LINES) lines.shift()
    options.onLine?.(line)
  })
  const output = () => lines.join('\n').trim()
  const host = ['0.0.0.0', '::', '*', 'localhost'].includes(ip) ? '127.0.0.1' : ip
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}`
  // Of a variable that is in the flags too, wrangler takes the last: the flag.
  const vars = Object.entries({ ENVIRONMENT: 'development', PUBLIC_URL: url, ...options.vars })
  const group = runWrangler(
    [
      'dev',
      ...flags,
      '--ip',
      ip,
      '--port',
      String(port),
      ...vars.flatMap(([name, value]) => ['--var', `${name}:${value}`]),
      '--show-interactive-dev-session=false',
      // The inspector's usual port would be taken by the first of several instances.
      ...(options.flags?.some((flag) => flag.startsWith('--inspector-port'))
        ? []
        : ['--inspector-port', '0']),
      ...(options.flags ?? []),
    ],
    onOutput
  )

  // What wrangler says goes into the error, unless somebody has read it already.
  const explanation = () => (options.onLine === undefined ? `\n\n${output()}` : '')
  await untilReady(group, url, explanation)
  const endSweeps = startSweeps(url)
  void group.ended.then(endSweeps)
  return {
    url,
    port,
    output,
    ended: group.ended,
    async stop() {
      endSweeps()
      await group.stop(GRACE_SECONDS)
    },
    async kill() {
      endSweeps()
      await group.kill()
    },
  }
}

/** Brings the data of a worker up to date, before it starts or without; answers where they are, as flags. */
export async function prepareState({
  config: given,
  persistTo,
  env,
}: Pick<LocalWorkerOptions, 'config' | 'persistTo' | 'env'>): Promise<readonly string[]> {
  const own = resolve(root, 'wrangler.toml')
  const config = resolve(given ?? own)
  const directory = resolve(persistTo ?? resolve(dirname(config), '.wrangler/state'))
  const flags = ['--config', config, '--persist-to', directory]
  if (env !== undefined) flags.push('--env', env)
  await applyMigrations({ flags, directory, isOwn: config === own && env === undefined })
  return flags
}

/**
 * A port that is free. It is none of those that the system gives to connections and to servers without a
 * port of their own, so that it is still free when a server that was killed comes back to it.
 */
export async function freePort(ip = '127.0.0.1'): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_000)
    const problem = await problemWith(ip, port)
    if (problem === undefined) return port
    if (problem.code !== 'EADDRINUSE') throw problem
  }
}

async function assertPortIsFree(ip: string, port: number): Promise<void> {
  const problem = await problemWith(ip, port)
  if (problem?.code === 'EADDRINUSE') {
    throw new Error(`port ${port} is in use: choose another one with --port`)
  }
  if (problem !== undefined) throw problem
}

function problemWith(ip: string, port: number): Promise<(Error & { code?: string }) | undefined> {
  const server = createServer()
  return new Promise((settle) => {
    server.once('error', settle)
    server.listen(port, ip, () => server.close(() => settle(undefined)))
  })
}

async function untilReady(
  group: ProcessGroup,
  url: string,
  explanation: () => string
): Promise<void> {
  let ended = false
  void group.ended.then(() => {
    ended = true
  })
  let last = 'no answer'
  let refusals = 0
  const deadline = Date.now() + READY_SECONDS * 1000
  while (!ended && refusals < MAX_REFUSALS && Date.now() < deadline) {
    last = await healthOf(url)
    if (last === '200') return
    // An answer other than 200 comes from a worker that runs and cannot serve.
    if (/^\d+$/.test(last)) refusals += 1
    await sleep(refusals > 0 ? 500 : 100)
  }
  await group.kill()
  const reason = ended
    ? 'wrangler ended before the worker was ready'
    : `the worker did not become ready (GET ${url}/healthz: ${last})`
  throw new Error(reason + explanation())
}

async function healthOf(url: string): Promise<string> {
  try {
    const response = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(5000) })
    await response.arrayBuffer()
    return String(response.status)
  } catch (error) {
    return String(error instanceof Error ? (error.cause ?? error) : error)
  }
}

/**
 * The local runtime never fires a cron trigger and keeps its queues in memory, so that a restart
 * loses every wake-up: without this, what the last run left undone would stay undone.
 */
function startSweeps(url: string): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  let isOver = false
  async function sweep() {
    const address = `${url}/cdn-cgi/local/scheduled?cron=${encodeURIComponent('* * * * *')}`
    try {
      const response = await fetch(address, { signal: AbortSignal.timeout(30_000) })
      await response.arrayBuffer()
    } catch {
      // Reloading or ending: the next one will find the worker, or there is none.
    }
    if (!isOver) timer = setTimeout(sweep, SWEEP_SECONDS * 1000).unref()
  }
  void sweep()
  return () => {
    isOver = true
    clearTimeout(timer)
  }
}
