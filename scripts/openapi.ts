/**
 * `npm run openapi` writes `openapi.json`: the routes with their inputs, answers and refusals, and examples
 * that a test has recorded. `test/package/openapi.test.ts` compares it.
 *
 * @module
 */
import { writeFile } from 'node:fs/promises'
import { takeNone } from './arguments.ts'
import { DOCUMENT, documentText } from './openapi/document.ts'

takeNone('npm run openapi')
await writeFile(DOCUMENT, await documentText())
