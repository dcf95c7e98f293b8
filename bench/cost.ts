/** What was asked of the stores. */
export interface Count {
  /** Requests to D1; a batch is one. */
  readonly trips: number
  readonly statements: number
  readonly rowsRead: number
  readonly rowsWritten: number
  readonly objectCalls: number
  readonly objectRowsRead: number
  /** Alarms included: setting one is billed as a row. */
  readonly objectRowsWritten: number
  /** Sent to a queue. */
  readonly messages: number
}

/** What one operation costs: until its answer, and after it. */
export interface Cost {
  /** Trips that had to wait for one another until the answer. */
  readonly inSequence: number
  readonly answer: Count
  readonly after: Count
}

/**
 * Cloudflare's published rates beyond what a plan includes, in dollars for a million, and the pages that
 * have them. An operation of a queue is a write, a read or a deletion of up to 64 KB.
 */
export const RATES = {
  request: { of: 'requests to a Worker', dollars: 0.3, page: 'workers' },
  d1RowRead: { of: 'rows read in D1', dollars: 0.001, page: 'd1' },
  d1RowWritten: { of: 'rows written in D1', dollars: 1, page: 'd1' },
  objectRequest: { of: 'calls of a Durable Object', dollars: 0.15, page: 'durable-objects' },
  objectRowRead: { of: 'rows read in a Durable Object', dollars: 0.001, page: 'durable-objects' },
  objectRowWritten: { of: 'rows written in a Durable Object', dollars: 1, page: 'durable-objects' },
  queueOperation: { of: 'operations of a queue', dollars: 0.4, page: 'queues' },
} as const

/** When the pages said so. */
export const RATES_AS_OF = '2026-11-30'

// A message is written, read and deleted.
const OPERATIONS_OF_A_MESSAGE = 3

/** The price of a million of an operation in dollars, without CPU, duration and storage. */
export function priceOfAMillion({ answer, after }: Cost): number {
  const total = (of: (count: Count) => number) => of(answer) + of(after)
  return (
    RATES.request.dollars +
    RATES.d1RowRead.dollars * total(({ rowsRead }) => rowsRead) +
    RATES.d1RowWritten.dollars * total(({ rowsWritten }) => rowsWritten) +
    RATES.objectRequest.dollars * total(({ objectCalls }) => objectCalls) +
    RATES.objectRowRead.dollars * total(({ objectRowsRead }) => objectRowsRead) +
    RATES.objectRowWritten.dollars * total(({ objectRowsWritten }) => objectRowsWritten) +
    RATES.queueOperation.dollars * OPERATIONS_OF_A_MESSAGE * total(({ messages }) => messages)
  )
}
