import { type Layer, type LayerRawData, writePsdUint8Array } from 'ag-psd';
import { groupMetadata, makeRoomInTopLayer } from './groupMetadata';
import { RESOURCE, imageResource } from './imageResources';
import { type ChannelSource, type PackedChannel, packChannel } from './packBits';
import { type Pixels } from './pixels';

/** What a channel of a layer is: -1 is transparency, 0, 1, 2 are red, green, blue. */
type ChannelId = -1 | 0 | 1 | 2;
export type PackedPixels = ReadonlyMap<ChannelId, PackedChannel>;

export interface PsdContent {
  readonly width: number;
  readonly height: number;
  readonly hasAlpha: boolean;
  /** Packed by packPixels; both with transparency when the photo has it. */
  readonly original: PackedPixels;
  readonly retouched: PackedPixels;
  /** The merged picture of a photo with transparency, by packMerged; otherwise the retouched pixels serve. */
  readonly merged: PackedPixels | undefined;
  /** The .cube file of the Color Lookup layer, and the name shown for it. */
  readonly cube: Uint8Array;
  readonly cubeName: string;
  /** ICC DeviceLink profile of the same transform: Photoshop renders a Color Lookup layer from it. */
  readonly deviceLink: Uint8Array;
  /** ICC profile of the pixels. */
  readonly profile: Uint8Array;
  /** XMP packets of the document and of the group. */
  readonly xmp: string;
  readonly groupXmp: string;
  /** Of the photo, brought up to date. */
  readonly exif: Uint8Array | undefined;
  readonly iptc: Uint8Array | undefined;
  readonly density: number | undefined;
}

/** Numbers of the PSD format (Adobe Photoshop File Formats Specification). */
const RLE = 1;
const RGB = 3;

/**
 * The parts of a layered 8-bit PSD, to be written one after another: the original as background, above it the group
 * "VeraRetouch" with a Color Lookup layer and, hidden, the retouched pixels. The merged picture is the retouched one.
 *
 * ag-psd writes the structure with the layers' packed channels, for a document of one pixel; then the size is set and
 * the merged picture is put in place of that pixel. So no second copy of the merged picture is ever made: with it,
 * 100 megapixels would not fit into 4 GB.
 */
export function psdParts(content: PsdContent): Uint8Array[] {
  const structure = writeStructure(content);
  const view = new DataView(structure.buffer, structure.byteOffset, structure.byteLength);
  view.setUint32(14, content.height);
  view.setUint32(18, content.width);
  const resources = 26 + 4 + view.getUint32(26);
  const resourcesEnd = resources + 4 + view.getUint32(resources);
  const layersEnd = resourcesEnd + 4 + view.getUint32(resourcesEnd);
  const added = [
    imageResource(RESOURCE.iccProfile, content.profile),
    ...(content.exif ? [imageResource(RESOURCE.exif, content.exif)] : []),
    ...(content.iptc ? [imageResource(RESOURCE.iptc, content.iptc)] : []),
  ];
  view.setUint32(resources, view.getUint32(resources) + added.reduce((sum, block) => sum + block.length, 0));
  const group = groupMetadata(content.groupXmp);
  const groupEnd = makeRoomInTopLayer(view, resourcesEnd, group.length);

  const source = content.merged ?? content.retouched;
  const ids: ChannelId[] = content.hasAlpha ? [0, 1, 2, -1] : [0, 1, 2];
  const merged = ids.map((id) => channelOf(source, id));
  return [
    structure.subarray(0, resourcesEnd),
    ...added,
    structure.subarray(resourcesEnd, groupEnd),
    group,
    structure.subarray(groupEnd, layersEnd),
    Uint8Array.of(0, RLE),
    ...merged.map((channel) => channel.counts),
    ...merged.map((channel) => channel.rows),
  ];
}

