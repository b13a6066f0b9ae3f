'use strict';
/* HEIC by libheif and libde265 (libheif-js), through libheif's C interface. */
const { readFileSync } = require('node:fs');
const { createRequire } = require('node:module');
const path = require('node:path');

/** Version of libheif's struct heif_decoding_options that the offsets below are of (heif_decoding.h, 32-bit pointers). */
const OPTIONS_VERSION = 10;
const AUTOCORRECT = 68;
const KEEP_COLORS = 69;
/** struct heif_security_limits: max_image_size_pixels. */
const MOST_PIXELS = 8;
/** heif_colorspace, heif_chroma, heif_channel. */
const RGB = 1;
const CHROMA = { 3: { 8: 10, 16: 14 }, 4: { 8: 11, 16: 15 } };
const INTERLEAVED = 10;
/** heif_error_code: file type, feature, and a coding (VVC, AVC) whose decoder is not built in. */
const UNSUPPORTED = [3, 4, 11];
const MEMORY = 6;
/** heif_suberror_code: file and coded picture state different colors, of which the file's count. */
const COLORS_DISAGREE = 152;
/** Transfer characteristics of high dynamic range (ITU-T H.273): PQ, HLG. */
const HIGH_DYNAMIC_RANGE = [16, 18];
/** Blocks of metadata that are looked at, and their longest. */
const MOST_BLOCKS = 16;
const LONGEST_BLOCK = 16 << 20;

class Refused extends Error {
  constructor(reply) {
    super(reply.kind);
    this.reply = reply;
  }
}

/** The library's memory and calls. Addresses are numbers; every call that can fail throws Refused. */
class Heif {
  constructor() {
    const library = createRequire(__filename).resolve('libheif-js/libheif-wasm/libheif.js');
    const start = createRequire(__filename)(library);
    this.lib = start({
      wasmBinary: readFileSync(path.join(path.dirname(library), 'libheif.wasm')),
      print: () => undefined,
      printErr: () => undefined,
    });
    this.result = this.lib._malloc(16);
    this.out = this.lib._malloc(16);
  }

  /** Memory may have grown: views are taken anew for each use. */
  u8() {
    return this.lib.HEAPU8;
  }

  u32(at) {
    return new DataView(this.u8().buffer).getUint32(at, true);
  }

  text(at) {
    const end = this.u8().indexOf(0, at);
    return Buffer.from(this.u8().slice(at, end)).toString('latin1');
  }

  /** Calls what returns a heif_error. */
  call(name, ...args) {
    this.lib[name](this.result, ...args);
    const code = this.u32(this.result);
    if (code === 0) return;
    const reason = this.text(this.u32(this.result + 8)).slice(0, 200);
    const kind = code === MEMORY ? 'memory' : UNSUPPORTED.includes(code) ? 'unsupported' : 'damaged';
    throw new Refused({ kind, reason });
  }

  /** Calls what also writes an address, and gives that. */
  made(name, ...args) {
    new DataView(this.u8().buffer).setUint32(this.out, 0, true);
    this.call(name, ...args);
    return this.u32(this.out);
  }

  bytes(length, name, ...args) {
    const at = this.lib._malloc(length);
    this.call(name, ...args, at);
    const bytes = this.u8().slice(at, at + length);
    this.lib._free(at);
    return bytes;
  }

  open(file) {
    const context = this.lib._heif_context_alloc();
    const at = this.lib._malloc(file.length);
    if (at === 0) throw new Refused({ kind: 'memory', reason: 'no memory for the file' });
    this.u8().set(file, at);
    this.call('_heif_context_read_from_memory_without_copy', context, at, file.length, 0);
    return context;
  }

  profile(handle) {
    const length = this.lib._heif_image_handle_get_raw_color_profile_size(handle);
    if (length === 0 || length > LONGEST_BLOCK) return undefined;
    return this.bytes(length, '_heif_image_handle_get_raw_color_profile', handle);
  }

  /** Primaries and curve by number (ITU-T H.273), as the file or else the coded picture states them. */
  codedColors(get, of) {
    try {
      const at = this.made(get, of, this.out);
      return { primaries: this.u32(at + 4), transfer: this.u32(at + 8) };
    } catch (thrown) {
      if (thrown instanceof Refused) return undefined;
      throw thrown;
    }
  }

  /** What the decoder met on its way: tiles that are missing or make no sense, most of the time. */
  warnings(image) {
    const list = this.lib._malloc(12 * MOST_BLOCKS);
    const count = this.lib._heif_image_get_decoding_warnings(image, 0, list, MOST_BLOCKS);
    return Array.from({ length: Math.min(count, MOST_BLOCKS) }, (_, i) => ({
      subcode: this.u32(list + 12 * i + 4),
      reason: this.text(this.u32(list + 12 * i + 8)).slice(0, 200),
    }));
  }

