import { describe, expect, it } from 'vitest'
import { composeMail } from '../../../src/operations/invitations/mail.ts'
import { shownName, shownOrganization, unlinkedName } from '../../../src/base/shown-text.ts'

describe('a name that is shown to a stranger', () => {
  it.each([
    ['stays as it is', 'Zoë O’Brien-Łukasz', 'Zoë O’Brien-Łukasz'],
    ['in another script', 'محمد علی', 'محمد علی'],
    ['with a joiner between letters', 'می‌خواهم', 'می‌خواهم'],
    ['with a joined emoji', 'Ann 👩‍👧', 'Ann 👩‍👧'],
    ['loses an override', 'Ann \u202eelpmaxe.live', 'Ann elpmaxe.live'],
    ['loses isolates and marks', 'A\u2066n\u2069n\u200f\u200e\u061c', 'Ann'],
    ['loses controls', 'A\u0000n\u0007n\u009b', 'Ann'],
    ['has one line', 'Ann\r\nBcc: x\u2028y\u2029z\u0085w\tv', 'Ann Bcc: x y z w v'],
    ['has single blanks', ' Ann \u00a0\u3000 Lee ', 'Ann Lee'],
    ['loses zero-width characters', 'A\u200bn\ufeffn\u2060\u00ad', 'Ann'],
    ['loses tags and private characters', 'Ann\u{e0041}\ue000', 'Ann'],
    ['loses a lone surrogate', 'Ann\ud83d', 'Ann'],
    ['loses a joiner that joins nothing', ' \u200dAnn\u200d ', 'Ann'],
  ])('%s [B8]', (_what, name, shown) => {
    expect(shownName(name)).toBe(shown)
  })

  it.each([
    '',
    '   ',
    '\u00a0\u3000\u2003',
    '\u200b\u200d\u2060',
    '\u202e',
    '\u2800',
    '\u3164\uffa0',
    '\u115f\u1160',
    '\u0301',
    '\ufe0f',
    '\u0000\n',
    '\ue000',
    null,
    undefined,
  ])('is refused without a visible character: %j [B8]', (name) => {
    expect(shownName(name)).toBeNull()
    expect(unlinkedName(name)).toBeNull()
  })

  it('is cut by characters, not within one [B8]', () => {
    expect(shownName('a'.repeat(80))).toBe('a'.repeat(80))
    expect(shownName('😀'.repeat(80))).toBe('😀'.repeat(80))
    expect(shownName('😀'.repeat(300))).toBe(`${'😀'.repeat(79)}…`)
    expect(Array.from(unlinkedName('a.'.repeat(300)) ?? '').length).toBeLessThanOrEqual(80)
  })

  it.each([
    ['https://evil.example/x', 'https: //evil. example/x'],
    ['evil.example', 'evil. example'],
    ['www.evil.co.uk', 'www. evil. co. uk'],
    ['ann@evil.example', 'ann@evil. example'],
    ['mailto:ann@evil', 'mailto: ann@evil'],
    ['javascript:alert(1)', 'javascript: alert(1)'],
    ['evil。example', 'evil。 example'],
    ['evil．example', 'evil． example'],
    ['xn--bcher-kva.example', 'xn--bcher-kva. example'],
    ['4.example.3com', '4. example. 3com'],
    ['J. R. R. Tolkien', 'J. R. R. Tolkien'],
    ['Acme Inc.', 'Acme Inc.'],
    ['Version 2.0', 'Version 2.0'],
  ])('is no link in mail: %j [B8]', (name, shown) => {
    expect(unlinkedName(name)).toBe(shown)
  })

  it('of an organization without a visible one is its slug [B8]', () => {
    expect(shownOrganization({ name: '\u200b', slug: 'acme' })).toEqual({
      name: 'acme',
      slug: 'acme',
    })
  })
})

describe('the mail of an invitation', () => {
  const mail = (inviter: string | null, name = 'Acme', url = 'https://app.example/#t') =>
    composeMail({
      to: 'ben@example.com',
      locale: null,
      token: 't',
      url,
      organization: { id: 'o', name, slug: 'acme' },
      inviter,
      role: 'member',
      expiresAt: new Date(0),
      idempotencyKey: 'k',
    })

  it.each([null, '', '  ', '\u200b'])('names no inviter for %j [B8]', (inviter) => {
    const { text, html, inviter: told } = mail(inviter)
    expect(text).toMatch(/^You have been invited to Acme\.\n/)
    expect(html).toContain('You have been invited to Acme.')
    expect(told).toBeNull()
  })

  it('has no character of a name that could turn it, break it or lead elsewhere [B8 C7]', () => {
    const sent = mail('Ann \u202ehttps://evil.example', 'Acme\r\nBcc: a@evil.example\u2028<b>')
    expect(sent.inviter).toEqual({ name: 'Ann https: //evil. example' })
    expect(sent.organization.name).toBe('Acme Bcc: a@evil. example <b>')
    expect(sent.subject).toBe('Invitation to Acme Bcc: a@evil. example <b>')
    expect(sent.text.split('\n')).toHaveLength(5)
    expect(sent.html).not.toMatch(/<b>|evil\.example/)
    for (const text of [sent.subject, sent.text, sent.html]) {
      expect(text.match(/https?:\/\/[^"\s]+/g) ?? []).toEqual(
        text === sent.subject ? [] : ['https://app.example/#t']
      )
    }
  })
})
