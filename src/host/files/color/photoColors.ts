import path from 'node:path';
import { type Metadata } from 'sharp';
import { codedColours } from '../photoKind';
import { type Reading, readingOf, readingOfStatement, readingWithout } from '../photoSpace';
import { type ByteSource, inMemory, TiffTree } from '../tiffTree';
import { statementOfCoded } from './codedColor';
import { exifColors, tiffColors } from './exifColor';
import { pngColors } from './pngColor';
import { convertsBy } from './probe';
import { type Statement } from './statement';

const EXIF_PREFIX = 'Exif\0\0';

/**
 * How the colors of a photo are read, by the strongest statement that can be used: PNG's cICP, an ICC profile, PNG's
 * other chunks or AVIF's numbers, EXIF. "high-dynamic-range" is for the caller to refuse.
 */
export async function colorsOf(
  file: string,
  header: Metadata,
  source: ByteSource,
): Promise<Reading | 'high-dynamic-range'> {
  const png = header.format === 'png' ? pngColors(source) : undefined;
  const first = png?.beforeProfile;
  if (first?.kind === 'high-dynamic-range') return first.kind;
  if (first) return readingOfStatement(header, first);
  const reading = readingOf(header);
  const unusable = reading.kind === 'convert' ? reading.unusable : undefined;
  if (header.icc && header.space === 'cmyk') return reading;
  if (header.icc && (unusable === undefined || (await convertsBy(header.icc)))) return reading;
  const statement = png?.afterProfile ?? codedStatement(header, source) ?? exifStatement(file, header, source);
  if (statement?.kind === 'high-dynamic-range') return statement.kind;
  const next = readingOfStatement(header, statement);
  // The image library hands over no profile that it finds unsound in a PNG.
  const broken = unusable ?? (png?.profile && !header.icc ? 'it is damaged' : undefined);
  return broken === undefined ? next : readingWithout(broken, next);
}

function codedStatement(header: Metadata, source: ByteSource): Statement | undefined {
  const coded = header.format === 'heif' ? codedColours(source) : undefined;
  return coded && statementOfCoded(coded, 'its color numbers');
}

function exifStatement(file: string, header: Metadata, source: ByteSource): Statement | undefined {
  const tree = header.format === 'tiff' ? TiffTree.open(source) : header.exif && treeOf(header.exif);
  if (!tree) return undefined;
  const stated = exifColors(tree, path.basename(file));
  const own = header.format === 'tiff' && stated?.kind !== 'space' ? tiffColors(tree) : undefined;
  return own ?? stated;
}

function treeOf(exif: Buffer): TiffTree | undefined {
  const prefixed = exif.subarray(0, EXIF_PREFIX.length).toString('latin1') === EXIF_PREFIX;
  return TiffTree.open(inMemory(prefixed ? exif.subarray(EXIF_PREFIX.length) : exif));
}
