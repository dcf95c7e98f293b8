// Names that no public resolver knows: reserved ones (RFC 2606, 6761, 6762, 7686, 8375, 9476), those that
// ICANN does not delegate, and those that home networks, clouds and clusters give to their machines.
const INNER_ENDS = new Set(
  (
    'localhost local localdomain localnet test invalid example onion alt arpa i2p ' +
    'internal intranet intra private lan home homenet corp mail domain workgroup router gateway ' +
    'svc default cluster pod kube consul nomad docker lxd mesh'
  ).split(' ')
)

const LONGEST_NAME = 253
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/
const TOP_LABEL = /^(?:[a-z]{2,63}|xn--[a-z0-9-]{1,59})$/
const LOOPBACK = /^((.+\.)?localhost\.?|127(\.\d+){3}|\[::1\])$/

/**
 * Checks the address that events are posted to: https to a public name. Refuses every number, and with
 * them private, link-local and metadata addresses in any notation, and names that are not public by their
 * form: one label, an empty or too long label, a trailing dot, a reserved ending, an ending of networks
 * and clusters. A Worker cannot see the address that a name resolves to, so a public name that leads to a
 * private address passes. The fetch of a Worker goes out from a network without a route to private
 * addresses.
 *
 * @throws {TypeError} if the address is refused. The message gives the reason.
 */
export function checkedAddress(url: string, allowLoopback: boolean): string {
  if (!URL.canParse(url)) throw new TypeError('webhookSink: url is not an address.')
  const { protocol, hostname, username, password } = new URL(url)
  if (username || password) throw new TypeError('webhookSink: url must not hold credentials.')
  if (allowLoopback && LOOPBACK.test(hostname) && /^https?:$/.test(protocol)) return url
  if (protocol !== 'https:') throw new TypeError('webhookSink: url must be https.')
  if (!isPublicName(hostname)) {
    throw new TypeError('webhookSink: url must name a public host, not an address.')
  }
  return url
}

function isPublicName(hostname: string): boolean {
  const labels = hostname.split('.')
  const top = labels.at(-1) ?? ''
  if (labels.length < 2 || hostname.length > LONGEST_NAME) return false
  return labels.every((label) => LABEL.test(label)) && TOP_LABEL.test(top) && !INNER_ENDS.has(top)
}
