import { files, names } from '#console-assets'
import { titleOf } from '../hono/problem.ts'
import { english, type Catalogue } from './texts/en.ts'

/** The scripts and styles of a console, and its texts in English. */
export interface ConsoleFiles {
  /** Returns the text of a file by its name with the hash. Null if there is no such file. */
  read(name: string): Promise<string | null>
  /** Returns the texts. */
  english(): Promise<Catalogue>
}

/** The files as they are in this package: the Worker contains them. */
export const ownFiles: ConsoleFiles = {
  read: (name) => Promise.resolve(Object.hasOwn(files, name) ? (files[name] ?? null) : null),
  english: () => Promise.resolve(english),
}

/** A binding of static assets, or anything else that answers a request for a file. */
export interface FileSource {
  fetch(request: Request): Promise<Response>
}

const ENGLISH = 'english.json'

/** Returns the files in a binding of static assets. */
export function filesIn(source: FileSource): ConsoleFiles {
  const known = new Set(Object.values(names))
  let catalogue: Promise<Catalogue> | null = null
  async function read(name: string): Promise<string | null> {
    if (!known.has(name)) return null
    // The binding ignores the host.
    const response = await source.fetch(new Request(`https://assets.invalid/${name}`))
    if (response.ok) return response.text()
    throw new Error(`The assets have no file ${name}: is their directory that of seatgate/console?`)
  }
  async function load(): Promise<Catalogue> {
    const text = (await read(names[ENGLISH] ?? '')) ?? ''
    return { ...(JSON.parse(text) as Omit<Catalogue, 'refusal'>), refusal: titleOf }
  }
  return {
    read,
    english() {
      // A failure is not kept: the next page reads them again.
      catalogue ??= load().catch((error: unknown) => {
        catalogue = null
        throw error
      })
      return catalogue
    },
  }
}
