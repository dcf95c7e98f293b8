/**
 * Trips that wait until somebody lets them go: for those who try every order.
 *
 * @module
 */
import { crash, Disconnected, type Isolate, type Trip } from './network.ts'

/** `late`: the sender is told that it failed, and it stays under way. `lost`: nothing of it stays. */
export type Fate = 'arrives' | 'crashes before' | 'crashes after' | 'late' | 'lost'

/** A trip that waits. */
export interface Held {
  readonly isolate: Isolate
  readonly label: string
  /** Its isolate's name and its number there: the same, whatever others do meanwhile. */
  readonly name: string
  readonly to: Trip<unknown>['to']
  readonly writes: boolean
  readonly late: boolean
  go(fate: Fate): void
}

export interface Stepping {
  /** What may happen next, in the order in which it came about. */
  readonly held: Held[]
  /** Everything that an isolate was told so far. */
  readonly told: Map<string, string>
  offer<T>(isolate: Isolate, trip: Trip<T>): Promise<T>
  /** Forgets everything that was under way. */
  forget(): void
}

export function createStepping(): Stepping {
  const held: Held[] = []
  const told = new Map<string, string>()
  const made = new Map<string, number>()
  const tell = ({ name }: Isolate, what: string) =>
    told.set(name, `${told.get(name) ?? ''} ${what}`)

  const offer = <T>(isolate: Isolate, trip: Trip<T>): Promise<T> => {
    const { to, what, writes = true, arrive } = trip
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    const number = (made.get(isolate.name) ?? 0) + 1
    made.set(isolate.name, number)
    const name = `${isolate.name} ${number}`
    const label = `${isolate.name}: ${to} ${what}`
    const take = (waiting: Held) => held.splice(held.indexOf(waiting), 1)
    const attempt = async (awaited: boolean) => arrive(awaited)
    const wait = (late: boolean) => {
      const waiting: Held = {
        isolate,
        label,
        name,
        to,
        writes,
        late,
        go(fate) {
          take(waiting)
          if (fate === 'crashes before') return crash(isolate)
          if (fate === 'late' || fate === 'lost') {
            tell(isolate, 'nothing')
            if (fate === 'late') wait(true)
            return reject(new Disconnected())
          }
          const arriving = attempt(!late && isolate.alive)
          if (fate === 'crashes after') {
            crash(isolate)
            arriving.catch(() => {})
            return
          }
          arriving.then(
            (value) => {
              if (late || !isolate.alive) return
              tell(isolate, JSON.stringify(value))
              resolve(value)
            },
            (error: Error) => {
              if (late || !isolate.alive) return
              tell(isolate, error.message)
              reject(error)
            }
          )
        },
      }
      held.push(waiting)
    }
    if (isolate.alive) wait(false)
    return promise
  }
  const forget = () => {
    held.length = 0
    told.clear()
    made.clear()
  }
  return { held, told, offer, forget }
}
