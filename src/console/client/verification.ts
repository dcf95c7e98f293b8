import { element, labelled } from './element.ts'
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
export function verification(root: HTMLElement, data: Data): void {
  const { texts, worker, trail } = data
  const pin = `seatgate-trusted-key:${trail}`
  const pinned = trail === undefined ? '' : (localStorage.getItem(pin) ?? '')
  const button = element('button', { class: 'primary' }, filled(texts['verifyStart']))
  const working = element('progress', { 'aria-label': filled(texts['verifyStart']), hidden: true })
  const result = element('div', { role: 'status', class: 'result' })
  const blocks = element('ol', { class: 'blocks' })
  const key = { name: 'key', rows: 2, required: true, spellcheck: 'false' }
  const form = element(
    'form',
    { class: 'stack' },
    labelled(filled(texts['verifyKey']), element('textarea', key, pinned)),
    ...(trail === undefined ? files(texts) : [keep(texts, pinned !== '')]),
    element('p', {}, button),
    working,
    result,
    blocks
  )
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    void start()
  })
  root.replaceChildren(form)
  let read = 0

  async function start(): Promise<void> {
    const fields = new FormData(form)
    if (trail !== undefined) {
      if (fields.get('keep') === null) localStorage.removeItem(pin)
      else localStorage.setItem(pin, fieldIn(fields, 'key'))
    }
    blocks.replaceChildren()
    read = 0
    show({ kind: 'progress', events: 0 })
    const request = await requestOf(fields, data)
    const verifier = new Worker(worker === '' ? inlineWorker() : worker)
    verifier.addEventListener('error', ({ message }) => show({ kind: 'failed', reason: message }))
    verifier.addEventListener('message', (message: MessageEvent<VerifyAnswer>) => {
      show(message.data)
      if (message.data.kind !== 'progress') verifier.terminate()
    })
    // A worker has no origin to name.
    // oxlint-disable-next-line unicorn/require-post-message-target-origin
    verifier.postMessage(request)
  }

  /** Marks the events since the last mark. */
  function mark(through: number, isGood: boolean): void {
    if (through <= read) return
    const { lang } = document.documentElement
    const text = [...new Set([read + 1, through])].map((one) => one.toLocaleString(lang)).join('–')
    const kind = isGood ? 'good' : 'bad'
    blocks.append(element('li', { class: kind }, `${isGood ? '✓' : '✗'} ${text}`))
    read = through
  }

  function show(answer: VerifyAnswer): void {
    const running = answer.kind === 'progress'
    if (answer.kind === 'progress') mark(answer.events, true)
    if (answer.kind === 'proven') mark(answer.proven, true)
    if (answer.kind === 'broken') {
      mark(answer.line - 1, true)
      mark(answer.line, false)
    }
    button.disabled = running
    working.hidden = !running
    result.dataset['result'] = answer.kind
    result.replaceChildren(...shown(answer, texts))
  }
}

async function requestOf(fields: FormData, data: Data): Promise<VerifyRequest> {
  const key = fieldIn(fields, 'key')
  const { checkpointUrl, exportUrl } = data
  return checkpointUrl === undefined || exportUrl === undefined
    ? { key, note: await (fields.get('note') as File).text(), file: fields.get('file') as File }
    : { key, checkpointUrl, exportUrl }
}

function files(texts: IslandTexts): readonly HTMLElement[] {
  const field = (name: string) => element('input', { type: 'file', name, required: true })
  return [
    labelled(filled(texts['verifyFile']), field('file')),
    labelled(filled(texts['verifyNote']), field('note')),
  ]
}

function keep(texts: IslandTexts, checked: boolean): HTMLElement {
  const box = element('input', { type: 'checkbox', name: 'keep', checked })
  return element('label', { class: 'check' }, box, element('span', {}, filled(texts['verifyKeep'])))
}

function shown(answer: VerifyAnswer, texts: IslandTexts): readonly HTMLElement[] {
  const line = (text: string) => element('p', {}, text)
  const good = (text: string) => element('p', { class: 'good' }, `✓ ${text}`)
  const bad = (text: string) => element('p', { class: 'bad' }, `✗ ${text}`)
  switch (answer.kind) {
    case 'progress':
      return [line(filled(texts['verifyReading'], { count: answer.events }))]
    case 'proven': {
      const { proven, younger } = answer
      if (younger === 0) return [good(filled(texts['verifyProven'], { count: proven }))]
      return [
        good(filled(texts['verifyThrough'], { count: proven })),
        line(filled(texts['verifyYounger'], { count: younger })),
      ]
    }
    case 'broken': {
      const { line: at, sequence, finding } = answer
      const kind = filled(texts[`kind_${finding}`] ?? finding)
      return [bad(filled(texts['verifyBroken'], { line: at, sequence, kind }))]
    }
    case 'wrong_key':
      return [bad(filled(texts['verifyWrongKey']))]
    case 'unsealed':
      return [line(filled(texts['verifyUnsealed']))]
    case 'failed':
      return [bad(filled(texts['verifyFailed'], { reason: answer.reason }))]
  }
}

function inlineWorker(): string {
  const code = document.querySelector('#verify-worker')?.textContent ?? ''
  return URL.createObjectURL(new Blob([code], { type: 'text/javascript' }))
}
