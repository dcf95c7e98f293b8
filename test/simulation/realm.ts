/**
 * The globals that the library reaches, under the simulation's control: the clock, timers, and
 * cryptography that answers at once. What would bring in chance of its own throws.
 *
 * @module
 */
import { createCipheriv, createDecipheriv, createHash, createHmac, hkdfSync } from 'node:crypto'
import type { Random } from './random.ts'
import type { Scheduler, Step } from './scheduler.ts'

let scheduler: Scheduler | null = null
let random: Random | null = null

/** From here on the realm's time and chance are these. */
export function enterRealm(time: Scheduler, chance: Random): void {
  scheduler = time
  random = chance
}

function time(): Scheduler {
  if (scheduler === null) throw new Error('No history is under way.')
  return scheduler
}

const RealDate = Date

class SimulatedDate extends RealDate {
  constructor(...parts: [] | [number | string | Date]) {
    if (parts.length === 0) super(time().now())
    else super(parts[0])
  }
  static override now(): number {
    return time().now()
  }
}

function forbidden(what: string): () => never {
  return () => {
    throw new Error(`${what} was reached: its answer is not the seed's.`)
  }
}

/** Puts the simulation's globals in place of the runtime's, for the rest of this thread. */
export function replaceGlobals(): void {
  const timers = {
    setTimeout: (act: () => void, milliseconds = 0) => time().after(milliseconds, act),
    clearTimeout: (step: Step | undefined) => {
      if (step) step.act = null
    },
  }
  Object.assign(globalThis, { Date: SimulatedDate, ...timers })
  Math.random = forbidden('Math.random')
  Object.defineProperty(globalThis, 'crypto', { value: simulatedCrypto, configurable: true })
}

type Bytes = Uint8Array<ArrayBuffer>

const TAG_BYTES = 16
const derived = new Map<string, Bytes>()

const simulatedCrypto = {
  randomUUID: forbidden('crypto.randomUUID'),
  getRandomValues(bytes: Bytes): Bytes {
    for (let at = 0; at < bytes.length; at++) bytes[at] = random?.below(256) ?? 0
    return bytes
  },
  subtle: {
    async digest(_algorithm: string, bytes: Bytes) {
      return bufferOf(createHash('sha256').update(bytes).digest())
    },
    async importKey(_format: string, bytes: Bytes) {
      return bytes
    },
    async deriveKey({ salt, info }: { salt: Bytes; info: Bytes }, material: Bytes) {
      const name = `${material.join()} ${salt.join()} ${info.join()}`
      const key = derived.get(name) ?? new Uint8Array(hkdfSync('sha256', material, salt, info, 32))
      derived.set(name, key)
      return key
    },
    async sign(_algorithm: string, key: Bytes, bytes: Bytes) {
      return bufferOf(createHmac('sha256', key).update(bytes).digest())
    },
    async encrypt({ iv }: { iv: Bytes }, key: Bytes, bytes: Bytes) {
      const cipher = createCipheriv('aes-256-gcm', key, iv)
      return bufferOf(Buffer.concat([cipher.update(bytes), cipher.final(), cipher.getAuthTag()]))
    },
    async decrypt({ iv }: { iv: Bytes }, key: Bytes, sealed: Bytes) {
      const decipher = createDecipheriv('aes-256-gcm', key, iv)
      decipher.setAuthTag(sealed.subarray(-TAG_BYTES))
      return bufferOf(
        Buffer.concat([decipher.update(sealed.subarray(0, -TAG_BYTES)), decipher.final()])
      )
    },
  },
}

function bufferOf(bytes: Buffer): ArrayBuffer {
  return new Uint8Array(bytes).buffer
}
