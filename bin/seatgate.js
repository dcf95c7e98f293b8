#!/usr/bin/env node
/**
 * The command of the package: makes keys for audit logs, and verifies exports of trails.
 *
 * @module
 */
import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { generateLogKey, openCheckpoint, verifyExport } from '../dist/proof/index.js'

const USAGE = `seatgate verify EXPORT.ndjson --key PUBLIC_KEY --checkpoint FILE [--checkpoint FILE …]
  Verifies a whole export of a trail against signed checkpoints. Several may be given: the more,
  the closer is told where something was rewritten. Ends with 0 if all is well, 1 if it is not.

seatgate keygen NAME
  Makes the key pair with which checkpoints are signed: auditLogKey, and the public key to verify.
`

const FOUND = {
  unreadable: 'is no event',
  sequence: 'is not the event that is due: one is missing, one too many, or out of order',
  organization: 'belongs to another organization than the rest, or than the checkpoint',
  altered: 'is not what was sealed',
  personal: 'has personal data that the event does not commit to',
  root: 'or one between it and the last that is proven is not what the checkpoint has',
  horizon:
    'is said to be the last that retention took, but no event says so, or no checkpoint reaches it',
  truncated: 'is missing: the checkpoint has more events',
  incomplete: 'is not the end of a complete export: it broke off, was cut off or filtered',
}

process.exitCode = await main(process.argv.slice(2))

async function main(words) {
  let read
  try {
    read = parseArgs({
      args: words,
      allowPositionals: true,
      options: {
        key: { type: 'string', multiple: true, default: [] },
        checkpoint: { type: 'string', multiple: true, default: [] },
      },
    })
  } catch (error) {
    return fail(`${error.message}\n\n${USAGE}`)
  }
  const [command, subject, ...rest] = read.positionals
  if (rest.length > 0 || subject === undefined) return fail(USAGE)
  try {
    if (command === 'keygen') return await keygen(subject)
    if (command === 'verify') return await verify(subject, read.values)
  } catch (error) {
    return fail(`${error.message}\n`)
  }
  return fail(USAGE)
}

async function keygen(name) {
  const { privateKey, publicKey } = await generateLogKey(name)
  process.stdout.write(`auditLogKey (secret): ${privateKey}\npublic key:           ${publicKey}\n`)
  return 0
}

async function verify(file, { key, checkpoint }) {
  if (key.length === 0 || checkpoint.length === 0) return fail(USAGE)
  const checkpoints = []
  for (const path of checkpoint) {
    const opened = await openCheckpoint(noteIn(await readFile(path, 'utf8')), key)
    if (opened === null) return fail(`${path}: not a checkpoint that this key has signed.\n`)
    checkpoints.push(opened)
  }
  const input = createReadStream(file, 'utf8')
  const failed = new Promise((_, reject) => input.once('error', reject))
  const lines = createInterface({ input, crlfDelay: Infinity })
  const { organizationId, horizon, events, proven, finding } = await Promise.race([
    verifyExport(lines, checkpoints),
    failed,
  ])
  if (finding !== null) {
    const { kind, line, sequence } = finding
    return fail(`FAILED (${kind}): line ${line}, sequence ${sequence}, ${FOUND[kind]}.\n`)
  }
  const behind = horizon > 0 ? `, from ${horizon + 1} on` : ''
  const younger = events - proven
  process.stdout.write(
    `OK: ${events} events of ${organizationId}${behind}, ${proven} of them proven` +
      `${younger > 0 ? `, ${younger} younger than the last checkpoint` : ''}.\n`
  )
  return 0
}

// As it is published, or as `GET …/audit/checkpoint` answers it.
function noteIn(text) {
  if (!text.trimStart().startsWith('{')) return text
  return JSON.parse(text).checkpoint ?? ''
}

function fail(text) {
  process.stderr.write(text)
  return 1
}
