import { ColorError, type ColorErrorCode } from './errors';
import { Lut3D, MAX_LUT_SIZE, MAX_LUT_VALUE, MIN_LUT_SIZE } from './lut3d';

/** What a `.cube` file holds, in this library's terms. */
export interface CubeFile {
  /** Empty where the file has no TITLE. */
  readonly title: string;
  /** Always over the domain 0..1: a file with another domain is resampled at its own size. */
  readonly lut: Lut3D;
  readonly resampled: boolean;
}

/** Longest text that is looked at: 129^3 lines of three generous numbers. */
export const MAX_CUBE_LENGTH = 100_000_000;

/** The specification allows 250; some hosts write long comments. */
const MAX_LINE_LENGTH = 10_000;

const HINT = 'Export the look again as a 3D .cube file with 17, 33 or 65 points, or choose another file.';
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

interface Header {
  title: string;
  size: number;
  minimum: [number, number, number];
  maximum: [number, number, number];
}

/**
 * Reads a 3D `.cube` file (Adobe's Cube LUT specification 1.0; also the LUT_3D_INPUT_RANGE some hosts write).
 * Accepts LF, CRLF and CR line ends, a byte order mark, comments, blank lines, tabs. Nothing larger than the text
 * justifies is allocated.
 *
 * @throws ColorError CUBE_TOO_LARGE (text or size over the limit), CUBE_UNSUPPORTED (1D or combined LUTs),
 *   CUBE_INVALID (anything else that is not a `.cube` file), each with the line number where there is one
 */
export function parseCube(text: string): CubeFile {
  if (text.length > MAX_CUBE_LENGTH) {
    throw fail('CUBE_TOO_LARGE', `The file has ${text.length} characters; the limit is ${MAX_CUBE_LENGTH}.`);
  }
  const header: Header = { title: '', size: 0, minimum: [0, 0, 0], maximum: [1, 1, 1] };
  const seen = new Set<string>();
  let data: Float32Array | undefined;
  let filled = 0;
  let lineNumber = 0;
  for (const raw of lines(text)) {
    lineNumber++;
    if (raw.length > MAX_LINE_LENGTH) {
      throw fail('CUBE_INVALID', `Line ${lineNumber} has ${raw.length} characters; no .cube line is that long.`);
    }
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const fields = line.split(/\s+/);
    if (/^[A-Za-z_]/.test(line) && !/^(nan|inf)/i.test(line)) {
      if (data) throw fail('CUBE_INVALID', `Line ${lineNumber}: ${excerpt(fields[0])} comes after the colours began.`);
      readKeyword(header, seen, fields, line, lineNumber, text.length);
      continue;
    }
    if (header.size === 0) {
      throw fail('CUBE_INVALID', `Line ${lineNumber}: colours begin before LUT_3D_SIZE says how many there are.`);
    }
    data ??= new Float32Array(header.size ** 3 * 3);
    if (filled === data.length) {
      throw fail('CUBE_INVALID', `Line ${lineNumber}: more colours than LUT_3D_SIZE ${header.size} announces.`);
    }
    const [r, g, b] = threeNumbers(fields, lineNumber);
    data[filled++] = r;
    data[filled++] = g;
    data[filled++] = b;
  }
  if (header.size === 0) throw fail('CUBE_INVALID', 'There is no LUT_3D_SIZE line; this is not a 3D .cube file.');
  const needed = header.size ** 3;
  if (!data || filled !== data.length) {
    throw fail('CUBE_INVALID', `The file ends after ${filled / 3} of ${needed} colours; it seems to be cut off.`);
  }
  if (header.minimum.some((low, axis) => !(low < header.maximum[axis]))) {
    throw fail('CUBE_INVALID', "The domain's minimum is not below its maximum.");
  }
  const lut = new Lut3D(header.size, data);
  const standard = header.minimum.every((v) => v === 0) && header.maximum.every((v) => v === 1);
  return standard
    ? { title: header.title, lut, resampled: false }
    : { title: header.title, lut: onUnitDomain(lut, header), resampled: true };
}

