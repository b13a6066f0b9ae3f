/** RGB in [0,1] to RGB in [0,1]. */
export type ColorMap = (r: number, g: number, b: number) => [number, number, number];

/**
 * Reads a DeviceLink from its bytes (ICC.1:2001-04) and interpolates its table in tetrahedra. Written apart from
 * src/color, so that a fault there does not hide behind the same fault here. Undefined for what is no such profile:
 * Photoshop then renders the layer as if nothing were set.
 */
export function readDeviceLink(bytes: Uint8Array): ColorMap | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const sign = (at: number): string => String.fromCharCode(...bytes.subarray(at, at + 4));
  if (bytes.length < 132 || view.getUint32(0) !== bytes.length || sign(36) !== 'acsp') return undefined;
  if (sign(12) !== 'link' || sign(16) !== 'RGB ' || sign(20) !== 'RGB ') return undefined;
  const tags = Array.from({ length: view.getUint32(128) }, (_, i) => 132 + 12 * i);
  const entry = tags.find((at) => sign(at) === 'A2B0');
  if (entry === undefined) return undefined;
  const start = view.getUint32(entry + 4);
  if (sign(start) !== 'mft2' || bytes[start + 8] !== 3 || bytes[start + 9] !== 3) return undefined;
  const size = bytes[start + 10];
  const [inputs, outputs] = [view.getUint16(start + 48), view.getUint16(start + 50)];
  const input = start + 52;
  const table = input + 6 * inputs;
  const output = table + 6 * size ** 3;
  if (output + 6 * outputs > bytes.length) return undefined;

  const curve = (at: number, entries: number, x: number): number => {
    const place = Math.min(1, Math.max(0, x)) * (entries - 1);
    const low = Math.min(Math.floor(place), entries - 2);
    const [a, b] = [view.getUint16(at + 2 * low), view.getUint16(at + 2 * low + 2)];
    return (a + (b - a) * (place - low)) / 65535;
  };
  const point = (r: number, g: number, b: number, channel: number): number =>
    view.getUint16(table + 2 * (3 * ((r * size + g) * size + b) + channel)) / 65535;

  return (r, g, b) => {
    const place = [r, g, b].map((x, i) => curve(input + 2 * inputs * i, inputs, x) * (size - 1));
    const cell = place.map((x) => Math.min(Math.floor(x), size - 2));
    const part = place.map((x, i) => x - cell[i]);
    // From the low corner to the high one, along the axes in the order of their fractions.
    const order = [0, 1, 2].sort((a, c) => part[c] - part[a]);
    const corner = [...cell];
    return [0, 1, 2].map((channel) => {
      corner.splice(0, 3, ...cell);
      let before = point(corner[0], corner[1], corner[2], channel);
      let value = before;
      for (const axis of order) {
        corner[axis]++;
        const after = point(corner[0], corner[1], corner[2], channel);
        value += part[axis] * (after - before);
        before = after;
      }
      return curve(output + 2 * outputs * channel, outputs, value);
    }) as [number, number, number];
  };
}
