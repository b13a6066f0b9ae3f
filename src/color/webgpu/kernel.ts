/** What a buffer of pixels holds: interleaved values of 8 or 16 bits, three or four to a pixel. */
export interface PixelFormat {
  readonly channels: 3 | 4;
  readonly bits: 8 | 16;
}

/** Invocations of a workgroup; more is refused by some devices, fewer leaves others idle. */
export const WORKGROUP = 64;

/**
 * Pixels that one invocation works on, and the 32-bit words that hold them: the smallest whole number of pixels in
 * whole words, or, where one pixel is that, as many as make the same number of bytes.
 */
export function groupOf({ channels, bits }: PixelFormat): { readonly pixels: number; readonly words: number } {
  const pixels = 32 / bits;
  return { pixels, words: (pixels * channels * bits) / 32 };
}

/**
 * The WGSL program that applies a LUT in place by tetrahedral interpolation, the same rule as `loops.ts`: cell and
 * weights are exact integers, sums are 32-bit floats. Against the processor results differ by at most one level, and
 * only where a value lies within some thousandths of the middle between two levels.
 *
 * Bindings of group 0: 0 the LUT, a vec4 for each grid point, red fastest; 1 the pixels as words, little-endian; 2
 * a uniform of four u32: grid points per axis, the level that means 1, groups of pixels, invocations in a row.
 */
export function lutShader(format: PixelFormat): string {
  const group = groupOf(format);
  const { channels, bits } = format;
  const perWord = 32 / bits;
  const mask = bits === 8 ? '0xffu' : '0xffffu';
  const lines: string[] = [];
  const value = (index: number): string => {
    const shift = (index % perWord) * bits;
    const word = `word${Math.floor(index / perWord)}`;
    return `${shift ? `(${word} >> ${shift}u)` : word} & ${mask}`;
  };
  for (let word = 0; word < group.words; word++) lines.push(`let word${word} = pixels[first + ${word}u];`);
  for (let pixel = 0; pixel < group.pixels; pixel++) {
    const at = pixel * channels;
    lines.push(`let pixel${pixel} = retouched(vec3<u32>(${value(at)}, ${value(at + 1)}, ${value(at + 2)}));`);
  }
  for (let word = 0; word < group.words; word++) {
    const parts = Array.from({ length: perWord }, (_, place) => {
      const index = word * perWord + place;
      const [pixel, channel] = [Math.floor(index / channels), index % channels];
      const shift = place * bits;
      // Alpha stays where it is.
      if (channel === 3) return `(word${word} & (${mask} << ${shift}u))`;
      return `(pixel${pixel}[${channel}] << ${shift}u)`;
    });
    lines.push(`pixels[first + ${word}u] = ${parts.join(' | ')};`);
  }
  return `${COMMON}
@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let index = id.x + id.y * parameters.row;
  if (index >= parameters.groups) {
    return;
  }
  let first = index * ${group.words}u;
  ${lines.join('\n  ')}
}
`;
}

const COMMON = `struct Parameters {
  size: u32,
  maximum: u32,
  groups: u32,
  row: u32,
}
@group(0) @binding(0) var<storage, read> lut: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> pixels: array<u32>;
@group(0) @binding(2) var<uniform> parameters: Parameters;

fn retouched(color: vec3<u32>) -> vec3<u32> {
  let size = parameters.size;
  let maximum = parameters.maximum;
  let scaled = min(color, vec3<u32>(maximum)) * (size - 1u);
  let cell = min(scaled / maximum, vec3<u32>(size - 2u));
  let rest = scaled - cell * maximum;
  let stride = vec3<u32>(1u, size, size * size);
  let low = cell.x + size * (cell.y + size * cell.z);
  let high = low + stride.x + stride.y + stride.z;
  // The axes of the largest and of the smallest fraction.
  let largest = select(select(2u, 1u, rest.y >= rest.z), 0u, rest.x >= rest.y && rest.x >= rest.z);
  let smallest = select(select(0u, 1u, rest.x >= rest.y), 2u, rest.y >= rest.z && rest.x >= rest.z);
  let most = rest[largest];
  let least = rest[smallest];
  let middle = rest.x + rest.y + rest.z - most - least;
  let sum = lut[low] * f32(maximum - most) + lut[low + stride[largest]] * f32(most - middle)
    + lut[high - stride[smallest]] * f32(middle - least) + lut[high] * f32(least);
  return vec3<u32>(clamp(sum.xyz, vec3<f32>(0.0), vec3<f32>(f32(maximum))) + 0.5);
}
`;
