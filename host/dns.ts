import * as v from 'valibot'
import type { VerifyDomain } from '../src/index.ts'

const Answer = v.object({
  Answer: v.optional(v.array(v.object({ type: v.number(), data: v.string() })), []),
})

const TXT = 16

/**
 * Looks for a TXT record by asking a resolver over HTTPS, in the JSON that public resolvers speak.
 *
 * @see https://developers.cloudflare.com/1.1.1.1/encryption/dns-over-https/make-api-requests/dns-json/
 */
export function txtRecordIsThere(resolver: string): VerifyDomain {
  return async ({ name, value }) => {
    const url = new URL(resolver)
    url.searchParams.set('name', name)
    url.searchParams.set('type', 'TXT')
    const response = await fetch(url, { headers: { accept: 'application/dns-json' } })
    if (!response.ok) throw new Error(`The resolver answered ${response.status}.`)
    const { Answer: records } = v.parse(Answer, await response.json())
    return records.some(({ type, data }) => type === TXT && textOf(data) === value)
  }
}

// A long text comes in several quoted pieces.
function textOf(data: string): string {
  return data.replaceAll('" "', '').replace(/^"|"$/g, '')
}
