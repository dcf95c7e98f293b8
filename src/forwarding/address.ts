// Names of the inside: what a public resolver does not know, and what clouds tell their machines.
const INNER_NAME = /(^|\.)(localhost|local|internal|intranet|lan|home|corp|private|home\.arpa)\.?$/

/**
 * Checks where events may be posted to: https to a public name. Numbers are refused altogether, and
 * with them private, link-local and metadata addresses in whatever notation; so are names of the inside.
 * What a name resolves to a Worker cannot see: one that is public by its form and leads to a private
 * address is let through. A Worker's fetch goes out from a network that does not lead inside.
 *
 * @throws {TypeError} saying what is wrong.
 */
export function checkedAddress(url: string, allowLoopback: boolean): string {
  if (!URL.canParse(url)) throw new TypeError('webhookSink: url is not an address.')
  const { protocol, hostname, username, password } = new URL(url)
  if (username || password) throw new TypeError('webhookSink: url must not hold credentials.')
  const loopback = /^((.+\.)?localhost\.?|127(\.\d+){3}|\[::1\])$/.test(hostname)
  if (loopback && allowLoopback && /^https?:$/.test(protocol)) return url
  if (protocol !== 'https:') throw new TypeError('webhookSink: url must be https.')
  const number = /^(\d+(\.\d+){3}|\[.*\])$/.test(hostname)
  if (
    loopback ||
    number ||
    INNER_NAME.test(hostname) ||
    !hostname.replace(/\.$/, '').includes('.')
  ) {
    throw new TypeError('webhookSink: url must name a public host, not an address.')
  }
  return url
}
