import type { InvitationOptions, Mailer } from '../src/index.ts'
import type { SendMail } from './identity/address-proof.ts'

/**
 * Writes mail to the log, for development. The link opens the page of the console; the request below it
 * accepts the invitation without a browser.
 */
export function printedMail(
  publicUrl: string
): Required<Pick<InvitationOptions, 'mailer' | 'url'>> {
  const mailer: Mailer = {
    async send({ to, subject, text }) {
      const [, token = ''] = /#token=([\w-]+)/.exec(text) ?? []
      const body = { token, email: to, password: 'correct horse battery' }
      const request = curl(`${publicUrl}/invitations/accept-with-signup`, body)
      print(to, subject, `${text}\n\nTo accept without a browser:\n\n${request}`)
      return { outcome: 'sent' }
    },
  }
  return { mailer, url: (token) => `${publicUrl}/invitation#token=${token}` }
}

/** Writes the mail that verifies an address to the log, with the request that does it. */
export function printedProof(publicUrl: string): SendMail {
  return async ({ to, subject, token }) =>
    print(to, subject, `To verify it:\n\n${curl(`${publicUrl}/identity/verify-email`, { token })}`)
}

function print(to: string, subject: string, text: string): void {
  console.log(`mail to ${to}: ${subject}\n${text.replace(/^/gm, '  ')}`)
}

function curl(address: string, body: object): string {
  const quoted = `'${JSON.stringify(body).replaceAll("'", String.raw`'\''`)}'`
  return `curl -s ${address} -H 'content-type: application/json' -d ${quoted}`
}
