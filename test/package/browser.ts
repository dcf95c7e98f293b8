/**
 * What a browser makes of the package: bundled as for one, with the web's globals and no others.
 *
 * @module
 */
import { createContext, runInContext } from 'node:vm'
import { build } from 'esbuild'

// As the standards name them; everything else that Node has is not there.
const WEB = { atob, btoa, crypto, TextDecoder, TextEncoder, URL }

/**
 * Runs a module's code as a script of a page. The code's `answer` is what it comes to, and it may have
 * what is handed in.
 */
export async function inBrowser(
  directory: string,
  code: string,
  handedIn: Readonly<Record<string, unknown>>
): Promise<unknown> {
  const { outputFiles, warnings } = await build({
    stdin: { contents: `${code}\nglobalThis.answer = answer`, resolveDir: directory },
    bundle: true,
    write: false,
    platform: 'browser',
    format: 'esm',
    target: 'es2023',
    logLevel: 'silent',
  })
  if (warnings.length > 0) throw new Error(warnings.map(({ text }) => text).join('\n'))
  const text = outputFiles[0]?.text ?? ''
  const page = createContext({ ...WEB, handedIn: JSON.stringify(handedIn) })
  // A module's top level may await, a script's may not.
  await runInContext(`(async () => { ${text} })()`, page)
  return JSON.parse(runInContext('JSON.stringify(answer)', page) as string)
}
