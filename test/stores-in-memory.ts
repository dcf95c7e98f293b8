import { statfsSync } from 'node:fs'

const MEMORY = '/dev/shm'
const ROOM_BYTES = 4 * 2 ** 30

/**
 * Puts temporary files into memory where the machine has room for them, and nobody has said where they
 * are to be: a quarter of the time of a test that writes much is the disk's, which makes sure of what is
 * thrown away. What a killed process has written is there all the same.
 */
export function keepStoresInMemory(): void {
  if (process.env['TMPDIR'] !== undefined) return
  try {
    const { bavail, bsize } = statfsSync(MEMORY)
    if (bavail * bsize >= ROOM_BYTES) process.env['TMPDIR'] = MEMORY
  } catch {
    // There is no such place here.
  }
}
