import { crc32 } from 'node:zlib';
import { type Chromaticity, D65, SRGB_PRIMARIES } from '../../../color/icc';
import { type ByteSource } from '../tiffTree';
import { statementOfCoded } from './codedColor';
import { type Statement, curvesOfGamma, known, spaceStated, USUAL_CURVES } from './statement';

/** The pixels' chunk; what is said about colors comes before it. */
const PIXELS = 'IDAT';
const PROFILE = 'iCCP';
/** More chunks are not looked at. */
const MAX_CHUNKS = 1000;
const LENGTHS: Readonly<Record<string, number>> = { cICP: 4, sRGB: 1, gAMA: 4, cHRM: 32 };

export interface PngColors {
  /** Whether there is a profile, sound or not. */
  readonly profile: boolean;
  /** Stronger than a profile (PNG third edition, 4.3 and 11.3.2). */
  readonly beforeProfile: Statement | undefined;
  /** Counts where there is no profile. */
  readonly afterProfile: Statement | undefined;
}

/**
 * What a PNG's chunks say about its colors, by the order of the third edition: cICP, profile, sRGB, then gAMA and cHRM.
 * A chunk of a wrong length or check sum says nothing.
 */
export function pngColors(source: ByteSource): PngColors {
  const chunks = colorChunks(source);
  const coded = chunks.get('cICP');
  const cicp = coded && { primaries: coded.getUint8(0), transfer: coded.getUint8(1) };
  const statement = cicp && statementOfCoded(cicp, 'its cICP chunk');
  const usable = statement && statement.kind !== 'unclear' ? statement : undefined;
  const further = chunks.has('sRGB')
    ? known('srgb', 'its sRGB chunk')
    : byNumbers(chunks.get('cHRM'), chunks.get('gAMA'));
  return { profile: chunks.has(PROFILE), beforeProfile: usable, afterProfile: further ?? statement };
}

function byNumbers(chromaticities: DataView | undefined, exponent: DataView | undefined): Statement | undefined {
  const gamma = exponent && 100000 / exponent.getUint32(0);
  const sane = gamma !== undefined && gamma >= 0.1 && gamma <= 10;
  const curves = sane ? curvesOfGamma(gamma) : USUAL_CURVES;
  if (chromaticities) {
    const at = (i: number): Chromaticity => [
      chromaticities.getUint32(8 * i) / 100000,
      chromaticities.getUint32(8 * i + 4) / 100000,
    ];
    const by = sane ? 'its cHRM and gAMA chunks' : 'its cHRM chunk';
    const statement = spaceStated([at(1), at(2), at(3)], at(0), curves, by);
    if (statement) return statement;
  }
  return sane ? spaceStated(SRGB_PRIMARIES, D65, curves, 'its gAMA chunk') : undefined;
}

function colorChunks(source: ByteSource): Map<string, DataView> {
  const found = new Map<string, DataView>();
  let at = 8;
  for (let i = 0; i < MAX_CHUNKS; i++) {
    const head = source.read(at, 8);
    if (!head) break;
    const length = viewOf(head).getUint32(0);
    const type = Buffer.from(head.subarray(4)).toString('latin1');
    if (type === PIXELS) break;
    if (type === PROFILE) found.set(type, viewOf(head));
    const body = LENGTHS[type] === length ? source.read(at + 4, length + 8) : undefined;
    if (body && !found.has(type)) {
      const data = body.subarray(0, length + 4);
      if (crc32(data) === viewOf(body).getUint32(length + 4)) found.set(type, viewOf(data.subarray(4)));
    }
    at += 12 + length;
  }
  return found;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
