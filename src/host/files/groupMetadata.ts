/**
 * Metadata of a layer group, as Photoshop keeps it with the layer (`layer.xmpMetadata` of its scripts, `layerXMP` of its
 * actions): tagged block 'shmd', in it the setting 'cust', in that a descriptor "metadata" with the XMP as text. It goes
 * with the group into another document, which the document's own XMP does not.
 *
 * ag-psd writes only the time stamp of this descriptor, so the block is made here and put into what ag-psd wrote.
 */
export function groupMetadata(xmp: string): Uint8Array {
  const text = utf16(`${xmp}\0`);
  const descriptor = joined([
    uint32(16), // Version of descriptors.
    uint32(1), // The descriptor's name: empty, but for the zero that ends it.
    new Uint8Array(2),
    key('metadata'),
    uint32(1),
    key('layerXMP'),
    ascii('TEXT'),
    uint32(text.length / 2),
    text,
  ]);
  const padding = new Uint8Array(-descriptor.length & 3);
  // 1: copied with the layer.
  const head = [ascii('8BIMcust'), Uint8Array.of(1, 0, 0, 0), uint32(descriptor.length + padding.length)];
  const data = joined([uint32(1), ...head, descriptor, padding]);
  return joined([ascii('8BIMshmd'), uint32(data.length), data]);
}

/** Keys of four letters stand for themselves, with length 0; longer ones with their length. */
function key(name: string): Uint8Array {
  return joined([uint32(name.length === 4 ? 0 : name.length), ascii(name)]);
}

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Big-endian, as everything in a PSD. */
function utf16(text: string): Uint8Array {
  const view = new DataView(new ArrayBuffer(text.length * 2));
  for (let i = 0; i < text.length; i++) view.setUint16(2 * i, text.charCodeAt(i));
  return new Uint8Array(view.buffer);
}

function uint32(value: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint32(0, value);
  return new Uint8Array(view.buffer);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/**
 * Makes room for a tagged block at the end of the last layer record, which is that of the topmost group: three lengths
 * grow. Returns where the block belongs. `psd` is a whole file; `section` where its layer and mask section begins; the
 * block's length is a multiple of four, so that no padding changes.
 */
export function makeRoomInTopLayer(psd: DataView, section: number, blockLength: number): number {
  const grow = (at: number): void => {
    psd.setUint32(at, psd.getUint32(at) + blockLength);
  };
  const layers = Math.abs(psd.getInt16(section + 8));
  let record = section + 10;
  for (let left = layers; ; left--) {
    const channels = psd.getUint16(record + 16);
    const extra = record + 18 + channels * 6 + 12;
    const end = extra + 4 + psd.getUint32(extra);
    if (left === 1) {
      grow(section);
      grow(section + 4);
      grow(extra);
      return end;
    }
    record = end;
  }
}
