/**
 * Reads the arguments of the project's scripts. A wrong one ends the script with exit code 2 and a
 * message that names it: a run that does nothing must not look like one that found nothing.
 *
 * @module
 */
import { closeSync, openSync } from 'node:fs'
import { parseArgs } from 'node:util'

/** An argument that a script does not take. Its message names the argument. */
export class WrongArgument extends Error {
  override readonly name = 'WrongArgument'
}

/** Reads arguments; prints what is wrong and the usage, and ends the process with 2, if one is wrong. */
export function readArguments<T>(usage: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!isAboutArguments(error)) throw error
    console.error(`${error.message}\n\nUsage: ${usage}`)
    process.exit(2)
  }
}

/** Whether an error says that an argument is wrong. */
export function isAboutArguments(error: unknown): error is Error {
  if (error instanceof WrongArgument) return true
  const code = error instanceof TypeError && 'code' in error ? String(error.code) : ''
  return code.startsWith('ERR_PARSE_ARGS')
}

/** For a script that takes no arguments. */
export function takeNone(usage: string): void {
  readArguments(usage, () => parseArgs({ options: {} }))
}

/** Reads a whole number in decimal digits. */
export function wholeNumber(
  name: string,
  text: string,
  { from = 0, to = Number.MAX_SAFE_INTEGER }: { readonly from?: number; readonly to?: number } = {}
): number {
  const number = /^\d+$/.test(text) ? Number(text) : NaN
  if (number >= from && number <= to) return number
  const range = to === Number.MAX_SAFE_INTEGER ? `from ${from}` : `from ${from} to ${to}`
  throw new WrongArgument(`${name} must be a whole number ${range}, not "${text}".`)
}

/** Reads one of a few names. */
export function oneOf<T extends string>(name: string, text: string, names: readonly T[]): T {
  const found = names.find((one) => one === text)
  if (found !== undefined) return found
  throw new WrongArgument(`${name} must be one of ${names.join(', ')}, not "${text}".`)
}

/** Checks that a file can be written, before hours of work are to go into it. */
export function writableFile(name: string, path: string): string {
  try {
    closeSync(openSync(path, 'a'))
    return path
  } catch (error) {
    throw new WrongArgument(`${name} cannot be written: ${(error as Error).message}`)
  }
}
