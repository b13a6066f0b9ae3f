import { type Lut3D } from './lut3d';

export interface CubeOptions {
  /** Shown by hosts as the name of the look. Characters a `.cube` file cannot hold become `_`. */
  readonly title?: string;
  /** Comment lines at the top, without `#`. */
  readonly comments?: readonly string[];
}

const SPACE = 0x20;
const NEWLINE = 0x0a;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;

/** Digits after the decimal point: 1e-6 is 1/15 of a 16-bit level. */
const DECIMALS = 6;
const UNIT = 10 ** DECIMALS;
/** Longest number: "-1000.000000" and its separator. */
const MAX_NUMBER_LENGTH = 13;

/** Longest line the format allows, less the keyword and quotes of TITLE. */
const MAX_TEXT = 200;

/**
 * The LUT as `.cube` text (Adobe's Cube LUT specification 1.0: red fastest, domain 0..1), six decimals, LF lines.
 * Only printable ASCII is written, because that is all the specification allows.
 */
export function formatCube(lut: Lut3D, options: CubeOptions = {}): string {
  const bytes = formatCubeBytes(lut, options);
  // In pieces: a call takes only so many arguments, and not every host has a TextDecoder.
  const pieces: string[] = [];
  for (let i = 0; i < bytes.length; i += 8192) {
    pieces.push(String.fromCharCode(...bytes.subarray(i, i + 8192)));
  }
  return pieces.join('');
}

/** The same as `formatCube`, as bytes ready to be written or embedded; about 5 ms for 33^3. */
export function formatCubeBytes(lut: Lut3D, options: CubeOptions = {}): Uint8Array<ArrayBuffer> {
  const header = [
    `TITLE "${ascii(options.title ?? 'VeraRetouch').replaceAll('"', "'")}"`,
    ...(options.comments ?? []).map((comment) => `# ${ascii(comment)}`),
    `LUT_3D_SIZE ${lut.size}`,
    'DOMAIN_MIN 0.0 0.0 0.0',
    'DOMAIN_MAX 1.0 1.0 1.0',
    '',
  ].join('\n');
  const { data } = lut;
  const bytes = new Uint8Array(header.length + data.length * MAX_NUMBER_LENGTH);
  let at = 0;
  for (; at < header.length; at++) bytes[at] = header.charCodeAt(at);
  for (let i = 0; i < data.length; i++) {
    at = writeNumber(bytes, at, data[i]);
    bytes[at++] = i % 3 === 2 ? NEWLINE : SPACE;
  }
  return bytes.slice(0, at);
}

/** Writes `value` with six decimals, always with a point whatever the locale; returns the next position. */
function writeNumber(bytes: Uint8Array, at: number, value: number): number {
  let scaled = Math.round(Math.abs(value) * UNIT);
  if (value < 0 && scaled > 0) bytes[at++] = MINUS;
  const whole = Math.floor(scaled / UNIT);
  scaled -= whole * UNIT;
  if (whole < 10) bytes[at++] = ZERO + whole;
  else for (const digit of String(whole)) bytes[at++] = digit.charCodeAt(0);
  bytes[at++] = POINT;
  for (let place = at + DECIMALS - 1; place >= at; place--) {
    bytes[place] = ZERO + (scaled % 10);
    scaled = Math.floor(scaled / 10);
  }
  return at + DECIMALS;
}

function ascii(text: string): string {
  return text.replace(/[^\x20-\x7e]/gu, '_').slice(0, MAX_TEXT);
}
