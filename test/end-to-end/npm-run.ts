import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { waitFor } from '../../scripts/wait-for.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

export type NpmRun = ReturnType<typeof npmRun>

/** `npm run SCRIPT -- ARGUMENTS`, as somebody at a terminal would start it. */
export function npmRun(script: string, ...args: string[]) {
  const child = spawn('npm', ['run', script, '--', ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  const keep = (text: string) => {
    output += text
  }
  child.stdout.setEncoding('utf8').on('data', keep)
  child.stderr.setEncoding('utf8').on('data', keep)
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve))

  return {
    pid: child.pid!,
    output: () => output,
    end: () => child.kill('SIGTERM'),
    /** The exit code, or null after a signal. */
    exitCode: (timeoutSeconds: number) => {
      let code: number | null | undefined
      void ended.then((value) => {
        code = value
      })
      return waitFor(
        `npm run ${script} to end`,
        timeoutSeconds,
        () => (code === undefined ? undefined : { code }),
        () => output
      ).then((end) => end.code)
    },
    untilItSays: (text: string, timeoutSeconds: number) =>
      waitFor(
        `npm run ${script} to say "${text}"`,
        timeoutSeconds,
        () => output.includes(text) || undefined,
        () => output
      ),
    /** This process and all that descend from it, as long as they run. */
    processes: () => [child.pid!, ...descendants(child.pid!)],
  }
}

export function isRunning(pid: number): boolean {
  const state = statusOf(pid)?.state
  return state !== undefined && state !== 'Z' && state !== 'X'
}

export function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
  } catch {
    return ''
  }
}

function descendants(pid: number): number[] {
  if (process.platform !== 'linux') return []
  return readdirSync('/proc')
    .map(Number)
    .filter((candidate) => statusOf(candidate)?.parent === pid)
    .flatMap((child) => [child, ...descendants(child)])
}

function statusOf(pid: number): { state: string; parent: number } | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    const read = (name: string) => new RegExp(`^${name}:\\s*(\\S+)`, 'm').exec(status)?.[1] ?? ''
    return { state: read('State'), parent: Number(read('PPid')) }
  } catch {
    return undefined
  }
}
