import { isAboutArguments, wholeNumber, WrongArgument } from './arguments.ts'
import { startWorker } from './local-worker.ts'
import { onceToldToEnd } from './lifetime.ts'

const DEFAULT_PORT = 8787

/** Serves the worker until it is told to end. Resolves to the exit code. */
export async function dev(args: readonly string[], config?: string): Promise<number> {
  const flags = [...args]
  const given = takeFlag(flags, '--port') ?? String(DEFAULT_PORT)
  const port = wholeNumber('--port', given, { from: 1, to: 65_535 })
  const ip = takeFlag(flags, '--ip')
  const persistTo = takeFlag(flags, '--persist-to')
  const env = takeFlag(flags, '--env', '-e')
  const otherConfig = takeFlag(flags, '--config', '-c') ?? config

  let isServing = false
  const told = new Promise<void>((resolve) => {
    // Before it serves there is nothing to end in good order.
    onceToldToEnd((exitCode) => (isServing ? resolve() : process.exit(exitCode)))
  })

  let unknown: string | undefined
  const worker = await startWorker({
    port,
    flags,
    onLine(line) {
      unknown ??= /Unknown arguments?: .*/.exec(line)?.[0]
      console.log(line)
    },
    ...(ip !== undefined && { ip }),
    ...(persistTo !== undefined && { persistTo }),
    ...(env !== undefined && { env }),
    ...(otherConfig !== undefined && { config: otherConfig }),
  }).catch((error: unknown) => {
    // Other flags are wrangler's: it knows which there are.
    throw unknown === undefined ? error : new WrongArgument(unknown)
  })
  isServing = true
  console.log(welcome(worker.url))

  const exitCode = await Promise.race([told.then(() => 0), worker.ended.then(() => 1)])
  if (exitCode !== 0) console.error('wrangler ended by itself')
  await worker.stop()
  return exitCode
}

function takeFlag(flags: string[], ...names: string[]): string | undefined {
  let value: string | undefined
  for (let index = 0; index < flags.length;) {
    const [name, ...inline] = flags[index]!.split('=')
    if (!names.includes(name!)) {
      index += 1
    } else if (inline.length > 0) {
      value = inline.join('=')
      flags.splice(index, 1)
    } else {
      value = flags[index + 1]
      if (value === undefined) throw new WrongArgument(`${name} needs a value.`)
      flags.splice(index, 2)
    }
  }
  return value
}

function welcome(url: string): string {
  const json = `-H 'content-type: application/json'`
  const bearer = `-H "authorization: Bearer $TOKEN"`
  const pick = (field: string) => String.raw`sed -n 's/^[^}]*"${field}":"\([^"]*\)".*/\1/p'`
  // The data outlives the process: pasted again, these must not collide with the last time.
  const account = `{"email":"ada-'$(date +%s)'@example.com","password":"correct horse battery"}`
  const invitation = `{"email":"ben-'$(date +%s)'@example.com","role":"member"}`
  const organization = `{"name":"Analytical Engines '$(date +%s)'"}`
  return `
Seatgate is ready on ${url}

Open it in a browser, or by HTTP: sign up, create an organization, invite somebody (the mail is printed
here), read the seats:

  TOKEN=$(curl -s ${url}/identity/sign-up ${json} -d '${account}' | sed -n 's/.*"token":"\\([^"]*\\)".*/\\1/p')
  ORG=$(curl -s ${url}/organizations ${bearer} ${json} -d '${organization}' | ${pick('id')})
  INVITED=$(curl -s ${url}/organizations/$ORG/invitations ${bearer} ${json} -d '${invitation}')
  curl -s ${url}/organizations/$ORG/seats ${bearer}

The provider of development sells seats: checkout_completed, quantity, payment_failed, payment_succeeded, canceled, and
advance for its clock:

  curl -s ${url}/dev/billing/$ORG ${json} -d '{"event":"checkout_completed","plan":"team","seats":5}'
  curl -s ${url}/dev/billing/$ORG ${json} -d '{"event":"payment_failed"}'
  curl -s ${url}/dev/billing/$ORG ${json} -d '{"event":"advance","days":8}'
  curl -s ${url}/organizations/$ORG/billing ${bearer}

Ctrl-C stops it.
`
}

if (import.meta.main) {
  try {
    process.exitCode = await dev(process.argv.slice(2))
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = isAboutArguments(error) ? 2 : 1
  }
}
