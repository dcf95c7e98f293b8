import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

const PARENT_CHECK_MS = 500

const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

/**
 * Calls back once, when this process is told to end or when the npm that started it is gone: npm
 * passes signals on, but it cannot pass on SIGKILL.
 */
export function onceToldToEnd(callback: (exitCode: number) => void): void {
  let wasTold = false
  function tell(exitCode: number) {
    if (wasTold) return
    wasTold = true
    callback(exitCode)
  }
  for (const [signal, exitCode] of Object.entries(SIGNALS)) process.on(signal, () => tell(exitCode))

  const isNpmGone = watchNpm()
  setInterval(() => isNpmGone() && tell(SIGNALS.SIGHUP), PARENT_CHECK_MS).unref()

  // Whoever read the output may be gone before the signal arrives.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)
}

/** npm is the parent, or the parent's parent where the shell that npm runs scripts with stays. */
function watchNpm(): () => boolean {
  // Started by hand it may well be meant to outlive its parent.
  if (process.env.npm_lifecycle_event === undefined) return () => false
  const parent = process.ppid
  const { name, parent: grandparent } = statusOf(parent)
  const hasShell = /^(.*\/)?(sh|dash|bash|ash|zsh|ksh|busybox)$/.test(name)
  return () => process.ppid !== parent || (hasShell && statusOf(parent).parent !== grandparent)
}

function statusOf(pid: number): { name: string; parent: string } {
  try {
    if (process.platform === 'linux') {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8')
      const read = (field: string) => new RegExp(`^${field}:\\s*(.*)$`, 'm').exec(status)?.[1] ?? ''
      return { name: read('Name'), parent: read('PPid') }
    }
    const status = execFileSync('ps', ['-o', 'ppid=,comm=', '-p', String(pid)], {
      encoding: 'utf8',
    })
    const [parent = '', name = ''] = status.trim().split(/\s+/)
    return { name, parent }
  } catch {
    return { name: '', parent: '' }
  }
}
