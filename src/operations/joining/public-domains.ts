/**
 * Mail providers where anyone can get an address, so that an address there proves no affiliation. The
 * largest ones; hosts add their own with `publicDomains`.
 */
export const PUBLIC_DOMAINS = (
  '126.com 139.com 163.com aol.com bk.ru daum.net duck.com fastmail.com fastmail.fm foxmail.com ' +
  'free.fr gmail.com gmx.at gmx.ch gmx.com gmx.de gmx.net googlemail.com hey.com hotmail.co.uk ' +
  'hotmail.com hotmail.de hotmail.fr hushmail.com icloud.com inbox.ru kakao.com laposte.net ' +
  'libero.it list.ru live.com mac.com mail.com mail.ru mailbox.org me.com msn.com naver.com ' +
  'orange.fr outlook.com outlook.de pm.me posteo.de proton.me protonmail.ch protonmail.com qq.com ' +
  'rambler.ru rediffmail.com rocketmail.com seznam.cz sina.com sohu.com t-online.de tuta.com ' +
  'tutanota.com ukr.net uol.com.br web.de wp.pl yahoo.co.in yahoo.co.jp yahoo.co.uk yahoo.com ' +
  'yahoo.de yahoo.fr yandex.com yandex.ru yeah.net ymail.com zoho.com'
).split(' ')
