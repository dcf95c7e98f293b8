import type { Mailer, SeatgateOptions } from '../src/index.ts'

/**
 * Writes mail to the log, for development: nothing is sent. The reference host has no pages for a
 * link to open, so each mail ends with the request that accepts the invitation.
 */
export function printedMail(
  publicUrl: string
): Required<Pick<SeatgateOptions, 'mailer' | 'invitationUrl'>> {
  const mailer: Mailer = {
    async send({ to, subject, text }) {
      const [, token = ''] = /#token=([\w-]+)/.exec(text) ?? []
      const body = JSON.stringify({ token, email: to, password: 'correct horse battery' })
      const address = `${publicUrl}/invitations/accept-with-signup`
      const quoted = `'${body.replaceAll("'", String.raw`'\''`)}'`
      const request = `curl -s ${address} -H 'content-type: application/json' -d ${quoted}`
      const lines = `${text}\n\nThere is no page at this address yet. To accept:\n\n${request}`
      console.log(`mail to ${to}: ${subject}\n${lines.replace(/^/gm, '  ')}`)
      return { outcome: 'sent' }
    },
  }
  return { mailer, invitationUrl: (token) => `${publicUrl}/invitations#token=${token}` }
}
