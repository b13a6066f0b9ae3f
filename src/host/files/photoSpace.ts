import { type Metadata } from 'sharp';
import { VeraRetouchError } from '../../color/errors';
import {
  type Curve,
  type GreySpace,
  type KnownSpace,
  makeTransfer,
  parseProfile,
  recogniseSpace,
  type RgbSpace,
  SRGB_CURVE,
  writeMatrixProfile,
} from '../../color/icc';
import { type Statement } from './color/statement';

/** The RGB space of a photo that is not sRGB. Its pixels stay in it, and so do the results. */
export interface PhotoSpace {
  /** For people. */
  readonly name: string;
  readonly space: RgbSpace;
  /** Which known space it is by its contents, if any. */
  readonly known?: KnownSpace | undefined;
  /** The ICC profile as the file holds it. */
  readonly profile: Uint8Array;
}

/** What becomes of a photo's colours when it is read. `note` for people. */
export type Reading =
  /** The numbers are taken as they are; they are sRGB unless `space` says otherwise. */
  | { readonly kind: 'as-is'; readonly space?: PhotoSpace | undefined; readonly note?: string | undefined }
  /** The numbers are grey by the file's own curve and become sRGB. */
  | { readonly kind: 'grey'; readonly space: GreySpace; readonly note?: string | undefined }
  /** Each channel has this curve and gets sRGB's; the primaries are sRGB's unless `space` says otherwise. */
  | { readonly kind: 'curve'; readonly curve: Curve; readonly space?: PhotoSpace | undefined; readonly note: string }
  /** The image library converts to sRGB. `unusable` says what is wrong with the profile, if that is why. */
  | { readonly kind: 'convert'; readonly note?: string | undefined; readonly unusable?: string };

const NAMES: Readonly<Record<KnownSpace, string>> = {
  srgb: 'sRGB',
  'display-p3': 'Display P3',
  'adobe-rgb': 'Adobe RGB (1998)',
  'prophoto-rgb': 'ProPhoto RGB',
};

const isGrey = (space: string): boolean => space === 'b-w' || space === 'grey16';
const isRgb = (space: string): boolean => ['srgb', 'rgb', 'rgb16'].includes(space);

/** Decides by the header how a photo's colours are read. A profile that cannot be used is never passed over in silence. */
export function readingOf({ space, icc }: Pick<Metadata, 'space' | 'icc'>): Reading {
  if (space === 'cmyk') return { kind: 'convert', note: 'The photo is CMYK; it was converted to sRGB.' };
  if (!isGrey(space) && !isRgb(space)) return { kind: 'convert' };
  if (!icc) return { kind: 'as-is' };
  try {
    const profile = parseProfile(icc);
    if (profile.space.kind === 'grey') {
      return isGrey(space) ? { kind: 'grey', space: profile.space } : unusable('It is for gray, the photo is RGB');
    }
    const known = 'known' in profile ? profile.known : undefined;
    if (known === 'srgb') return { kind: 'as-is' };
    // The gray axis of RGB has the curve of its channels.
    if (isGrey(space)) return { kind: 'grey', space: { kind: 'grey', curve: profile.space.curves[1] } };
    const name = known ? NAMES[known] : 'RGB of its own profile';
    return staying({ name, space: profile.space, known, profile: icc });
  } catch (thrown) {
    if (!(thrown instanceof VeraRetouchError)) throw thrown;
    return unusable(thrown.message);
  }
}

/** Curves beyond these are not worked in: a LUT has too few points in their shadows. */
const LEAST_GAMMA = 1.6;
const LARGEST_GAMMA = 2.6;

/** How a photo is read by what its file states elsewhere than in a profile. */
export function readingOfStatement(header: Pick<Metadata, 'space'>, statement: Statement | undefined): Reading {
  const grey = isGrey(header.space);
  if (!grey && !isRgb(header.space)) return readingOf({ space: header.space });
  if (statement?.kind === 'unclear') return { kind: 'as-is', note: statement.note };
  if (statement?.kind !== 'space' || statement.known === 'srgb') return { kind: 'as-is' };
  const { space, known, by } = statement;
  const [curve] = space.curves;
  if (grey) {
    if (curve === SRGB_CURVE) return { kind: 'as-is' };
    return {
      kind: 'grey',
      space: { kind: 'grey', curve },
      note: `The photo's gray has a curve of its own by ${by}; it was converted to sRGB.`,
    };
  }
  if (isUsual(curve)) return staying(spaceOf(space, known), by);
  const usual: RgbSpace = { ...space, curves: [SRGB_CURVE, SRGB_CURVE, SRGB_CURVE] };
  const now = recogniseSpace(usual);
  const target = now === 'srgb' ? undefined : spaceOf(usual, now);
  const what = curve.kind === 'gamma' && curve.gamma === 1 ? 'linear' : 'coded with an unusual curve';
  const note = `The photo is ${what} by ${by}; it was converted to ${target?.name ?? NAMES.srgb}.`;
  return { kind: 'curve', curve, space: target, note };
}

function isUsual(curve: Curve): boolean {
  const middle = makeTransfer(curve)?.toLinear(0.5) ?? 1;
  return middle <= 0.5 ** LEAST_GAMMA && middle >= 0.5 ** LARGEST_GAMMA;
}

function spaceOf(space: RgbSpace, known: KnownSpace | undefined): PhotoSpace {
  const name = known ? NAMES[known] : 'RGB of its own primaries';
  const profile = writeMatrixProfile(space, { description: name });
  // With the numbers as the profile rounds them: the same as if the file had held it.
  const stored = parseProfile(profile).space;
  return { name, space: stored.kind === 'rgb' ? stored : space, known, profile };
}

function staying(space: PhotoSpace, by?: string): Reading {
  const where = by ? `${space.name} by ${by}` : space.name;
  return { kind: 'as-is', space, note: `The photo is in ${where}; so are the results.` };
}

/** For a profile that the image library cannot open either: the next statement counts. */
export function readingWithout(unusable: string, next: Reading): Reading {
  const left = `The photo's color profile cannot be used (${unusable}); `;
  const instead = next.note ? 'it was left out.' : 'the photo was taken as sRGB.';
  return { ...next, note: [left + instead, ...(next.note ? [next.note] : [])].join(' ') };
}

function unusable(why: string): Reading {
  const reason = why.replace(/\.$/, '');
  return {
    kind: 'convert',
    unusable: reason,
    note: `The photo's color profile cannot be worked in (${reason}); the photo was converted to sRGB.`,
  };
}
