import { utf8ToBytes } from '@noble/hashes/utils.js'
import { describe, expect, it } from 'vitest'
import { fromBase64 } from '../../../src/proof/encoding.ts'
import { openCheckpoint, verifyInclusion } from '../../../src/proof/verify-proof.ts'
import { leafHash } from '../../../src/proof/merkle.ts'

// What others have signed and published: the checksum database of Go, as its key is built into the go command.
const KEY = 'sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8'
const ORIGIN = 'go.sum database tree'

// https://github.com/transparency-dev/incubator, cmd/tlog-verify/testdata: go.sum-database-tree-43930254.raw
// and the same .tlog-proof, which is what https://c2sp.org/tlog-proof describes.
const LEAF = `github.com/transparency-dev/tessera v1.0.0 h1:4OT1V9xJLa5NnYlFWWlCdZkCm18/o12rdd+bCTje7XE=
github.com/transparency-dev/tessera v1.0.0/go.mod h1:TLvfjlkbmsmKVEJUtzO2eb9Q2IBnK3EJ0dI4G0oxEOU=
`
const PROOF = `c2sp.org/tlog-proof@v1
index 43930254
Q2cuq1e21q4UC1RQ6wtmXmCxk2q3Wqz/yFvD12P2KSM=
VdgHwjNYSv9fZVxvYzn8kySGvrjqeCnzdJqJILieWf4=
ARfBpZjsj3LSP42V4xBVdCKbHVa4WXSbuFAa0rUSCVQ=
0VYgz0Vmgz6jOM8H6edZBWHtO6+R7tPvN4EOwwRRSws=
vq+ifloynXE+ORFC1wymQT0cpNIJA1tqg2mQpA55+kc=
SCRewH6vHE1/Vwkt5yEW8xT7il0WbWltXjFIVqlGtQQ=
p//fIG8jgZie4MMwjHF7quCIJ4hErr7U4at0HV34MZQ=
D3K5YdBlxQcklrgF8vSbDyT05J5/mA9lzuhhp72uSOk=
jeYlYyH9FhYGwu+ZJmfPr8GvSNdgrydwqmJgHsygoR0=
p6RFgfGhu8Uuy0LyyZdI4MrSPOZkMe+ycwWJFfr8zTI=
AMZsxrVKBPSe8nSNVVCTyTxWns0CiNbChG/FoiSJWuM=
e+rtSmK5Pd1K5LgFwj7VSo5XJXOcq7OOcqPVZn1hqeM=
expmv1e6XiGr5NMUjMRkSZijlcBx+fZcpqQmUnawhOY=
+Wuic0YARH84k80/Q+KJIbhRCldxG8npjLFiHMLtEpo=
NOMeJqlyUxFXUKYRI/1YqAF4WJBfXJr8UM/SlWGqxgY=
Lm6+TAlLb2lvUs/3unZ2t6RSmJw8RO+WuEuUbAw3QEc=
Jhh2EDG15gDBoLmLiF88lVTgd+uvx3L0xczb8Y3kSq8=
taenaiKqtYMXS3gDzIF3q8VZzqAXqftHqL9BC39njaw=
kZNKypGwEANnt1+msLINnqrIrwX+0MGZUTTKXTfbloI=
A4NJSymjVJ5dvGPaGC3Gj04x8qVRKYfh0pP24mwd6Yk=
KQq808D9W4NUgr4ip+rF/RCyAUERYKKCwKiiAJfaFOc=
I3EVN3zM2rDjs5Q06Zr5gxhg+ksnX2h77E75uL+h3aI=
7iNSYSDhMeRkeV7r9krKbKelNPiqDCJU1i6xAn/Fbuw=
MYqdo6zSjxaAn+29EEjNRbPYm0myB3bheu+HTZIAbVY=
S7olT9TPLXk+bbawbV3sAzWMmhcpWrtjbw++9ZTiyn8=
xJ20xXM4QItt5vxFOtolZ5l18p7ej1+RimNkgWmoRFM=

go.sum database tree
58253265
lIyLAEe4zJUQAda6pFFg3yPOf7j1SgfMEDrpgoX39JU=

— sum.golang.org Az3grkvBHbFcpEFQ3BhGlktgB7pcswIW+ez91eWY6rNPtWfAey8bJO2rVoG2yO5zXvgiaikWVHqon+e14JhA+WXvpAY=
`

// From the documentation of a witness of January 2023, "Addressable witness": it has put its own signatures
// below, of both kinds.
const WITNESSED = `go.sum database tree
15081221
BoMMe1wd25Tco0mYGROkyqxHZWx+hcSCtMV315Lu6Lg=

— sum.golang.org Az3grilD7vQqTrv66jRgKM84Y80KTprrSt4bKmiOPxgmS5ZVBTeCl6dUvjYnN13R+C8j0jGY1WnUADGMkok3U0m2Zgo=
— test.example.com qTGhC3917mAr6hGh+T55tNjxaej/D/GQivJZRIj7XGdAcQOTqfMWIPgp/v/904LEduN/h2sSRtHUJXUL4b9Gm7Bz4Qc=
— test.example.com /Pa7Y/dUvWMAAAAAQVwkQVi81ArPV7BIaQYrMIxyzY0m8a4BdeeBhSKd3PviPK4/3Sd+NKSc5N7PDTCfAkUSVniN+R2oKIggA4iiDQ==
`

const [head = '', ...parts] = PROOF.split('\n\n')
const [, index = '', ...hashes] = head.split('\n')
const checkpoint = parts.join('\n\n')
const path = hashes.map((hash) => fromBase64(hash)!)
const at = Number(index.replace('index ', ''))

describe('a log of another organization', () => {
  it('its checkpoints are opened with any further signatures [AUD-55]', async () => {
    const root = fromBase64('lIyLAEe4zJUQAda6pFFg3yPOf7j1SgfMEDrpgoX39JU=')
    expect(await openCheckpoint(checkpoint, [KEY])).toEqual({
      origin: ORIGIN,
      size: 58_253_265,
      root,
    })
    expect(await openCheckpoint(WITNESSED, [KEY])).toMatchObject({
      origin: ORIGIN,
      size: 15_081_221,
    })
    for (const note of [checkpoint, WITNESSED]) {
      expect(await openCheckpoint(note.replace(/\d{8}/, '15081222'), [KEY])).toBeNull()
      expect(await openCheckpoint(note.replace(ORIGIN, 'sum.golang.org'), [KEY])).toBeNull()
    }
  })

  it('its proof of inclusion holds, for that entry in that place alone [AUD-56]', async () => {
    const tree = (await openCheckpoint(checkpoint, [KEY]))!
    const leaf = leafHash(utf8ToBytes(LEAF))
    expect(path).toHaveLength(26)
    expect(verifyInclusion(leaf, at, tree, path)).toBe(true)
    expect(verifyInclusion(leafHash(utf8ToBytes(LEAF.trim())), at, tree, path)).toBe(false)
    expect(verifyInclusion(leaf, at + 1, tree, path)).toBe(false)
    expect(verifyInclusion(leaf, at, tree, path.slice(1))).toBe(false)
  })
})
