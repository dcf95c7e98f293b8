import { fork } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const groupLeader = fileURLToPath(new URL('./group-leader.ts', import.meta.url))

export interface ProcessGroupOptions {
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly onOutput: (text: string) => void
}

export interface ProcessGroup {
  /** The command's exit code, or -1 when it was killed. Never rejects. */
  readonly ended: Promise<number>
  /** Asks the command to end, and after the grace period ends it and all its children. */
  stop(graceSeconds: number): Promise<void>
  /** SIGKILL to every process of the group at once. */
  kill(): Promise<void>
}

/** Runs `node ARGUMENTS…` in a process group that cannot outlive this process. */
export function startGroup(args: readonly string[], options: ProcessGroupOptions): ProcessGroup {
  const leader = fork(groupLeader, args, {
    cwd: options.cwd,
    env: options.env,
    detached: true,
    execArgv: [],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  const pid = leader.pid
  let exitCode = -1
  leader.stdout?.setEncoding('utf8').on('data', options.onOutput)
  leader.stderr?.setEncoding('utf8').on('data', options.onOutput)
  leader.on('message', (code) => {
    exitCode = Number(code)
  })

  const ended = new Promise<number>((resolve) => {
    leader.on('error', (error) => {
      options.onOutput(`${error.message}\n`)
      if (pid === undefined) resolve(-1)
    })
    // Somebody may have killed the leader alone.
    leader.on('exit', () => signalGroup(pid, 'SIGKILL'))
    leader.on('close', () => resolve(exitCode))
  })

  async function kill() {
    signalGroup(pid, 'SIGKILL')
    // A restart on the same disk must not meet the old runtime.
    for (let waited = 0; waited < 5000 && isAlive(pid); waited += 20) await sleep(20)
  }

  return {
    ended,
    kill,
    async stop(graceSeconds) {
      leader.kill('SIGTERM')
      const patience = new AbortController()
      const grace = sleep(graceSeconds * 1000, undefined, { signal: patience.signal })
      await Promise.race([ended, grace.catch(() => undefined)])
      patience.abort()
      await kill()
    },
  }
}

function signalGroup(pid: number | undefined, signal: 'SIGKILL' | 0): boolean {
  if (pid === undefined) return false
  try {
    return process.kill(-pid, signal)
  } catch {
    return false
  }
}

function isAlive(pid: number | undefined): boolean {
  if (!signalGroup(pid, 0)) return false
  // On Linux a group of which only zombies are left still accepts signals.
  const states = groupStates(pid)
  return states === undefined || states.some((state) => state !== 'Z' && state !== 'X')
}

function groupStates(groupId: number | undefined): string[] | undefined {
  if (process.platform !== 'linux') return undefined
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap((entry) => {
      try {
        const stat = readFileSync(`/proc/${entry}/stat`, 'utf8')
        // "pid (name) state parent group …", where the name may hold spaces and brackets.
        const [state = '', , group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
        return Number(group) === groupId ? [state] : []
      } catch {
        return []
      }
    })
}
