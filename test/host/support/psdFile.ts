/** What a PSD or PSB is to hold. */
export interface PsdRecipe {
  /** Color mode by number: 1 gray, 2 indexed, 3 RGB, 4 CMYK, 8 duotone. */
  readonly mode: number;
  readonly width: number;
  readonly height: number;
  /** Samples by row, as they are stored. */
  readonly data: Uint8Array | Uint16Array;
  readonly channels: number;
  readonly large?: boolean;
  readonly packed?: boolean;
  readonly palette?: Uint8Array;
  readonly resources?: Readonly<Record<number, Uint8Array>>;
  /** Of layers: negative where the first channel behind the colors is transparency. */
  readonly layers?: number;
}

const uint = (value: number, length: number): Buffer => {
  const out = Buffer.alloc(length);
  out.writeUIntBE(value, Math.max(0, length - 6), Math.min(6, length));
  return out;
};

/** A PSD, or a PSB where it is large, by Adobe Photoshop File Formats Specification. */
export function psdFile(recipe: PsdRecipe): Buffer {
  const { mode, width, height, data, channels, large = false, resources = {}, palette, layers } = recipe;
  const depth = data.BYTES_PER_ELEMENT * 8;
  const section = (content: Buffer, length = 4): Buffer => Buffer.concat([uint(content.length, length), content]);
  const blocks = Object.entries(resources).map(([id, bytes]) =>
    Buffer.concat([
      Buffer.from('8BIM'),
      uint(Number(id), 2),
      Buffer.alloc(2),
      section(Buffer.from(bytes)),
      Buffer.alloc(bytes.length % 2),
    ]),
  );
  const size = large ? 8 : 4;
  const layerInfo = layers === undefined ? Buffer.alloc(0) : Buffer.alloc(4);
  if (layers !== undefined) layerInfo.writeInt16BE(layers);
  return Buffer.concat([
    Buffer.from('8BPS'),
    uint(large ? 2 : 1, 2),
    Buffer.alloc(6),
    uint(channels, 2),
    uint(height, 4),
    uint(width, 4),
    uint(depth, 2),
    uint(mode, 2),
    section(Buffer.from(palette ?? [])),
    section(Buffer.concat(blocks)),
    section(layers === undefined ? Buffer.alloc(0) : Buffer.concat([section(layerInfo, size), uint(0, 4)]), size),
    pixels(recipe),
  ]);
}

function pixels({ width, height, data, channels, large = false, packed = false }: PsdRecipe): Buffer {
  const bytes = data.BYTES_PER_ELEMENT;
  const rows: Buffer[] = [];
  for (let c = 0; c < channels; c++) {
    for (let y = 0; y < height; y++) {
      const row = Buffer.alloc(width * bytes);
      for (let x = 0; x < width; x++) row.writeUIntBE(data[(y * width + x) * channels + c], x * bytes, bytes);
      rows.push(row);
    }
  }
  if (!packed) return Buffer.concat([uint(0, 2), ...rows]);
  // PackBits with stretches of single bytes only.
  const coded = rows.map((row) =>
    Buffer.concat(
      Array.from({ length: Math.ceil(row.length / 128) }, (_, i) => {
        const part = row.subarray(i * 128, (i + 1) * 128);
        return Buffer.concat([uint(part.length - 1, 1), part]);
      }),
    ),
  );
  return Buffer.concat([uint(1, 2), ...coded.map((row) => uint(row.length, large ? 4 : 2)), ...coded]);
}