function readKeyword(
  header: Header,
  seen: Set<string>,
  fields: readonly string[],
  line: string,
  lineNumber: number,
  textLength: number,
): void {
  const keyword = fields[0];
  if (seen.has(keyword)) throw fail('CUBE_INVALID', `Line ${lineNumber}: ${excerpt(keyword)} appears a second time.`);
  seen.add(keyword);
  switch (keyword) {
    case 'TITLE':
      header.title = line
        .slice(5)
        .trim()
        .replace(/^"(.*)"$/, '$1');
      return;
    case 'LUT_3D_SIZE':
      header.size = readSize(fields, lineNumber, textLength);
      return;
    case 'DOMAIN_MIN':
      header.minimum = threeNumbers(fields.slice(1), lineNumber);
      return;
    case 'DOMAIN_MAX':
      header.maximum = threeNumbers(fields.slice(1), lineNumber);
      return;
    case 'LUT_3D_INPUT_RANGE': {
      const [low, high] = numbers(fields.slice(1), 2, lineNumber);
      header.minimum = [low, low, low];
      header.maximum = [high, high, high];
      return;
    }
    case 'LUT_1D_SIZE':
    case 'LUT_1D_INPUT_RANGE':
      throw fail(
        'CUBE_UNSUPPORTED',
        `Line ${lineNumber}: this is a 1D LUT (or one with a 1D shaper), which cannot hold a colour look.`,
      );
    default:
      throw fail('CUBE_INVALID', `Line ${lineNumber}: unknown keyword ${excerpt(keyword)}.`);
  }
}

function readSize(fields: readonly string[], lineNumber: number, textLength: number): number {
  const size = fields.length === 2 && /^\d+$/.test(fields[1]) ? Number(fields[1]) : NaN;
  if (Number.isNaN(size) || size < MIN_LUT_SIZE) {
    throw fail('CUBE_INVALID', `Line ${lineNumber}: LUT_3D_SIZE must be one integer of at least ${MIN_LUT_SIZE}.`);
  }
  if (size > MAX_LUT_SIZE) {
    throw fail('CUBE_TOO_LARGE', `Line ${lineNumber}: LUT_3D_SIZE ${size} is over the limit of ${MAX_LUT_SIZE}.`);
  }
  // The shortest colour, "0 0 0" and a line end, takes 6 characters: refuse before allocating for an empty promise.
  if (size ** 3 * 6 - 1 > textLength) {
    throw fail(
      'CUBE_INVALID',
      `Line ${lineNumber}: LUT_3D_SIZE ${size} needs ${size ** 3} colours, more than the file can hold; it seems cut off.`,
    );
  }
  return size;
}

function threeNumbers(fields: readonly string[], lineNumber: number): [number, number, number] {
  return numbers(fields, 3, lineNumber) as [number, number, number];
}

function numbers(fields: readonly string[], count: number, lineNumber: number): number[] {
  const values = fields.map((field) => (NUMBER.test(field) ? Number(field) : NaN));
  if (values.length === count && values.every((value) => Math.abs(value) <= MAX_LUT_VALUE)) return values;
  const why = fields.some((field) => /\d,\d/.test(field))
    ? 'has decimal commas; .cube numbers use a point'
    : `is not ${count} numbers of sensible size`;
  throw fail('CUBE_INVALID', `Line ${lineNumber}: ${excerpt(fields.join(' '))} ${why}.`);
}

/** The same transform sampled over 0..1; inputs outside the file's domain are clipped to it, as hosts do. */
function onUnitDomain(lut: Lut3D, header: Header): Lut3D {
  const [minR, minG, minB] = header.minimum;
  const [maxR, maxG, maxB] = header.maximum;
  return Lut3D.bake(lut.size, (r, g, b) =>
    lut.sample((r - minR) / (maxR - minR), (g - minG) / (maxG - minG), (b - minB) / (maxB - minB)),
  );
}

function* lines(text: string): Generator<string> {
  let start = text.startsWith('\ufeff') ? 1 : 0;
  const end = /\r\n?|\n/g;
  end.lastIndex = start;
  for (let match = end.exec(text); match; match = end.exec(text)) {
    yield text.slice(start, match.index);
    start = end.lastIndex;
  }
  yield text.slice(start);
}

/** Part of hostile text fit for an error message. */
function excerpt(text: string): string {
  const clean = text.replace(/[^\x20-\x7e]/gu, '?');
  return `"${clean.length > 40 ? `${clean.slice(0, 40)}...` : clean}"`;
}

function fail(code: ColorErrorCode, message: string): ColorError {
  return new ColorError(code, `Cannot read this .cube file. ${message}`, HINT);
}
