/** Profiles byte by byte, written a second time so that the reader is not tested with the project's own writer only. */

export interface RawProfile {
  version?: number;
  deviceClass?: string;
  colorSpace?: string;
  connectionSpace?: string;
  signature?: string;
  /** Length the header gives, where it is not the true one. */
  length?: number;
  /** Count of tags that the table gives, where it is not the true one. */
  count?: number;
  /** Data, or a place to be written into the table as it is. */
  tags?: [string, Buffer | { offset: number; size: number }][];
}

export function rawProfile(options: RawProfile): Uint8Array {
  const { tags = [] } = options;
  const table = Buffer.alloc(4 + 12 * tags.length);
  const blocks: Buffer[] = [];
  let end = 128 + table.length;
  table.writeUInt32BE(options.count ?? tags.length);
  tags.forEach(([name, data], i) => {
    const place = data instanceof Uint8Array ? { offset: end, size: data.length } : data;
    table.write(name, 4 + 12 * i, 'latin1');
    table.writeUInt32BE(place.offset, 8 + 12 * i);
    table.writeUInt32BE(place.size, 12 + 12 * i);
    if (data instanceof Uint8Array) {
      blocks.push(data);
      end += data.length;
    }
  });
  const header = Buffer.alloc(128);
  header.writeUInt32BE(options.length ?? end);
  header[8] = options.version ?? 4;
  header.write(options.deviceClass ?? 'mntr', 12, 'latin1');
  header.write(options.colorSpace ?? 'RGB ', 16, 'latin1');
  header.write(options.connectionSpace ?? 'XYZ ', 20, 'latin1');
  header.write(options.signature ?? 'acsp', 36, 'latin1');
  return new Uint8Array(Buffer.concat([header, table, ...blocks]));
}

const named = (name: string, length: number): Buffer => {
  const data = Buffer.alloc(length);
  data.write(name, 'latin1');
  return data;
};

export function xyz(x: number, y: number, z: number): Buffer {
  const data = named('XYZ ', 20);
  [x, y, z].forEach((value, i) => data.writeInt32BE(Math.round(value * 65536), 8 + 4 * i));
  return data;
}

/** curveType; `count` where it is not the number of entries. */
export function curv(entries: readonly number[], count = entries.length): Buffer {
  const data = named('curv', 12 + 2 * entries.length);
  data.writeUInt32BE(count, 8);
  entries.forEach((entry, i) => data.writeUInt16BE(entry, 12 + 2 * i));
  return data;
}

/** parametricCurveType. */
export function para(type: number, parameters: readonly number[]): Buffer {
  const data = named('para', 12 + 4 * parameters.length);
  data.writeUInt16BE(type, 8);
  parameters.forEach((value, i) => data.writeInt32BE(Math.round(value * 65536), 12 + 4 * i));
  return data;
}

export const LINEAR = curv([]);

/** sRGB's primaries as the profiles of 1998 give them, with the same curve for all three unless told otherwise. */
export function matrixTags(curves: Buffer | [Buffer, Buffer, Buffer] = LINEAR): [string, Buffer][] {
  const [r, g, b] = curves instanceof Uint8Array ? [curves, curves, curves] : curves;
  return [
    ['rXYZ', xyz(0.43607, 0.22249, 0.01392)],
    ['gXYZ', xyz(0.38515, 0.71687, 0.09708)],
    ['bXYZ', xyz(0.14307, 0.06061, 0.7141)],
    ['rTRC', r],
    ['gTRC', g],
    ['bTRC', b],
  ];
}
