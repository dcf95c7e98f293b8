import { constants, createReadStream } from 'node:fs'
import { access } from 'node:fs/promises'
import { library } from '../library.js'

export const usage = `seatgate verify EXPORT.ndjson --key PUBLIC_KEY --checkpoint FILE [--checkpoint FILE …]
  Verifies a whole NDJSON export of a trail against signed checkpoints. Several may be given: the
  more, the closer is told where something was rewritten. A checkpoint file holds the signed note, or
  the JSON that GET …/audit/checkpoint answers.
  Exit codes: 0 if the export verifies; 1 if it does not, if a file cannot be read, or if the command
  was called wrongly.
`

export const operands = ['EXPORT.ndjson']

export const options = {
  key: { type: 'string', multiple: true, default: [] },
  checkpoint: { type: 'string', multiple: true, default: [] },
}

const FOUND = {
  unreadable:
    'is not an event as an export has it: not a JSON object, or not UTF-8, or with a duplicate key, ' +
    'a number in another notation, too many levels or too many bytes',
  sequence: 'is not the event that is due: one is missing, one too many, or out of order',
  organization: 'belongs to another organization than the rest, or than the checkpoint',
  altered: 'is not what was sealed',
  personal: 'has personal data that the event does not commit to',
  root: 'or one between it and the last that is proven is not what the checkpoint has',
  horizon:
    'is said to be the last that retention took, but no checkpoint covers it and the event that records it. ' +
    'If the run was recent, use a later checkpoint',
  truncated: 'is missing: the checkpoint has more events',
  incomplete: 'is not the end of a complete export: it broke off, was cut off or filtered',
  unproven: 'cannot be proven, nor can any other event: no checkpoint covers one of them',
}

const LARGEST_CHECKPOINT = 1024 * 1024

export async function run([file], { key, checkpoint }) {
  const missing = [
    ...(key.length === 0 ? ['--key is missing.'] : []),
    ...(checkpoint.length === 0 ? ['--checkpoint is missing.'] : []),
  ]
  if (missing.length > 0) return wrong([...missing, ...(await unreadable(file))])
  const proof = await library('proof/index')
  const checkpoints = []
  for (const path of checkpoint) {
    const opened = await proof.openCheckpoint(await noteIn(path), key)
    if (opened === null) throw new Error(`${path}: not a checkpoint that this key has signed.`)
    checkpoints.push(opened)
  }
  const lines = proof.exportLines(createReadStream(file))
  const verified = await proof.verifyExport(lines, checkpoints).catch((error) => {
    throw named(file, error)
  })
  return verified.finding === null ? passed(verified, checkpoints) : failed(verified.finding)
}

function passed({ organizationId, horizon, events, proven }, checkpoints) {
  const younger = events - proven
  const older = checkpoints.filter(({ size }) => size < horizon).length
  const told = [
    `${events} events of ${organizationId}`,
    ...(horizon > 0 ? [`from ${horizon + 1} on`] : []),
    `${proven} of them proven`,
    ...(younger > 0 ? [`${younger} younger than the last checkpoint`] : []),
    ...(older > 0 ? [`not checked: ${older} checkpoint(s) older than the first event`] : []),
  ]
  process.stdout.write(`OK: ${told.join(', ')}.\n`)
  return 0
}

function failed({ kind, line, sequence }) {
  process.stderr.write(`FAILED (${kind}): line ${line}, sequence ${sequence}, ${FOUND[kind]}.\n`)
  return 1
}

function wrong(reasons) {
  process.stderr.write(`${reasons.map((reason) => `seatgate: ${reason}\n`).join('')}\n${usage}`)
  return 1
}

async function unreadable(file) {
  const error = await access(file, constants.R_OK).catch((error) => error)
  return error ? [named(file, error).message] : []
}

// The signed note, whatever an editor or a shell did to the ends of its lines.
async function noteIn(path) {
  const text = await textOf(path)
  const note = text.trimStart().startsWith('{') ? noteInAnswer(path, text) : text
  return note.replaceAll('\r\n', '\n').replace(/\n*$/, '\n')
}

function noteInAnswer(path, text) {
  try {
    const { checkpoint } = JSON.parse(text)
    if (typeof checkpoint === 'string') return checkpoint
  } catch {
    // Told below.
  }
  throw new Error(`${path}: not a checkpoint.`)
}

async function textOf(path) {
  const bytes = await bytesOf(path).catch((error) => {
    throw named(path, error)
  })
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new Error(`${path}: not a checkpoint: it is not text in UTF-8.`)
  }
}

async function bytesOf(path) {
  const chunks = []
  let size = 0
  for await (const chunk of createReadStream(path)) {
    size += chunk.length
    if (size > LARGEST_CHECKPOINT) throw new Error('too large to be a checkpoint.')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function named(path, error) {
  return new Error(`${path}: ${error.message}`)
}
