/*
 * Tetrahedral interpolation in WebAssembly SIMD: AssemblyScript, compiled by scripts/build-kernel.mjs into
 * kernelBytes.ts. It computes exactly what the plain loops (../loops.ts) compute, bit for bit; they are the reference
 * and say what is done.
 *
 * Pixels are taken in blocks. `place*` turns a block's values, four or eight pixels to a vector, into addresses of
 * vertices and weights, which it leaves in scratch memory; `blend*` then needs one load per vertex and per weight and
 * no decision: reading a scalar back from memory is cheaper than taking it out of a vector.
 *
 * The order of the fractions comes from sorting keys: fraction in the upper half, distance to the neighbouring vertex
 * along that axis (1, n or n * n vertices) in the lower. Three minima and maxima sort those of four pixels, and the
 * sorted keys hold both what to weigh with and where to go.
 *
 * V8 builds a vector constant anew at every use, in three to five instructions, and a shift by a variable in four:
 * so constants are loaded from memory, and shifts are by fixed numbers where it matters.
 *
 * The caller pads: `pixels` is a multiple of 16; `source` can be read and `target` written 16 bytes beyond the last
 * pixel; they do not overlap.
 */

const BLOCK: i32 = 64;
// Scratch: each row holds one 32-bit number per pixel of a block, for the pixel at SCRATCH + 4 * i.
const ROW: usize = 256;
const SCRATCH: usize = memory.data(1792, 16);
// Byte addresses of the first vertex, of the one after the largest step, of the one before the smallest.
const V0: usize = 0;
const V1: usize = ROW;
const V2: usize = 2 * ROW;
// 8 bits: w0 | w1 << 16 and w2 | w3 << 16. 16 bits: four floats.
const W0: usize = 3 * ROW;
const W1: usize = 4 * ROW;
const W2: usize = 5 * ROW;
const W3: usize = 6 * ROW;

// Constants of a call, 16 bytes each.
const C: usize = memory.data(256, 16);
const CELLS: usize = 0;
const LAST_CELL: usize = 16;
const ONE: usize = 32;
const STEP_R: usize = 48;
const STEP_G: usize = 64;
const STEP_B: usize = 80;
const STRIDES: usize = 96;
const TABLE: usize = 112;
const ALL: usize = 128;
const LOW_HALF: usize = 144;
const TOP: usize = 160;
const ROUND: usize = 176;
const PICK: usize = 192;
const C257: usize = 208;
const C511: usize = 224;
const ALPHA: usize = 240;

/** Where the memory that the caller may use begins. */
export function heap(): usize {
  return (__heap_base + 63) & ~63;
}