  metadata(handle) {
    const found = {};
    const count = Math.min(this.lib._heif_image_handle_get_number_of_metadata_blocks(handle, 0), MOST_BLOCKS);
    const ids = this.lib._malloc(4 * MOST_BLOCKS);
    this.lib._heif_image_handle_get_list_of_metadata_block_IDs(handle, 0, ids, count);
    for (let i = 0; i < count; i++) {
      const id = this.u32(ids + 4 * i);
      const length = this.lib._heif_image_handle_get_metadata_size(handle, id);
      if (length <= 0 || length > LONGEST_BLOCK) continue;
      const type = this.text(this.lib._heif_image_handle_get_metadata_type(handle, id));
      const content = this.text(this.lib._heif_image_handle_get_metadata_content_type(handle, id));
      const key = type === 'Exif' ? 'exif' : content === 'application/rdf+xml' ? 'xmp' : undefined;
      if (key) found[key] ??= this.bytes(length, '_heif_image_handle_get_metadata', handle, id);
    }
    // Four bytes before the block say where in it the TIFF header is.
    if (found.exif) {
      const skip = found.exif.length < 4 ? 0 : new DataView(found.exif.buffer).getUint32(0);
      found.exif = found.exif.slice(Math.min(4 + skip, found.exif.length));
    }
    return found;
  }

  decode(handle, channels, bits) {
    const options = this.lib._heif_decoding_options_alloc();
    if (this.u8()[options] !== OPTIONS_VERSION) throw new Error('This is another libheif than the one built for.');
    this.u8()[options + AUTOCORRECT] = 1;
    // Otherwise every picture would be brought to sRGB, its profile notwithstanding.
    this.u8()[options + KEEP_COLORS] = 1;
    const chroma = CHROMA[channels][bits > 8 ? 16 : 8];
    return this.made('_heif_decode_image', handle, this.out, RGB, chroma, options);
  }
}

/** Rows without the padding behind them; more than 8 bits spread over 16, exactly at both ends. */
function samplesOf(heif, image, channels, bits) {
  const { lib } = heif;
  const width = lib._heif_image_get_width(image, INTERLEAVED);
  const height = lib._heif_image_get_height(image, INTERLEAVED);
  const start = lib._heif_image_get_plane_readonly2(image, INTERLEAVED, heif.out);
  const stride = heif.u32(heif.out);
  const size = bits > 8 ? 2 : 1;
  const row = width * channels * size;
  const all = heif.u8();
  if (start === 0 || stride < row) throw new Refused({ kind: 'damaged', reason: 'its picture has no pixels' });
  const bytes = new Uint8Array(row * height);
  for (let y = 0; y < height; y++) bytes.set(all.subarray(start + y * stride, start + y * stride + row), y * row);
  if (size === 1) return { width, height, data: bytes };
  const data = new Uint16Array(bytes.buffer);
  const [up, down] = [16 - bits, 2 * bits - 16];
  for (let i = 0; i < data.length; i++) data[i] = (data[i] << up) | (data[i] >> down);
  return { width, height, data };
}

/** Colors that were stored multiplied by their alpha. */
function divideByAlpha(data) {
  const top = data instanceof Uint16Array ? 65535 : 255;
  for (let i = 0; i < data.length; i += 4) {
    const alpha = data[i + 3];
    if (alpha === 0 || alpha === top) continue;
    for (let c = i; c < i + 3; c++) data[c] = Math.min(top, Math.round((data[c] * top) / alpha));
  }
}

function pictureIn(heif, file, limits) {
  const { lib } = heif;
  const context = heif.open(file);
  const handle = heif.made('_heif_context_get_primary_image_handle', context, heif.out);
  const width = lib._heif_image_handle_get_width(handle);
  const height = lib._heif_image_handle_get_height(handle);
  if (width * height > limits.pixels || Math.max(width, height) > limits.side)
    return { kind: 'too-large', width, height };
  const most = lib._heif_context_get_security_limits(context);
  new DataView(heif.u8().buffer).setBigUint64(most + MOST_PIXELS, BigInt(limits.pixels), true);
  const coded = heif.codedColors('_heif_image_handle_get_nclx_color_profile', handle);
  if (coded && HIGH_DYNAMIC_RANGE.includes(coded.transfer)) return { kind: 'high-dynamic-range' };
  const bits = Math.max(8, lib._heif_image_handle_get_luma_bits_per_pixel(handle));
  const channels = lib._heif_image_handle_has_alpha_channel(handle) ? 4 : 3;
  const image = heif.decode(handle, channels, bits);
  const stated = coded ?? heif.codedColors('_heif_image_get_nclx_color_profile', image);
  if (stated && HIGH_DYNAMIC_RANGE.includes(stated.transfer)) return { kind: 'high-dynamic-range' };
  const [damage] = heif.warnings(image).filter(({ subcode }) => subcode !== COLORS_DISAGREE);
  if (damage) return { kind: 'damaged', reason: damage.reason };
  const stored = lib._heif_image_get_bits_per_pixel_range(image, INTERLEAVED);
  const picture = samplesOf(heif, image, channels, stored);
  if (channels === 4 && lib._heif_image_handle_is_premultiplied_alpha(handle)) divideByAlpha(picture.data);
  return {
    kind: 'picture',
    ...picture,
    channels,
    icc: heif.profile(handle),
    coded: stated,
    pictures: lib._heif_context_get_number_of_top_level_images(context),
    ...heif.metadata(handle),
  };
}

async function decodeHeic(file, { limits }) {
  try {
    return pictureIn(new Heif(), file, limits);
  } catch (thrown) {
    if (thrown instanceof Refused) return thrown.reply;
    throw thrown;
  }
}

module.exports = { decodeHeic };
