/**
 * The steps of `npm run deploy`: what a wrangler configuration names and the account does not have yet.
 *
 * @module
 */

/** The parts of a wrangler configuration that a deployment creates. */
export interface DeployConfig {
  readonly name?: string | undefined
  readonly d1_databases?: readonly {
    readonly binding: string
    readonly database_name?: string | undefined
    readonly database_id?: string | undefined
  }[]
  readonly queues?: {
    readonly producers?: readonly { readonly queue: string }[] | undefined
    readonly consumers?: readonly { readonly dead_letter_queue?: string | undefined }[] | undefined
  }
  readonly r2_buckets?: readonly { readonly bucket_name?: string | undefined }[]
}

/** Runs wrangler; `input` goes to its standard input. */
export type RunWrangler = (
  args: readonly string[],
  input?: string
) => Promise<{ readonly exitCode: number; readonly out: string }>

/** Surroundings of a deployment. */
export interface DeployTools {
  readonly wrangler: RunWrangler
  readonly say: (line: string) => void
  /** Replaces the placeholder of a database in the configuration by its id. */
  readonly putDatabaseId: (id: string) => Promise<void>
  /** The secrets that the Worker needs, each with a function that makes its value. */
  readonly secrets: Readonly<Record<string, () => Promise<string>>>
}

/** A step: its description in a sentence, and its action. */
export interface DeployStep {
  readonly does: string
  readonly run: (tools: DeployTools) => Promise<void>
}

export const PLACEHOLDER = '00000000-0000-0000-0000-000000000000'

/** Returns the steps of a configuration in order. It calls nothing. */
export function stepsOf(config: DeployConfig, secrets: readonly string[]): readonly DeployStep[] {
  const [database] = config.d1_databases ?? []
  if (database?.database_name === undefined) {
    throw new Error('The configuration has no D1 database with a database_name.')
  }
  const { binding, database_name: name, database_id: id } = database
  const queues = [
    ...(config.queues?.producers ?? []).map(({ queue }) => queue),
    ...(config.queues?.consumers ?? []).flatMap(({ dead_letter_queue: dead }) => dead ?? []),
  ]
  const buckets = (config.r2_buckets ?? []).flatMap(({ bucket_name: bucket }) => bucket ?? [])
  return [
    ...(id === undefined || id === PLACEHOLDER ? [createDatabase(name)] : []),
    ...[...new Set(queues)].map((queue) =>
      createUnlessThere(
        `the queue ${queue}`,
        ['queues', 'info', queue],
        ['queues', 'create', queue]
      )
    ),
    ...buckets.map((bucket) =>
      createUnlessThere(
        `the bucket ${bucket}`,
        ['r2', 'bucket', 'info', bucket],
        ['r2', 'bucket', 'create', bucket]
      )
    ),
    ...secrets.map(putSecret),
    {
      does: `applies the migrations that ${name} does not have yet`,
      run: async ({ wrangler }) =>
        void (await succeeded(wrangler, ['d1', 'migrations', 'apply', binding, '--remote'])),
    },
    {
      does: 'deploys the Worker',
      run: async ({ wrangler }) => void (await succeeded(wrangler, ['deploy'])),
    },
  ]
}

/** Announces every step, then runs them in order; the first that fails ends it. */
export async function deploy(steps: readonly DeployStep[], tools: DeployTools): Promise<void> {
  announce(steps, tools)
  for (const [index, step] of steps.entries()) {
    tools.say(`${index + 1}/${steps.length} ${step.does}`)
    await step.run(tools)
  }
}

/** Announces every step without running it. */
export function announce(steps: readonly DeployStep[], { say }: Pick<DeployTools, 'say'>): void {
  say('This deployment')
  for (const [index, { does }] of steps.entries()) say(`  ${index + 1}. ${does}`)
}

function createDatabase(name: string): DeployStep {
  return {
    does: `creates the D1 database ${name} unless it is there, and puts its id into the configuration`,
    async run({ wrangler, putDatabaseId }) {
      const found = await databaseId(wrangler, name)
      if (found === null) await succeeded(wrangler, ['d1', 'create', name])
      const id = found ?? (await databaseId(wrangler, name))
      if (id === null) throw new Error(`D1 has no database ${name} after it was created.`)
      await putDatabaseId(id)
    },
  }
}

async function databaseId(wrangler: RunWrangler, name: string): Promise<string | null> {
  const out = await succeeded(wrangler, ['d1', 'list', '--json'])
  const all = JSON.parse(out.slice(out.indexOf('['))) as readonly {
    readonly name: string
    readonly uuid: string
  }[]
  return all.find((database) => database.name === name)?.uuid ?? null
}

function createUnlessThere(
  what: string,
  info: readonly string[],
  create: readonly string[]
): DeployStep {
  return {
    does: `creates ${what} unless it is there`,
    async run({ wrangler }) {
      const { exitCode } = await wrangler(info)
      if (exitCode !== 0) await succeeded(wrangler, create)
    },
  }
}

function putSecret(name: string): DeployStep {
  return {
    does: `makes the secret ${name} unless it is set`,
    async run({ wrangler, secrets }) {
      // Before the first deployment there is no Worker, and so no list.
      const { exitCode, out } = await wrangler(['secret', 'list', '--format', 'json'])
      if (exitCode === 0 && secretNames(out).includes(name)) return
      const value = await secrets[name]?.()
      if (value === undefined) throw new Error(`There is no value for the secret ${name}.`)
      await succeeded(wrangler, ['secret', 'put', name], value)
    },
  }
}

function secretNames(out: string): readonly string[] {
  const list = JSON.parse(out.slice(out.indexOf('['))) as readonly { readonly name: string }[]
  return list.map(({ name }) => name)
}

async function succeeded(
  wrangler: RunWrangler,
  args: readonly string[],
  input?: string
): Promise<string> {
  const { exitCode, out } = await wrangler(args, input)
  if (exitCode === 0) return out
  throw new Error(`wrangler ${args.join(' ')} ended with ${exitCode}:\n${out}`)
}
