import { library } from '../library.js'

export const usage = `seatgate keygen NAME
  Makes the key pair with which checkpoints are signed: auditLogKey, and the public key to verify.
  NAME names the log, such as audit.example.com.
`

export const operands = ['NAME']

export const options = {}

export async function run([name]) {
  const { generateLogKey } = await library('proof/index')
  const { privateKey, publicKey } = await generateLogKey(name)
  process.stdout.write(`auditLogKey (secret): ${privateKey}\npublic key:           ${publicKey}\n`)
  return 0
}
