import { statementOfCoded } from '../color/codedColor';
import { throughCurve } from '../photo';
import { type CodedColours } from '../photoKind';
import { readingOf, readingOfStatement } from '../photoSpace';
import { type Pixels } from '../pixels';
import { convertToSrgb, isProfileFor } from './toSrgb';

/** How an RGB picture says what its numbers mean: by a profile, or else by number. */
export interface StatedColors {
  readonly icc?: Uint8Array | undefined;
  readonly coded?: CodedColours | undefined;
}

/**
 * RGB samples of a reader of this folder as pixels: they stay in the space of their profile where it is a matrix, and
 * become sRGB where it is not. `notes` for people. Throws HostError PHOTO_DAMAGED, HostCancelledError.
 */
export async function rgbColors(
  file: string,
  { width, height, channels, data }: Pixels,
  { icc, coded }: StatedColors,
  signal?: AbortSignal,
): Promise<{ pixels: Pixels; notes: string[] }> {
  const plain: Pixels = { width, height, channels, data };
  if (icc && !isProfileFor(icc, 'RGB ')) {
    return {
      pixels: plain,
      notes: ["The photo's color profile is damaged or not for RGB; the photo was taken as sRGB."],
    };
  }
  const reading =
    !icc && coded
      ? readingOfStatement({ space: 'srgb' }, statementOfCoded(coded, 'its color numbers'))
      : readingOf({ space: 'srgb', ...(icc && { icc: Buffer.from(icc) }) });
  const said = reading.kind === 'grey' ? undefined : reading.note;
  if (reading.kind === 'convert' && icc) {
    return { pixels: await convertToSrgb(file, plain, icc, signal), notes: said === undefined ? [] : [said] };
  }
  if (reading.kind === 'curve') throughCurve(data, channels, { kind: 'grey', curve: reading.curve });
  const space = reading.kind === 'as-is' || reading.kind === 'curve' ? reading.space : undefined;
  const note = said ?? (space && `The photo is in ${space.name}; so are the results.`);
  return { pixels: { ...plain, space }, notes: note === undefined ? [] : [note] };
}