@inline
function lowHalves(a: v128, b: v128): v128 {
  return v128.shuffle<i16>(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
}

@inline
function highHalves(a: v128, b: v128): v128 {
  return v128.shuffle<i16>(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
}

/** Constants of both depths; `bytes` is the binary logarithm of a vertex's size. */
@inline
function prepare(table: usize, n: i32, bytes: i32): void {
  v128.store(C, i32x4.splat(n | ((n * n) << 16)), STRIDES);
  v128.store(C, i32x4.splat(table as i32), TABLE);
  v128.store(C, i32x4.splat((1 + n + n * n) << bytes), ALL);
  v128.store(C, i32x4.splat(0xffff), LOW_HALF);
}

// ---------------------------------------------------------------- 8 bits

@inline
function prepare8(table: usize, n: i32, bits: i32): void {
  prepare(table, n, 3);
  v128.store(C, i16x8.splat((n - 1) as i16), CELLS);
  v128.store(C, i16x8.splat((n - 2) as i16), LAST_CELL);
  v128.store(C, i16x8.splat(1), ONE);
  v128.store(C, i16x8.splat(1), STEP_R);
  v128.store(C, i16x8.splat(n as i16), STEP_G);
  v128.store(C, i16x8.splat((n * n) as i16), STEP_B);
  v128.store(C, i32x4.splat(16384), TOP);
  v128.store(C, i32x4.splat(1 << (13 + bits)), ROUND);
  v128.store(C, i16x8.splat(257), C257);
  v128.store(C, i16x8.splat(511), C511);
}

/** Grid cell along one axis: floor(t / 255), at most the last; without a division, right for t < 65535. */
@inline
function cell8(t: v128): v128 {
  const quotient = i16x8.shr_u(i16x8.add(i16x8.add(t, v128.load(C, ONE)), i16x8.shr_u(t, 8)), 8);
  return i16x8.min_u(quotient, v128.load(C, LAST_CELL));
}

/** The fraction inside the cell in 1/16384, rounded to nearest: rest * 16384 / 255 for rest = t - 255 * cell. */
@inline
function fraction8(t: v128, cell: v128): v128 {
  const rest = i16x8.sub(t, i16x8.sub(i16x8.shl(cell, 8), cell));
  // 16384 / 255 = 64 + 0.25098: (257 * rest + 512) >> 10, whose sum needs the 17 bits that the average has.
  const average = i16x8.avgr_u(i16x8.mul(rest, v128.load(C, C257)), v128.load(C, C511));
  return i16x8.add(i16x8.shl(rest, 6), i16x8.shr_u(average, 9));
}

/** Sorts four pixels' keys and stores their addresses (vertices of 8 bytes) and weights. */
@inline
function store8(r: v128, g: v128, b: v128, vertex: v128, at: usize): void {
  const rg = i32x4.max_u(r, g);
  const gr = i32x4.min_u(r, g);
  const high = i32x4.max_u(rg, b);
  const rest = i32x4.min_u(rg, b);
  const middle = i32x4.max_u(gr, rest);
  const low = i32x4.min_u(gr, rest);
  const steps = v128.load(C, LOW_HALF);
  const v0 = i32x4.add(i32x4.shl(vertex, 3), v128.load(C, TABLE));
  v128.store(at, v0, V0);
  v128.store(at, i32x4.add(v0, i32x4.shl(v128.and(high, steps), 3)), V1);
  v128.store(at, i32x4.sub(i32x4.add(v0, v128.load(C, ALL)), i32x4.shl(v128.and(low, steps), 3)), V2);
  const h = v128.andnot(high, steps);
  const m = v128.andnot(middle, steps);
  const l = v128.andnot(low, steps);
  v128.store(at, i32x4.add(i32x4.sub(h, m), i32x4.sub(v128.load(C, TOP), i32x4.shr_u(h, 16))), W0);
  v128.store(at, v128.or(i32x4.shr_u(i32x4.sub(m, l), 16), l), W1);
}

/** Addresses and weights of eight pixels, four in each vector, whose bytes C.PICK sorts by channel. */
@inline
function place8(first: v128, second: v128, at: usize): void {
  const pick = v128.load(C, PICK);
  const a = i8x16.swizzle(first, pick);
  const b = i8x16.swizzle(second, pick);
  const rg = v128.shuffle<i32>(a, b, 0, 4, 1, 5);
  const b_ = v128.shuffle<i32>(a, b, 2, 6, 3, 7);
  const cells = v128.load(C, CELLS);
  const tr = i16x8.mul(i16x8.extend_low_i8x16_u(rg), cells);
  const tg = i16x8.mul(i16x8.extend_high_i8x16_u(rg), cells);
  const tb = i16x8.mul(i16x8.extend_low_i8x16_u(b_), cells);
  const cr = cell8(tr);
  const cg = cell8(tg);
  const cb = cell8(tb);
  const fr = fraction8(tr, cr);
  const fg = fraction8(tg, cg);
  const fb = fraction8(tb, cb);
  const stepR = v128.load(C, STEP_R);
  const stepG = v128.load(C, STEP_G);
  const stepB = v128.load(C, STEP_B);
  const strides = v128.load(C, STRIDES);
  const low = i32x4.add(i32x4.dot_i16x8_s(lowHalves(cg, cb), strides), i32x4.extend_low_i16x8_u(cr));
  store8(lowHalves(stepR, fr), lowHalves(stepG, fg), lowHalves(stepB, fb), low, at);
  const high = i32x4.add(i32x4.dot_i16x8_s(highHalves(cg, cb), strides), i32x4.extend_high_i16x8_u(cr));
  store8(highHalves(stepR, fr), highHalves(stepG, fg), highHalves(stepB, fb), high, at + 16);
}

/** One pixel (r, g, b, 0) in 1/2^bits levels, not clipped. A vertex is four 16-bit integers. */
@inline
function blend8(at: usize, all: usize): v128 {
  const p0 = <usize>load<u32>(at, V0);
  const first = lowHalves(v128.load64_zero(p0), v128.load64_zero(<usize>load<u32>(at, V1)));
  const second = lowHalves(v128.load64_zero(<usize>load<u32>(at, V2)), v128.load64_zero(p0 + all));
  const sum = i32x4.add(
    i32x4.dot_i16x8_s(first, v128.load32_splat(at, W0)),
    i32x4.dot_i16x8_s(second, v128.load32_splat(at, W1)),
  );
  return i32x4.shr_s(i32x4.add(sum, v128.load(C, ROUND)), 14);
}

/** Two pixels as bytes (r, g, b, 0), clipped to 0..255. */
@inline
function two8(at: usize, all: usize, bits: i32): v128 {
  const levels = i16x8.shr_s(i16x8.narrow_i32x4_s(blend8(at, all), blend8(at + 4, all)), bits);
  return i8x16.narrow_i16x8_u(levels, levels);
}

/** 8-bit RGB. `bits` are the table's fractional bits, `n` the LUT's size. */
export function rgb8(source: usize, target: usize, pixels: i32, table: usize, n: i32, bits: i32): void {
  const all: usize = (1 + n + n * n) << 3;
  prepare8(table, n, bits);
  v128.store(C, i8x16(0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11, -1, -1, -1, -1), PICK);
  while (pixels > 0) {
    const block = min(pixels, BLOCK);
    const end: usize = SCRATCH + ((<usize>block) << 2);
    for (let at: usize = SCRATCH; at < end; at += 32) {
      place8(v128.load(source), v128.load(source, 12), at);
      source += 24;
    }
    for (let at: usize = SCRATCH; at < end; at += 8) {
      const two = two8(at, all, bits);
      // The fourth byte is overwritten by the next pixel.
      v128.store32_lane(target, two, 0);
      v128.store32_lane(target, two, 1, 3);
      target += 6;
    }
    pixels -= block;
  }
}

/** 8-bit RGBA; alpha is copied. */
export function rgba8(source: usize, target: usize, pixels: i32, table: usize, n: i32, bits: i32): void {
  const all: usize = (1 + n + n * n) << 3;
  prepare8(table, n, bits);
  v128.store(C, i8x16(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, -1, -1, -1, -1), PICK);
  v128.store(C, i32x4.splat(0xff000000), ALPHA);
  while (pixels > 0) {
    const block = min(pixels, BLOCK);
    const end: usize = SCRATCH + ((<usize>block) << 2);
    for (let at: usize = SCRATCH; at < end; at += 32) {
      place8(v128.load(source), v128.load(source, 16), at);
      source += 32;
    }
    source -= (<usize>block) << 2;
    for (let at: usize = SCRATCH; at < end; at += 8) {
      const two = v128.bitselect(v128.load64_zero(source), two8(at, all, bits), v128.load(C, ALPHA));
      v128.store64_lane(target, two, 0);
      source += 8;
      target += 8;
    }
    pixels -= block;
  }
}

// ---------------------------------------------------------------- 16 bits

@inline
function prepare16(table: usize, n: i32, maximum: i32): void {
  prepare(table, n, 4);
  v128.store(C, i32x4.splat(n - 1), CELLS);
  v128.store(C, i32x4.splat(n - 2), LAST_CELL);
  v128.store(C, i32x4.splat(1), ONE);
  v128.store(C, i32x4.splat(1), STEP_R);
  v128.store(C, i32x4.splat(n), STEP_G);
  v128.store(C, i32x4.splat(n * n), STEP_B);
  v128.store(C, i32x4.splat(maximum), TOP);
  v128.store(C, f32x4.splat(131072.5), ROUND);
  v128.store(C, f32x4.splat(maximum as f32), PICK);
}

/** Grid cell along one axis: floor(t / maximum), at most the last; without a division, right for t < 2^24. */
@inline
function cell16(t: v128, maximum: i32): v128 {
  const quotient =
    maximum == 32768
      ? i32x4.shr_u(t, 15)
      : i32x4.shr_u(i32x4.add(i32x4.add(t, v128.load(C, ONE)), i32x4.shr_u(t, 16)), 16);
  return i32x4.min_u(quotient, v128.load(C, LAST_CELL));
}

/** The key: t - maximum * cell (0..maximum) above the distance to the neighbour. */
@inline
function key16(t: v128, cell: v128, step: v128, maximum: i32): v128 {
  // What is shifted out of the upper half need not be computed.
  const rest = maximum == 32768 ? i32x4.sub(t, i32x4.shl(cell, 15)) : i32x4.add(t, cell);
  return v128.or(i32x4.shl(rest, 16), step);
}

/** One channel of four pixels, times the number of cells. */
@inline
function scaled16(values: v128, maximum: i32): v128 {
  return i32x4.mul(maximum == 32768 ? i32x4.min_u(values, v128.load(C, TOP)) : values, v128.load(C, CELLS));
}

/** Addresses (vertices of 16 bytes) and weights of four pixels that are `size` bytes each. */
@inline
function place16(source: usize, size: usize, at: usize, maximum: i32): void {
  const first = lowHalves(v128.load64_zero(source), v128.load64_zero(source + size));
  const second = lowHalves(v128.load64_zero(source + 2 * size), v128.load64_zero(source + 3 * size));
  const rg = v128.shuffle<i32>(first, second, 0, 4, 1, 5);
  const b_ = v128.shuffle<i32>(first, second, 2, 6, 3, 7);
  const tr = scaled16(i32x4.extend_low_i16x8_u(rg), maximum);
  const tg = scaled16(i32x4.extend_high_i16x8_u(rg), maximum);
  const tb = scaled16(i32x4.extend_low_i16x8_u(b_), maximum);
  const cr = cell16(tr, maximum);
  const cg = cell16(tg, maximum);
  const cb = cell16(tb, maximum);
  const kr = key16(tr, cr, v128.load(C, STEP_R), maximum);
  const kg = key16(tg, cg, v128.load(C, STEP_G), maximum);
  const kb = key16(tb, cb, v128.load(C, STEP_B), maximum);
  // Both cell numbers are below 2^15: as pairs of 16 bits one instruction gives n * cg + n * n * cb.
  const vertex = i32x4.add(cr, i32x4.dot_i16x8_s(v128.or(cg, i32x4.shl(cb, 16)), v128.load(C, STRIDES)));
  const rg_ = i32x4.max_u(kr, kg);
  const gr = i32x4.min_u(kr, kg);
  const high = i32x4.max_u(rg_, kb);
  const rest = i32x4.min_u(rg_, kb);
  const middle = i32x4.max_u(gr, rest);
  const low = i32x4.min_u(gr, rest);
  const steps = v128.load(C, LOW_HALF);
  const v0 = i32x4.add(i32x4.shl(vertex, 4), v128.load(C, TABLE));
  v128.store(at, v0, V0);
  v128.store(at, i32x4.add(v0, i32x4.shl(v128.and(high, steps), 4)), V1);
  v128.store(at, i32x4.sub(i32x4.add(v0, v128.load(C, ALL)), i32x4.shl(v128.and(low, steps), 4)), V2);
  const h = i32x4.shr_u(high, 16);
  const m = i32x4.shr_u(middle, 16);
  const l = i32x4.shr_u(low, 16);
  v128.store(at, f32x4.convert_i32x4_s(i32x4.sub(v128.load(C, TOP), h)), W0);
  v128.store(at, f32x4.convert_i32x4_s(i32x4.sub(h, m)), W1);
  v128.store(at, f32x4.convert_i32x4_s(i32x4.sub(m, l)), W2);
  v128.store(at, f32x4.convert_i32x4_s(l), W3);
}

/** One pixel (r, g, b, 0), clipped; the level is the upper half of each lane. A vertex is four floats. */
@inline
function blend16(at: usize, all: usize): v128 {
  const p0 = <usize>load<u32>(at, V0);
  const sum = f32x4.add(
    f32x4.add(
      f32x4.mul(v128.load(p0), v128.load32_splat(at, W0)),
      f32x4.mul(v128.load(<usize>load<u32>(at, V1)), v128.load32_splat(at, W1)),
    ),
    f32x4.add(
      f32x4.mul(v128.load(<usize>load<u32>(at, V2)), v128.load32_splat(at, W2)),
      f32x4.mul(v128.load(p0 + all), v128.load32_splat(at, W3)),
    ),
  );
  const clipped = f32x4.pmin(v128.load(C, PICK), f32x4.pmax(f32x4.splat(0), sum));
  // A float between 2^17 and 2^18 is a whole number of 1/64: its bits from the sixth on are the level.
  return i32x4.shl(f32x4.add(clipped, v128.load(C, ROUND)), 10);
}

/** Two pixels (r, g, b, 0). */
@inline
function two16(at: usize, all: usize): v128 {
  return v128.shuffle<i16>(blend16(at, all), blend16(at + 4, all), 1, 3, 5, 7, 9, 11, 13, 15);
}

@inline
function rgb(source: usize, target: usize, pixels: i32, table: usize, n: i32, maximum: i32): void {
  const all: usize = (1 + n + n * n) << 4;
  prepare16(table, n, maximum);
  while (pixels > 0) {
    const block = min(pixels, BLOCK);
    const end: usize = SCRATCH + ((<usize>block) << 2);
    for (let at: usize = SCRATCH; at < end; at += 16) {
      place16(source, 6, at, maximum);
      source += 24;
    }
    for (let at: usize = SCRATCH; at < end; at += 8) {
      const two = two16(at, all);
      // The fourth value is overwritten by the next pixel.
      v128.store64_lane(target, two, 0);
      v128.store64_lane(target, two, 1, 6);
      target += 12;
    }
    pixels -= block;
  }
}

@inline
function rgba(source: usize, target: usize, pixels: i32, table: usize, n: i32, maximum: i32): void {
  const all: usize = (1 + n + n * n) << 4;
  prepare16(table, n, maximum);
  v128.store(C, i64x2.splat(0xffff000000000000), ALPHA);
  while (pixels > 0) {
    const block = min(pixels, BLOCK);
    const end: usize = SCRATCH + ((<usize>block) << 2);
    for (let at: usize = SCRATCH; at < end; at += 16) {
      place16(source, 8, at, maximum);
      source += 32;
    }
    source -= (<usize>block) << 3;
    for (let at: usize = SCRATCH; at < end; at += 8) {
      v128.store(target, v128.bitselect(v128.load(source), two16(at, all), v128.load(C, ALPHA)));
      source += 16;
      target += 16;
    }
    pixels -= block;
  }
}

/** 16-bit RGB of 0..65535. */
export function rgb16(source: usize, target: usize, pixels: i32, table: usize, n: i32): void {
  rgb(source, target, pixels, table, n, 65535);
}

/** 16-bit RGBA of 0..65535; alpha is copied. */
export function rgba16(source: usize, target: usize, pixels: i32, table: usize, n: i32): void {
  rgba(source, target, pixels, table, n, 65535);
}

/** 16-bit RGB of 0..32768; larger values count as that. */
export function rgb15(source: usize, target: usize, pixels: i32, table: usize, n: i32): void {
  rgb(source, target, pixels, table, n, 32768);
}

/** 16-bit RGBA of 0..32768. */
export function rgba15(source: usize, target: usize, pixels: i32, table: usize, n: i32): void {
  rgba(source, target, pixels, table, n, 32768);
}
