import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { copyName, copyOf, ownMigrations, readCopy, sqlIn, withoutNumber } from '../migrations.js'

export const usage = `seatgate migrations DIR [--from NNNN]
  Writes the migrations of Seatgate into the directory DIR, behind your own and with the numbers that
  follow, as NNNN_seatgate_NAME.sql. Run it again after each update of seatgate: it writes only what is
  new, and fails without writing anything if a file that it wrote was changed.
  --from is the number of the first file that it writes.
`

export const operands = ['DIR']

export const options = { from: { type: 'string' } }

export function run([directory], { from }) {
  const files = sqlIn(directory)
  const copies = files.map(readCopy)
  const own = ownMigrations()
  const wrong = copies.flatMap((copy) => faultOf(copy, own))
  if (wrong.length > 0) throw new Error(wrong.map((text) => `${directory}/${text}`).join('\n'))

  const there = new Set(copies.map(({ hash }) => hash))
  const missing = own.filter(({ hash }) => !there.has(hash))
  const names = numbered(missing, files, copies, from)
  const { version } = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  )
  mkdirSync(directory, { recursive: true })
  missing.forEach((migration, index) => {
    writeFileSync(join(directory, names[index]), copyOf(migration, version), { flag: 'wx' })
    process.stdout.write(`new  ${join(directory, names[index])}\n`)
  })
  process.stdout.write(report(directory, version, missing.length, own.length))
  return 0
}

function report(directory, version, count, all) {
  if (count === 0)
    return `Nothing is new: ${directory} has all ${all} migrations of seatgate ${version}.\n`
  return (
    `${count} of the ${all} migrations of seatgate ${version} are new. ` +
    'Commit them, and apply them before you deploy:\n' +
    '  npx wrangler d1 migrations apply DB --remote   (--local: the local database)\n'
  )
}

// The file that records the version is another one in each version.
const VERSION = 'schema.sql'

const REMEDY =
  'A migration that was applied must stay as it is. Restore the file from your version control; put ' +
  'changes of your own into a migration of your own.'

/** Why a file is not what this command wrote, or cannot go together with this version. */
function faultOf({ file, origin, hash }, own) {
  if (origin === null)
    return isUnknownCopy(file, hash, own) ? [`${file} was changed. ${REMEDY}`] : []
  if (origin.hash !== hash) return [`${file} was changed since it was written. ${REMEDY}`]
  const name = withoutNumber(origin.name)
  const same = own.find((migration) => withoutNumber(migration.name) === name)
  if (same === undefined || same.hash === hash || name === VERSION) return []
  return [
    `${file} was written by seatgate ${origin.version}, and this version has another text for it. ` +
      'If no database has it, delete it and run this again; otherwise use the version that wrote it.',
  ]
}

// Its first line is gone, and it is none of ours any more.
function isUnknownCopy(file, hash, own) {
  const name = /^\d+_seatgate_(.*)$/.exec(file)?.[1]
  const named = own.some((migration) => withoutNumber(migration.name) === name)
  return named && !own.some((migration) => migration.hash === hash)
}

const NUMBER = /^(\d+)[_-]/

/** The names of the files to be written. */
function numbered(missing, files, copies, from) {
  if (from !== undefined && !/^\d+$/.test(from)) {
    throw new Error(`--from is a number, such as 0042, not "${from}".`)
  }
  const digits = files.map(({ name }) => NUMBER.exec(name)?.[1] ?? '')
  const last = digits.reduce((most, each) => (BigInt(each) > BigInt(most) ? each : most), '')
  // Numbers of a time in milliseconds have more digits than a Number keeps.
  const first = BigInt(from ?? BigInt(last) + 1n)
  const width = Math.max(from?.length ?? 0, last.length || 4)
  const numbers = missing.map((_, index) => String(first + BigInt(index)).padStart(width, '0'))
  if (numbers.length > 0) refuseNumbers(numbers, { digits, copies, width })
  return missing.map((migration, index) => copyName(numbers[index], migration))
}

function refuseNumbers(numbers, { digits, copies, width }) {
  const taken = digits.filter((each) => each !== '').map(BigInt)
  const twice = numbers.find((number) => taken.includes(BigInt(number)))
  if (twice !== undefined) {
    throw new Error(
      `the number ${twice} is taken. Give a higher one, such as --from ${highest(taken) + 1n}.`
    )
  }
  const latest = highest(
    copies.filter(({ origin }) => origin !== null).map(({ file }) => NUMBER.exec(file)?.[1] ?? '')
  )
  if (BigInt(numbers[0]) < latest) {
    throw new Error(
      `--from must be above ${latest}, the last migration of Seatgate there: they are applied in order.`
    )
  }
  if (numbers.at(-1).length > width) {
    const [after, before] = [`1${'0'.repeat(width)}`, '9'.repeat(width)]
    throw new Error(
      `there are not enough numbers of ${width} digits: ${after} is sorted before ${before}. Rename your files to more digits.`
    )
  }
}

const highest = (numbers) => numbers.map(BigInt).reduce((a, b) => (a > b ? a : b), 0n)
