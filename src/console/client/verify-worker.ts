import { exportLines, openCheckpoint, verifyExport } from '../../proof/index.ts'
import type { VerifyAnswer, VerifyRequest } from './verify-protocol.ts'

const PROGRESS_MS = 200

addEventListener('message', ({ data }: MessageEvent<VerifyRequest>) => {
  void verify(data).then(tell, (error: unknown) => tell({ kind: 'failed', reason: String(error) }))
})

function tell(answer: VerifyAnswer): void {
  // A worker has no origin to name.
  // oxlint-disable-next-line unicorn/require-post-message-target-origin
  globalThis.postMessage(answer)
}

async function verify(request: VerifyRequest): Promise<VerifyAnswer> {
  const note = 'note' in request ? request.note : await noteFrom(request.checkpointUrl)
  if (note === null) return { kind: 'unsealed' }
  const checkpoint = await openCheckpoint(note, [request.key.trim()])
  if (checkpoint === null) return { kind: 'wrong_key' }
  const bytes = 'file' in request ? request.file.stream() : await exportFrom(request.exportUrl)
  const { finding, events, proven } = await verifyExport(counted(exportLines(chunks(bytes))), [
    checkpoint,
  ])
  return finding === null
    ? { kind: 'proven', proven, younger: events - proven }
    : { kind: 'broken', finding: finding.kind, line: finding.line, sequence: finding.sequence }
}

async function noteFrom(url: string): Promise<string | null> {
  const { checkpoint } = (await (await answered(url)).json()) as { checkpoint: string | null }
  return checkpoint
}

async function exportFrom(url: string): Promise<ReadableStream<Uint8Array>> {
  const { body } = await answered(url)
  if (body === null) throw new Error('The export is empty.')
  return body
}

async function answered(url: string): Promise<Response> {
  const response = await fetch(url, { credentials: 'same-origin', redirect: 'error' })
  if (!response.ok) throw new Error(`HTTP ${response.status}`)
  return response
}

// Not every browser iterates over a stream.
async function* chunks(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    yield value
  }
}

async function* counted(lines: AsyncIterable<string>): AsyncGenerator<string> {
  let events = 0
  let last = Date.now()
  for await (const line of lines) {
    yield line
    events += 1
    if (Date.now() - last < PROGRESS_MS) continue
    last = Date.now()
    tell({ kind: 'progress', events })
  }
}
