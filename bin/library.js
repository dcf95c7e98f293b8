import { access } from 'node:fs/promises'

/**
 * Loads a part of the library: the build, or the sources where there is no build and Node runs them.
 *
 * @throws {Error} that says how to build, if neither can be loaded.
 *
 * @example
 * ```js
 * const { verifyExport } = await library('proof/index')
 * ```
 */
export async function library(path) {
  const built = new URL(`../dist/${path}.js`, import.meta.url)
  if (await exists(built)) return load(built)
  const source = new URL(`../src/${path}.ts`, import.meta.url)
  if (process.features.typescript && (await exists(source))) return load(source)
  throw new Error(`the package is not built. ${REMEDY}`)
}

const REMEDY = 'Run "npm ci && npm run build" in its directory.'

async function load(module) {
  try {
    return await import(module)
  } catch (error) {
    if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new Error(`a dependency is not installed: ${error.message}. ${REMEDY}`, { cause: error })
  }
}

function exists(url) {
  return access(url).then(
    () => true,
    () => false
  )
}
