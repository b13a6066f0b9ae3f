import { unreadable } from './errors';
import { MAX_PRESET_BYTES } from './values';

/** Neither XML nor Lua source can hold these; every binary format does. */
// eslint-disable-next-line no-control-regex -- they are what is looked for
const BINARY = /[\0-\x08\x0b\x0e-\x1f\uFFFE\uFFFF]/;

/**
 * The text of a preset file: UTF-8 with or without byte order mark, or UTF-16, whose order is told by its mark or else by
 * the zeros of its first letters. Zeros behind the text are padding, which some writers leave. What an XML declaration
 * says of the encoding is not believed: presets are UTF-8 whatever their generator claims, and bytes that are not fail here.
 *
 * @throws PresetError PRESET_TOO_LARGE over 4 MB, before anything else is looked at; PRESET_ENCODING for what is not text
 */
export function decodeText(bytes: Uint8Array): string {
  if (bytes.byteLength > MAX_PRESET_BYTES) {
    throw unreadable(
      'PRESET_TOO_LARGE',
      `It has ${bytes.byteLength} bytes; the limit is ${MAX_PRESET_BYTES}.`,
      'Check that it is a preset; one with many brushed masks can be saved again without them.',
    );
  }
  const encoding = encodingOf(bytes);
  let text: string;
  try {
    text = withoutPadding(new TextDecoder(encoding, { fatal: true }).decode(bytes));
  } catch {
    if (encoding === 'utf-8' && !bytes.some(isControl)) {
      throw unreadable(
        'PRESET_ENCODING',
        'Its letters are not written in UTF-8.',
        'Open it in a text editor and save it as UTF-8, or export the preset again.',
      );
    }
    throw notText(`It is not ${encoding.toUpperCase()} text.`);
  }
  if (BINARY.test(text)) throw notText('It holds bytes that no text has.');
  return text;
}

function encodingOf([first, second, third, fourth]: Uint8Array): 'utf-8' | 'utf-16le' | 'utf-16be' {
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  if (first === 0xfe && second === 0xff) return 'utf-16be';
  // XML 1.0, appendix F.1: no text of a preset begins with anything but letters of ASCII.
  if (first > 0 && second === 0 && third > 0 && fourth === 0) return 'utf-16le';
  if (first === 0 && second > 0 && third === 0 && fourth > 0) return 'utf-16be';
  return 'utf-8';
}

function withoutPadding(text: string): string {
  let end = text.length;
  while (end > 0 && text.charCodeAt(end - 1) === 0) end--;
  return text.slice(0, end);
}

function isControl(byte: number): boolean {
  return byte < 9 || (byte > 13 && byte < 32);
}

function notText(detail: string) {
  return unreadable(
    'PRESET_ENCODING',
    detail,
    'Choose an .xmp or .lrtemplate file, or a DNG, JPEG or TIFF photo that Lightroom keeps its settings in. Of other photos, save a preset in Lightroom first.',
  );
}
