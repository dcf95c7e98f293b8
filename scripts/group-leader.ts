import { spawn } from 'node:child_process'

// Runs `node ARGUMENTS…` inside this process's own group. When the command ends, or when the
// process that asked for it is gone (its end of the channel closes, even after SIGKILL), the whole
// group goes at once: wrangler starts children of its own and leaves them behind when it is killed.

if (process.send === undefined) throw new Error('started by process-group.ts only')

const endGroup = () => process.kill(0, 'SIGKILL')
const command = spawn(process.execPath, process.argv.slice(2), {
  stdio: ['ignore', 'inherit', 'inherit'],
})

process.on('disconnect', endGroup)
process.on('SIGTERM', () => command.kill('SIGTERM'))
command.on('exit', (code) => process.send?.(code ?? 1, endGroup))
