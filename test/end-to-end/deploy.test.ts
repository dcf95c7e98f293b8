import { beforeEach, describe, expect, test } from 'vitest'
import { deploy, PLACEHOLDER, stepsOf, type DeployConfig } from '../../scripts/deploy-steps.ts'
import { THOROUGH } from '../kit/scale.ts'
import { npmRun } from './npm-run.ts'

const CONFIG: DeployConfig = {
  name: 'app',
  d1_databases: [{ binding: 'DB', database_name: 'app-db', database_id: PLACEHOLDER }],
  queues: {
    producers: [{ queue: 'app-audit' }],
    consumers: [{ dead_letter_queue: 'app-dead' }],
  },
  r2_buckets: [{ bucket_name: 'app-checkpoints' }],
}

/** An account, with the commands of wrangler that a deployment uses. */
function account() {
  const has = {
    databases: [] as string[],
    made: new Set<string>(),
    secrets: new Map<string, string>(),
  }
  const asked: string[] = []
  const failing = new Set<string>()
  const answer = (exitCode: number, value: unknown = '') => ({
    exitCode,
    out: typeof value === 'string' ? value : JSON.stringify(value),
  })
  return {
    has,
    asked,
    failing,
    async wrangler(args: readonly string[], input?: string) {
      const command = args.join(' ')
      asked.push(command)
      if (failing.has(command)) return answer(1, 'no')
      if (command === 'd1 list --json') {
        return answer(
          0,
          has.databases.map((name) => ({ name, uuid: `id-of-${name}` }))
        )
      }
      if (command.startsWith('d1 create ')) has.databases.push(args.at(-1) ?? '')
      if (command.includes(' info ')) return answer(has.made.has(args.at(-1) ?? '') ? 0 : 1)
      if (command.includes('queues create ') || command.includes('bucket create ')) {
        has.made.add(args.at(-1) ?? '')
      }
      if (command.startsWith('secret list')) {
        return answer(
          0,
          [...has.secrets.keys()].map((name) => ({ name }))
        )
      }
      if (command.startsWith('secret put')) has.secrets.set(args.at(-1) ?? '', input ?? '')
      return answer(0)
    },
  }
}

let own: ReturnType<typeof account>
let said: string[]
let ids: string[]
beforeEach(() => {
  own = account()
  said = []
  ids = []
})

const secrets = { INVITATION_SECRET: async () => 'made', AUDIT_LOG_KEY: async () => 'key' }
const run = (config: DeployConfig = CONFIG) =>
  deploy(stepsOf(config, Object.keys(secrets)), {
    wrangler: own.wrangler,
    say: (line) => void said.push(line),
    putDatabaseId: async (id) => void ids.push(id),
    secrets,
  })

const changes = () => own.asked.filter((command) => !/ (list|info) ?/.test(command))

describe('npm run deploy', () => {
  test('creates the configured resources, then migrates, then deploys', async () => {
    await run()
    expect(changes()).toEqual([
      'd1 create app-db',
      'queues create app-audit',
      'queues create app-dead',
      'r2 bucket create app-checkpoints',
      'secret put INVITATION_SECRET',
      'secret put AUDIT_LOG_KEY',
      'd1 migrations apply DB --remote',
      'deploy',
    ])
    expect(ids).toEqual(['id-of-app-db'])
    expect(Object.fromEntries(own.has.secrets)).toEqual({
      INVITATION_SECRET: 'made',
      AUDIT_LOG_KEY: 'key',
    })
  })

  test('keeps the resources and the secrets of the account', async () => {
    await run()
    own.asked.length = 0
    own.has.secrets.set('AUDIT_LOG_KEY', 'of the operator')
    await run()
    expect(changes()).toEqual(['d1 migrations apply DB --remote', 'deploy'])
    expect(own.has.secrets.get('AUDIT_LOG_KEY')).toBe('of the operator')
  })

  test('announces every step before the first command', async () => {
    const steps = stepsOf(CONFIG, Object.keys(secrets))
    let before = -1
    await deploy(steps, {
      wrangler: (args, input) => {
        if (before < 0) before = said.length
        return own.wrangler(args, input)
      },
      say: (line) => void said.push(line),
      putDatabaseId: async () => {},
      secrets,
    })
    expect(said.slice(1, before)).toEqual([
      ...steps.map(({ does }, index) => `  ${index + 1}. ${does}`),
      `1/${steps.length} ${steps[0]?.does}`,
    ])
    expect(said.join('\n')).not.toContain('made')
  })

  test('does not deploy if a migration fails', async () => {
    own.failing.add('d1 migrations apply DB --remote')
    await expect(run()).rejects.toThrow('d1 migrations apply')
    expect(own.asked).not.toContain('deploy')
  })

  test('keeps the id of a database that is configured', async () => {
    const [database] = CONFIG.d1_databases ?? []
    await run({ d1_databases: [{ ...database!, database_id: 'mine' }] })
    expect(own.asked).not.toContain('d1 list --json')
    expect(ids).toEqual([])
  })

  test.runIf(THOROUGH)('announces and builds without an account, with --dry-run', async () => {
    const dry = npmRun('deploy', '--dry-run')
    expect(await dry.exitCode(120)).toBe(0)
    expect(dry.output()).toContain('1. creates the D1 database seatgate unless it is there')
    expect(dry.output()).toContain('--dry-run: exiting now')
  })
})
