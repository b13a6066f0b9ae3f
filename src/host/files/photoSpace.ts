import { type Metadata } from 'sharp';
import { VeraRetouchError } from '../../color/errors';
import {
  DISPLAY_P3,
  type GreySpace,
  type KnownSpace,
  parseProfile,
  type RgbSpace,
  writeMatrixProfile,
} from '../../color/icc';
import { type CodedColours } from './photoKind';

/** The RGB space of a photo that is not sRGB. Its pixels stay in it, and so do the results. */
export interface PhotoSpace {
  /** For people. */
  readonly name: string;
  readonly space: RgbSpace;
  /** The ICC profile as the file holds it. */
  readonly profile: Uint8Array;
}

/** What becomes of a photo's colours when it is read. */
export type Reading =
  /** The numbers are taken as they are; they are sRGB unless `space` says otherwise. `note` for people. */
  | { readonly kind: 'as-is'; readonly space?: PhotoSpace; readonly note?: string }
  /** The numbers are grey by the file's own curve and become sRGB. */
  | { readonly kind: 'grey'; readonly space: GreySpace }
  /** The image library converts to sRGB; `note` says why, for people. */
  | { readonly kind: 'convert'; readonly note?: string };

const NAMES: Readonly<Record<KnownSpace, string>> = {
  srgb: 'sRGB',
  'display-p3': 'Display P3',
  'adobe-rgb': 'Adobe RGB (1998)',
  'prophoto-rgb': 'ProPhoto RGB',
};

/** Decides by the header how a photo's colours are read. A profile that cannot be used is never passed over in silence. */
export function readingOf({ space, icc }: Pick<Metadata, 'space' | 'icc'>): Reading {
  if (space === 'cmyk') return { kind: 'convert', note: 'The photo is CMYK; it was converted to sRGB.' };
  const isGrey = space === 'b-w' || space === 'grey16';
  if (!isGrey && !['srgb', 'rgb', 'rgb16'].includes(space)) return { kind: 'convert' };
  if (!icc) return { kind: 'as-is' };
  try {
    const profile = parseProfile(icc);
    if (profile.space.kind === 'grey') {
      return isGrey ? { kind: 'grey', space: profile.space } : unusable('It is for grey, the photo is RGB');
    }
    if (isGrey) return unusable('It is for RGB, the photo is grey');
    const known = 'known' in profile ? profile.known : undefined;
    if (known === 'srgb') return { kind: 'as-is' };
    const name = known ? NAMES[known] : 'RGB of its own profile';
    return { kind: 'as-is', space: { name, space: profile.space, profile: icc } };
  } catch (thrown) {
    if (!(thrown instanceof VeraRetouchError)) throw thrown;
    return unusable(thrown.message);
  }
}

/** Primaries of Display P3, and the transfer curve of sRGB (ITU-T H.273). */
const P3 = 12;
/** Of sRGB itself or not stated. */
const SRGB_PRIMARIES = [1, 2];
/** BT.709, not stated, BT.601, sRGB: all are shown by the curve of sRGB. */
const SRGB_TRANSFERS = [1, 2, 6, 13];
const HDR_TRANSFERS = [16, 18];

/** Whether the colours are those of a screen that shines brighter than white, which no photo of 0 to 1 can hold. */
export function isHighDynamicRange(colours: CodedColours): boolean {
  return HDR_TRANSFERS.includes(colours.transfer);
}

/** How a photo without a profile is read whose file states its colours by number. */
export function readingOfCoded({ primaries, transfer }: CodedColours): Reading {
  const usual = SRGB_TRANSFERS.includes(transfer);
  if (usual && SRGB_PRIMARIES.includes(primaries)) return { kind: 'as-is' };
  if (usual && primaries === P3) {
    const name = NAMES['display-p3'];
    return {
      kind: 'as-is',
      space: { name, space: DISPLAY_P3, profile: writeMatrixProfile(DISPLAY_P3, { description: name }) },
    };
  }
  return {
    kind: 'as-is',
    note: `The photo's colours (primaries ${primaries}, curve ${transfer}) are not known; they were taken as sRGB.`,
  };
}

function unusable(why: string): Reading {
  const reason = why.replace(/\.$/, '');
  return {
    kind: 'convert',
    note: `The photo's colour profile cannot be worked in (${reason}); the photo was converted to sRGB.`,
  };
}
