/**
 * Time, and what happens when. Nothing runs by itself: one step is taken after the other, in the order
 * of their times, and each has run to its end, microtasks included, before the next.
 *
 * @module
 */

/** A step that is to be taken, and may yet be called off. */
export interface Step {
  readonly at: number
  readonly order: number
  act: (() => void) | null
}

export interface Scheduler {
  /** The time, in ms since 1970. */
  now(): number
  /** Plans a step so many ms from now. */
  after(milliseconds: number, act: () => void): Step
  /** Takes steps until none is left up to then; `until` is asked before each. */
  run(before: number, until?: () => boolean): Promise<void>
  /** Lets time pass in which nothing happens. */
  advance(milliseconds: number): void
  /** Steps taken so far. */
  steps(): number
}

// A year in which the clock of a test has no reason to be.
const START = Date.UTC(2031, 0, 1)

/**
 * Waits until everything that can go on has done so: Node takes what is put off like this when no microtask
 * is left. A turn of its event loop would bring nothing more, since nothing here waits for the system.
 */
export const nothingLeftToDo = () => new Promise<void>((resolve) => process.nextTick(resolve))

export function createScheduler(): Scheduler {
  const heap: Step[] = []
  let now = START
  let order = 0
  let steps = 0
  return {
    now: () => now,
    steps: () => steps,
    advance(milliseconds) {
      now += milliseconds
    },
    after(milliseconds, act) {
      const step: Step = { at: now + Math.max(0, Math.round(milliseconds)), order: order++, act }
      push(heap, step)
      return step
    },
    async run(before, until = () => false) {
      await nothingLeftToDo()
      while (!until()) {
        const next = heap[0]
        if (next === undefined || next.at > before) break
        pop(heap)
        if (next.act === null) continue
        // What was due while nothing happened comes now.
        now = Math.max(now, next.at)
        steps += 1
        next.act()
        await nothingLeftToDo()
      }
      if (!until()) now = Math.max(now, Number.isFinite(before) ? before : now)
    },
  }
}

function earlier(a: Step, b: Step): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order)
}

function push(heap: Step[], step: Step): void {
  let at = heap.length
  while (at > 0) {
    const above = (at - 1) >> 1
    if (!earlier(step, heap[above]!)) break
    heap[at] = heap[above]!
    at = above
  }
  heap[at] = step
}

function pop(heap: Step[]): void {
  const last = heap.pop()!
  if (heap.length === 0) return
  let at = 0
  for (;;) {
    let below = 2 * at + 1
    if (below >= heap.length) break
    if (below + 1 < heap.length && earlier(heap[below + 1]!, heap[below]!)) below += 1
    if (!earlier(heap[below]!, last)) break
    heap[at] = heap[below]!
    at = below
  }
  heap[at] = last
}