function writeStructure(content: PsdContent): Uint8Array {
  const { hasAlpha } = content;
  const lookup: Layer = {
    name: 'Color Lookup',
    adjustment: {
      type: 'color lookup',
      lookupType: '3dlut',
      name: content.cubeName,
      dither: true,
      profile: content.deviceLink,
      lutFormat: 'cube',
      dataOrder: 'rgb',
      tableOrder: 'bgr',
      lut3DFileData: content.cube,
      lut3DFileName: content.cubeName,
    },
  };
  const density = content.density ?? 72;
  return writePsdUint8Array(
    {
      width: 1,
      height: 1,
      // One transparent pixel makes ag-psd declare a fourth channel.
      imageData: { width: 1, height: 1, data: Uint8ClampedArray.of(0, 0, 0, hasAlpha ? 0 : 255) },
      imageResources: {
        xmpMetadata: content.xmp,
        resolutionInfo: {
          horizontalResolution: density,
          horizontalResolutionUnit: 'PPI',
          widthUnit: 'Inches',
          verticalResolution: density,
          verticalResolutionUnit: 'PPI',
          heightUnit: 'Inches',
        },
      },
      children: [
        pixelLayer(
          hasAlpha ? 'Original' : 'Background',
          content,
          content.original,
          hasAlpha ? [-1, 0, 1, 2] : [0, 1, 2],
        ),
        {
          name: 'VeraRetouch',
          opened: true,
          children: [
            lookup,
            { ...pixelLayer('Retouched pixels', content, content.retouched, [-1, 0, 1, 2]), hidden: true },
          ],
        },
      ],
    },
    { noBackground: hasAlpha },
  );
}

function pixelLayer(name: string, size: PsdContent, pixels: PackedPixels, ids: readonly ChannelId[]): Layer {
  const channels = ids.map((id) => {
    const { counts, rows } = channelOf(pixels, id);
    const data = new Uint8Array(counts.length + rows.length);
    data.set(counts);
    data.set(rows, counts.length);
    return { id, compression: RLE, data };
  });
  // The numbers are those of ag-psd's enums, which cannot be imported where files are compiled one by one.
  const rawData = { colorMode: RGB, bitsPerChannel: 8, large: false, channels } as unknown as LayerRawData;
  return { name, top: 0, left: 0, bottom: size.height, right: size.width, rawData };
}

function channelOf(pixels: PackedPixels, id: ChannelId): PackedChannel {
  const channel = pixels.get(id);
  if (!channel) throw new Error(`Channel ${id} was not packed.`);
  return channel;
}

/** Packs red, green, blue and transparency (255 everywhere for an opaque photo). 16-bit values keep their high 8. */
export async function packPixels(pixels: Pixels, signal?: AbortSignal): Promise<PackedPixels> {
  const { width, height, channels } = pixels;
  const packed = new Map<ChannelId, PackedChannel>();
  for (const id of [0, 1, 2] as const) packed.set(id, await packChannel(plane(pixels, id), signal));
  const alpha: ChannelSource = channels === 4 ? plane(pixels, 3) : { width, height, fill: (row) => row.fill(255) };
  packed.set(-1, await packChannel(alpha, signal));
  return packed;
}

/**
 * The merged picture of a photo with transparency: PSD files keep its colours blended with white,
 * out = colour * a + 255 * (1 - a) with a = alpha / 255, and alpha as a fourth channel.
 */
export async function packMerged(pixels: Pixels, alpha: PackedPixels, signal?: AbortSignal): Promise<PackedPixels> {
  const { width, height, data } = pixels;
  const scale = data instanceof Uint16Array ? 65535 : 255;
  const packed = new Map<ChannelId, PackedChannel>([[-1, channelOf(alpha, -1)]]);
  for (const id of [0, 1, 2] as const) {
    const fill = (row: Uint8Array, y: number): void => {
      for (let x = 0, i = y * width * 4; x < width; x++, i += 4) {
        const a = data[i + 3] / scale;
        row[x] = Math.round((data[i + id] / scale) * 255 * a + 255 * (1 - a));
      }
    };
    packed.set(id, await packChannel({ width, height, fill }, signal));
  }
  return packed;
}

function plane({ width, height, channels, data }: Pixels, channel: number): ChannelSource {
  const fill =
    data instanceof Uint16Array
      ? (row: Uint8Array, y: number): void => {
          for (let x = 0, i = y * width * channels + channel; x < width; x++, i += channels) {
            // 65535 / 257 = 255: the exact inverse of widening 8 bits to 16.
            row[x] = (data[i] + 128) / 257;
          }
        }
      : (row: Uint8Array, y: number): void => {
          for (let x = 0, i = y * width * channels + channel; x < width; x++, i += channels) row[x] = data[i]!;
        };
  return { width, height, fill };
}
