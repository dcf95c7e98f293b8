import { useState } from 'hono/jsx/dom'
import { fieldIn, filled, type IslandTexts } from './island-texts.ts'
import type { VerifyAnswer, VerifyRequest } from './verify-protocol.ts'

interface Data {
  readonly texts: IslandTexts
  /** The address of the worker's script; empty: it is an element of this page. */
  readonly worker: string
  readonly checkpointUrl?: string
  readonly exportUrl?: string
  /** The name under which the browser remembers the key. */
  readonly trail?: string
}

/** Verifies a trail in a worker, with a key that the reader has from elsewhere. */
export function Verification({ texts, worker, checkpointUrl, exportUrl, trail }: Data) {
  const pin = `seatgate-trusted-key:${trail}`
  const pinned = trail === undefined ? '' : (localStorage.getItem(pin) ?? '')
  const [answer, setAnswer] = useState<VerifyAnswer | null>(null)
  const running = answer?.kind === 'progress'

  const start = async (event: Event) => {
    event.preventDefault()
    const form = new FormData(event.target as HTMLFormElement)
    const key = fieldIn(form, 'key')
    if (trail !== undefined) {
      if (form.get('keep') === null) localStorage.removeItem(pin)
      else localStorage.setItem(pin, key)
    }
    setAnswer({ kind: 'progress', events: 0 })
    const request: VerifyRequest =
      checkpointUrl === undefined || exportUrl === undefined
        ? { key, note: await (form.get('note') as File).text(), file: form.get('file') as File }
        : { key, checkpointUrl, exportUrl }
    const verifier = new Worker(worker === '' ? inlineWorker() : worker)
    verifier.addEventListener('error', ({ message }) =>
      setAnswer({ kind: 'failed', reason: message })
    )
    verifier.addEventListener('message', ({ data }: MessageEvent<VerifyAnswer>) => {
      setAnswer(data)
      if (data.kind !== 'progress') verifier.terminate()
    })
    // A worker has no origin to name.
    // oxlint-disable-next-line unicorn/require-post-message-target-origin
    verifier.postMessage(request)
  }

  return (
    <form class="stack" onSubmit={(event: Event) => void start(event)}>
      <label class="field">
        <span>{texts['verifyKey']}</span>
        <textarea name="key" rows={2} required spellcheck={false}>
          {pinned}
        </textarea>
      </label>
      {trail === undefined ? (
        <>
          <label class="field">
            <span>{texts['verifyFile']}</span>
            <input type="file" name="file" required />
          </label>
          <label class="field">
            <span>{texts['verifyNote']}</span>
            <input type="file" name="note" required />
          </label>
        </>
      ) : (
        <label class="check">
          <input type="checkbox" name="keep" checked={pinned !== ''} />
          <span>{texts['verifyKeep']}</span>
        </label>
      )}
      <p>
        <button class="primary" disabled={running}>
          {texts['verifyStart']}
        </button>
      </p>
      {running && <progress aria-label={texts['verifyStart']} />}
      <div role="status" class="result" data-result={answer?.kind ?? ''}>
        {answer && <Shown answer={answer} texts={texts} />}
      </div>
    </form>
  )
}

function Shown({ answer, texts }: { answer: VerifyAnswer; texts: IslandTexts }) {
  switch (answer.kind) {
    case 'progress':
      return <p>{filled(texts['verifyReading'], { count: answer.events })}</p>
    case 'proven': {
      const { proven, younger } = answer
      return (
        <>
          <p class="good">✓ {filled(texts['verifyProven'], { count: proven })}</p>
          {younger > 0 && <p>{filled(texts['verifyYounger'], { count: younger })}</p>}
        </>
      )
    }
    case 'broken': {
      const { line, sequence, finding } = answer
      const kind = texts[`kind_${finding}`] ?? finding
      return <p class="bad">✗ {filled(texts['verifyBroken'], { line, sequence, kind })}</p>
    }
    case 'wrong_key':
      return <p class="bad">✗ {texts['verifyWrongKey']}</p>
    case 'unsealed':
      return <p>{texts['verifyUnsealed']}</p>
    case 'failed':
      return <p class="bad">✗ {filled(texts['verifyFailed'], { reason: answer.reason })}</p>
  }
}

function inlineWorker(): string {
  const code = document.querySelector('#verify-worker')?.textContent ?? ''
  return URL.createObjectURL(new Blob([code], { type: 'text/javascript' }))
}
