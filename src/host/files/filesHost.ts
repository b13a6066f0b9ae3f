import { formatCubeBytes } from '../../color/cube-write';
import { breathe } from '../cancel';
import { bakeInSpace, deviceLinkProfile } from '../../color/icc';
import { type Lut3D } from '../../color/lut3d';
import { HostError } from '../errors';
import {
  type AppliedRetouch,
  type ApplyRetouchOptions,
  type Host,
  type HostDocument,
  type Proxy,
  type Retouch,
} from '../host';
import { FileSet } from './fileSet';
import { EXTENSIONS, NameChooser, photoName } from './names';
import { packMerged, packPixels, psdParts } from './psd';
import { type ExifFacts, uprightExif } from './exif';
import { type PhotoMetadata } from './metadata';
import { type ReadPhoto, readPhoto } from './photo';
import { quoted } from './photoErrors';
import { type PhotoSpace } from './photoSpace';
import { type Pixels } from './pixels';
import { pngPieces, profileOf } from './png';
import { makeProxy } from './proxy';
import { type XmpContent, xmpPacket } from './xmp';

/** Pixels between two looks at the signal while the LUT is applied. */
const PIXELS_PER_BAND = 1e6;

export interface FilesApplyOptions extends ApplyRetouchOptions {
  /** Name of the results where it is chosen elsewhere: a queue of photos knows more than one photo. */
  readonly name?: string;
}

/** Photos are files; a retouch is four files beside each other: NAME.psd, NAME.png, NAME.cube and NAME.json. */
export class FilesHost implements Host {
  private readonly names: NameChooser;

  /** `folder` receives the results; it must exist (`prepareFolder`). No file in it is ever overwritten. */
  constructor(private readonly folder: string) {
    this.names = new NameChooser(folder);
  }

  async open(file: string, signal?: AbortSignal): Promise<FilesDocument> {
    return new FilesDocument(file, await readPhoto(file, signal), this.folder, this.names);
  }
}

export class FilesDocument implements HostDocument {
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly bitDepth: 8 | 16;
  readonly hasAlpha: boolean;
  readonly notes: readonly string[];
  private readonly density: number | undefined;
  private readonly metadata: PhotoMetadata;
  private pixels: Pixels | undefined;

  constructor(
    private readonly file: string,
    { pixels, density, metadata, notes }: ReadPhoto,
    private readonly folder: string,
    private readonly names: NameChooser,
  ) {
    this.name = photoName(file);
    this.width = pixels.width;
    this.height = pixels.height;
    this.bitDepth = pixels.data instanceof Uint16Array ? 16 : 8;
    this.hasAlpha = pixels.channels === 4;
    this.density = density;
    this.metadata = metadata;
    this.pixels = pixels;
    this.notes =
      this.bitDepth === 16 ? [...notes, 'The photo has 16 bits per channel: so has the PNG; the PSD has 8.'] : notes;
  }

  async readProxy(longEdge: number, signal?: AbortSignal): Promise<Proxy> {
    return makeProxy(this.heldPixels(), longEdge, signal);
  }

  async applyRetouch(
    retouch: Retouch,
    { signal, onStage, name: chosen }: FilesApplyOptions = {},
  ): Promise<AppliedRetouch> {
    const pixels = this.heldPixels();
    this.pixels = undefined;
    const profile = await profileOf(pixels);
    // The retouch is made for sRGB; the files speak the photo's own colours.
    const lut = pixels.space ? bakeInSpace(pixels.space.space, retouch.lut, retouch.lut.size) : retouch.lut;
    const watch = new Stopwatch();

    onStage?.('render');
    const original = await watch.time('write', () => packPixels(pixels, signal));
    await watch.time('render', () => applyInPlace(pixels, lut, signal));

    onStage?.('write');
    const files = new FileSet(this.folder);
    try {
      const name = chosen ?? (await this.names.choose(this.name));
      const title = `VeraRetouch ${this.name} (${profile.name})`;
      const comments = [`Input and output: ${profile.name}, encoded values, full range.`];
      const cube = formatCubeBytes(lut, { title, comments });
      const told = { title: this.name, story: retouch.story, provenance: retouch.provenance };
      const { exif, packet } = this.describe(pixels, told, profile.name);
      const write = async (): Promise<void> => {
        const pngContent = { profile, exif, xmp: packet('image/png'), density: this.density };
        // The PNG is compressed on another thread while this one packs the PSD.
        const png = files.stage(`${name}.png`, pngPieces(pixels, pngContent, signal), signal);
        // Awaited below; until then a failure is not a stray one.
        png.catch(() => undefined);
        const retouched = await packPixels(pixels, signal);
        const merged = this.hasAlpha ? await packMerged(pixels, retouched, signal) : undefined;
        const parts = psdParts({
          width: this.width,
          height: this.height,
          hasAlpha: this.hasAlpha,
          original,
          retouched,
          merged,
          cube,
          cubeName: `${name}.cube`,
          deviceLink: deviceLinkProfile(lut, { form: 'mft2', description: title }),
          profile: profile.bytes,
          xmp: packet('application/vnd.adobe.photoshop'),
          groupXmp: xmpPacket(told),
          exif,
          iptc: this.metadata.iptc,
          density: this.density,
        });
        await files.stage(`${name}.psd`, parts, signal);
        await png;
        await files.stage(`${name}.cube`, [cube], signal);
      };
      await watch.time('write', write);
      const record = retouch.record(watch.times);
      // Last: where the record is, the other files are.
      await files.stage(`${name}.json`, [Buffer.from(`${JSON.stringify(record, null, 2)}\n`)], signal);
      const written = await files.commit(signal);
      const results = EXTENSIONS.flatMap((extension) => written.filter((file) => file.endsWith(`.${extension}`)));
      return { results, record };
    } finally {
      await files.discard();
    }
  }

  /** The photo's own metadata as they are true of the results, with the retouch's story. */
  private describe({ width, height, space }: Pixels, told: XmpContent, profileName: string) {
    const { exif, xmp } = this.metadata;
    const facts = { width, height, profileName };
    return {
      exif: exif && uprightExif(exif, { width, height, colors: colorsOf(space) }),
      packet: (format: string): string => xmpPacket(told, xmp && { xmp, facts: { ...facts, format } }),
    };
  }

  private heldPixels(): Pixels {
    if (this.pixels) return this.pixels;
    throw new HostError(
      'PHOTO_ALREADY_USED',
      `${quoted(this.file)} has had its retouch; its pixels are no longer held.`,
      'Open it again.',
    );
  }
}

function colorsOf(space: PhotoSpace | undefined): ExifFacts['colors'] {
  if (!space) return 'srgb';
  return space.known === 'adobe-rgb' ? 'adobe-rgb' : 'other';
}

async function applyInPlace(pixels: Pixels, lut: Lut3D, signal?: AbortSignal): Promise<void> {
  const { channels, data } = pixels;
  const band = PIXELS_PER_BAND * channels;
  for (let at = 0; at < data.length; at += band) {
    await breathe(signal);
    lut.apply(data.subarray(at, at + band), channels);
  }
}

/** Adds up milliseconds per stage. */
class Stopwatch {
  readonly times = { render: 0, write: 0 };

  async time<T>(stage: 'render' | 'write', work: () => Promise<T>): Promise<T> {
    const started = performance.now();
    try {
      return await work();
    } finally {
      this.times[stage] += performance.now() - started;
    }
  }
}
