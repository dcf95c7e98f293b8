import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { connect } from '../../scripts/client.ts'
import { freePort } from '../../scripts/local-worker.ts'
import { waitFor } from '../../scripts/wait-for.ts'
import { commandOf, isRunning, npmRun, type NpmRun } from './npm-run.ts'
import { temporaryDirectory, type TemporaryDirectory } from './temporary-directory.ts'

const START_SECONDS = 90
// It takes two at most; other tests may want the processor, too.
const END_SECONDS = 20
const TIMEOUT = { timeout: 200_000 }
const run = promisify(execFile)

// One for all but the second instance, which is to have its own.
let directory: TemporaryDirectory
let otherDirectory: TemporaryDirectory
let started: { run: NpmRun; processes: number[] }[] = []

beforeAll(async () => {
  directory = await temporaryDirectory()
  otherDirectory = await temporaryDirectory()
})

afterAll(async () => {
  await directory.remove()
  await otherDirectory.remove()
})

afterEach(async () => {
  for (const { run, processes } of started) {
    run.end()
    await run.exitCode(10).catch(() => undefined)
    for (const pid of new Set([...processes, ...run.processes()])) {
      if (isRunning(pid)) process.kill(pid, 'SIGKILL')
    }
  }
  started = []
})

async function startDev(persistTo = directory.path, ...flags: string[]) {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const dev = npmRun('dev', '--port', String(port), '--persist-to', persistTo, ...flags)
  const instance = { run: dev, processes: [] as number[] }
  started.push(instance)
  return {
    run: dev,
    port,
    url,
    /** Everything it started, once it serves. */
    async ready() {
      await dev.untilItSays(`ready on ${url}`, START_SECONDS)
      instance.processes = dev.processes()
      return instance.processes
    },
  }
}

async function statusOf(url: string): Promise<number> {
  const response = await fetch(url, { signal: AbortSignal.timeout(5000) })
  await response.arrayBuffer()
  return response.status
}

type Receiver = 'npm' | 'the script'

const isScript = (pid: number) => /^\S*node scripts\/dev\.ts/.test(commandOf(pid))

/**
 * Signals one that serves, and waits until nothing is left of it. A start takes longer than all that is
 * asked of an instance, so that each shows an end, too.
 */
async function expectEnd(
  { run: dev, url }: Awaited<ReturnType<typeof startDev>>,
  processes: readonly number[],
  signal: NodeJS.Signals,
  receiver: Receiver
): Promise<void> {
  expect(processes.map(commandOf).join('\n')).toContain('workerd')
  const script = processes.find(isScript)
  if (script === undefined) throw new Error(`no script among ${processes.map(commandOf)}`)
  process.kill(receiver === 'npm' ? dev.pid : script, signal)
  await waitFor(
    'every process to end',
    END_SECONDS,
    () => !processes.some(isRunning) || undefined,
    () => processes.filter(isRunning).map(commandOf)
  )
  await expect(statusOf(`${url}/healthz`)).rejects.toThrow()
}

const canSeeProcesses = process.platform === 'linux'

/** What a person would copy from the terminal. */
function printedCommands(output: string): string[] {
  return output.split('\n').filter((line) => /^\s+([A-Z]+=|curl )/.test(line))
}

describe('npm run dev', () => {
  test('prints commands that work when pasted, until SIGINT to npm', TIMEOUT, async () => {
    const instance = await startDev()
    const { run: dev, url } = instance
    const processes = await instance.ready()
    const commands = printedCommands(dev.output())
    expect(commands).toHaveLength(8)

    const pasted = commands.map((command) => `${command}\necho\n`).join('')
    const { stdout } = await run('sh', ['-c', pasted], { timeout: 30_000 })
    const answers = stdout.split('\n').filter((line) => line !== '')
    expect(answers.map((answer) => JSON.parse(answer) as unknown)).toMatchObject([
      { held: 1, reserved: 1, limit: 'unlimited' },
      { event: 'checkout_completed' },
      { event: 'payment_failed' },
      { event: 'advance' },
      { plan: 'team', status: 'past_due', granting: false, seats: { limit: 3 } },
    ])
    await dev.untilItSays('POST /organizations 201', 10)
    expect(dev.output()).not.toMatch(/env\.DB|not automatically triggered/)
    expect(await statusOf(`${url}/healthz`)).toBe(200)
    if (canSeeProcesses) await expectEnd(instance, processes, 'SIGINT', 'npm')
  })

  test(
    'serves a second instance beside the first, each with its own data and its own end',
    TIMEOUT,
    async () => {
      const first = await startDev()
      const processes = await first.ready()
      const second = await startDev(otherDirectory.path, '--var', 'DEFAULT_SEAT_LIMIT:1')
      const others = await second.ready()

      const email = 'same@example.com'
      for (const [url, limit] of [
        [first.url, 'unlimited'],
        [second.url, 1],
      ] as const) {
        const account = await connect(url).signUp(email)
        if (!account.ok) throw new Error(JSON.stringify(account.problem))
        const api = connect(url, account.value.token)
        const organization = await api.createOrganization('Beside')
        if (!organization.ok) throw new Error(JSON.stringify(organization.problem))
        expect((await api.seats(organization.value.id)).limit).toBe(limit)
      }
      if (!canSeeProcesses) return
      await expectEnd(first, processes, 'SIGTERM', 'npm')
      expect(await statusOf(`${second.url}/healthz`)).toBe(200)
      await expectEnd(second, others, 'SIGKILL', 'the script')
    }
  )

  test('names the option of a wrong configuration and ends', TIMEOUT, async () => {
    const { run: dev } = await startDev(directory.path, '--var', 'DEFAULT_SEAT_LIMIT:abc')
    expect(await dev.exitCode(START_SECONDS)).toBe(1)
    expect(dev.output()).toContain('DEFAULT_SEAT_LIMIT')
  })

  test('reports a taken port, and serves until SIGHUP to npm', TIMEOUT, async () => {
    const first = await startDev()
    const processes = await first.ready()
    const second = npmRun('dev', '--port', String(first.port))
    started.push({ run: second, processes: [] })
    expect(await second.exitCode(START_SECONDS)).toBe(1)
    expect(second.output()).toContain(`port ${first.port} is in use`)
    if (canSeeProcesses) await expectEnd(first, processes, 'SIGHUP', 'npm')
  })
})

describe.skipIf(!canSeeProcesses)('stopping npm run dev', () => {
  test.for([
    { receiver: 'npm', signal: 'SIGKILL' },
    { receiver: 'the script', signal: 'SIGTERM' },
    { receiver: 'the script', signal: 'SIGINT' },
  ] as const)('$signal to $receiver ends every process', TIMEOUT, async ({ receiver, signal }) => {
    const instance = await startDev()
    await expectEnd(instance, await instance.ready(), signal, receiver)
  })

  test('stopping it before it serves leaves no trace', TIMEOUT, async () => {
    const { run: dev } = await startDev()
    const processes = await waitFor('wrangler to be started', START_SECONDS, () => {
      const all = dev.processes()
      return all.some((pid) => commandOf(pid).includes('wrangler')) ? all : undefined
    })
    process.kill(processes.find(isScript)!, 'SIGKILL')
    await waitFor(
      'every process to end',
      END_SECONDS,
      () => ![...processes, ...dev.processes()].some(isRunning) || undefined,
      () => processes.filter(isRunning).map(commandOf)
    )
  })
})
