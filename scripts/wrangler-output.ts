import { stripVTControlCharacters } from 'node:util'

const NOISE = [
  /^\s*⛅️ wrangler /,
  /^[─-]+$/,
  /^⎔ (Starting local server|Connection status updated)/,
  /^\[wrangler:info\] Ready on /,
  // The probe that waits for the worker, over and over.
  /^\[wrangler:info\] GET \/healthz 200 /,
  /^If you think this is a bug then please create an issue at/,
  /^Note that there is a newer version of Wrangler/,
]

// Each of these opens a paragraph that goes on for as long as the second pattern matches.
const NOISY_PARAGRAPHS: readonly (readonly [RegExp, RegExp])[] = [
  [/^Your Worker has access to the following bindings:/, /^(Binding\s|env\.|\s*$)/],
  [/Scheduled Workers are not automatically triggered/, /^(\s|$)/],
]

/** Cuts text into lines and hands on those that tell a developer something. */
export function wranglerOutput(onLine: (line: string) => void): (text: string) => void {
  let rest = ''
  let skipping: RegExp | undefined
  let lastWasBlank = true

  function take(line: string) {
    const plain = stripVTControlCharacters(line).trimEnd()
    if (skipping?.test(plain)) return
    skipping = NOISY_PARAGRAPHS.find(([first]) => first.test(plain))?.[1]
    if (skipping !== undefined || NOISE.some((noise) => noise.test(plain))) return
    if (plain === '' && lastWasBlank) return
    lastWasBlank = plain === ''
    onLine(plain.replace(/^\[wrangler:(info|error)\] /, ''))
  }

  return (text) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    lines.forEach(take)
  }
}
