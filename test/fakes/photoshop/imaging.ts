import { composite, type Picture } from './composite';
import { type FakeDocument } from './document';
import { type Modal } from './modal';
import { CONSTANTS, makeSamples, type Samples, top } from './model';
import { convert, isRgbProfile, toRgb } from './profiles';
import { checkOptions, strict, Undocumented } from './strict';

export interface Quirks {
  /** Is a picture that was trimmed scaled by the same factor as the whole would be, or to fill the target size? */
  trimmed: 'proportional' | 'filled';
  /** What comes where there is no pixel at all. */
  empty: 'error' | 'nothing';
  /** The preference "Cache Levels". */
  cacheLevels: number;
}

interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

interface Held {
  readonly width: number;
  readonly height: number;
  readonly components: number;
  readonly componentSize: 8 | 16 | 32;
  readonly profile: string;
  readonly grey: boolean;
  /** In Photoshop's own range. */
  readonly samples: Samples;
}

const SRGB = 'sRGB IEC61966-2.1';

/** `photoshop.imaging`, with its ranges and its books of what was not disposed of. */
export class Imaging {
  readonly alive = new Set<object>();
  private readonly held = new WeakMap<object, Held>();

  constructor(
    private readonly modal: Modal,
    private readonly documentOf: (id: unknown) => FakeDocument,
    private readonly quirks: Quirks,
  ) {}

  readonly module = strict('imaging', {
    getPixels: (options: unknown) => this.getPixels(options),
    putPixels: (options: unknown) => this.putPixels(options),
    getLayerMask: (options: unknown) => this.getLayerMask(options),
    putLayerMask: (options: unknown) => this.putLayerMask(options),
    createImageDataFromBuffer: (data: unknown, options: unknown) => this.create(data, options),
  });

  private async getPixels(options: unknown): Promise<object> {
    this.modal.enter('getPixels');
    const known = [
      'documentID',
      'layerID',
      'sourceBounds',
      'targetSize',
      'colorSpace',
      'colorProfile',
      'componentSize',
    ];
    checkOptions('getPixels', options, known, ['documentID']);
    const document = this.documentOf(options.documentID);
    const { state } = document;
    const { mode } = state;
    if (!['RGB', 'GRAYSCALE', 'LAB', 'CMYK'].includes(mode)) throw new Error('This mode has no pixels to get.');
    if (options.colorSpace !== 'RGB') throw new Undocumented('The stand-in gives RGB only.');
    const only = options.layerID === undefined ? undefined : document.node(options.layerID as number);
    const picture = composite(state, only);
    const asked = this.box(options.sourceBounds, picture);
    const box = trim(picture, asked);
    if (!box) {
      if (this.quirks.empty === 'error') throw new Error('getPixels: the source has no pixels.');
      const nothing = { left: 0, top: 0, right: 0, bottom: 0 };
      return { imageData: this.hold(empty(options.componentSize)), sourceBounds: nothing, level: 0 };
    }
    const own = state.profile === '' ? SRGB : state.profile;
    const profile = (options.colorProfile as string | undefined) ?? own;
    if (!isRgbProfile(profile)) throw new Error(`getPixels: no profile is called "${profile}".`);
    const { width, height, level } = this.size(options.targetSize, asked, box);
    const opaque = state.layers.at(-1)?.background === true && !only;
    const bits = (options.componentSize ?? state.bits) as 8 | 16 | 32;
    const samples = makeSamples(bits, width * height * (opaque ? 3 : 4));
    let to = 0;
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const pixel = average(picture, box, x / width, (x + 1) / width, y / height, (y + 1) / height);
        const alpha = pixel.pop()!;
        const rgb = mode === 'RGB' ? convert(own, profile, pixel) : convert(SRGB, profile, toRgb(mode, pixel));
        for (const value of opaque ? rgb : [...rgb, alpha])
          samples[to++] = bits === 32 ? value : Math.round(Math.min(1, Math.max(0, value)) * top(bits));
      }
    }
    const imageData = this.hold({
      ...{ width, height, profile, samples, grey: false },
      components: opaque ? 3 : 4,
      componentSize: bits,
    });
    const scale = 2 ** level;
    const sourceBounds = Object.fromEntries(
      Object.entries(box).map(([key, value]) => [key, Math.round(value / scale)]),
    );
    return { imageData, sourceBounds, level };
  }

  private box(bounds: unknown, { width, height }: { width: number; height: number }): Box {
    if (bounds === undefined) return { left: 0, top: 0, right: width, bottom: height };
    checkOptions('sourceBounds', bounds, ['left', 'top', 'right', 'bottom'], ['left', 'top', 'right', 'bottom']);
    const box = bounds as unknown as Box;
    const whole = Object.values(box).every(Number.isInteger);
    if (!whole || box.left < 0 || box.top < 0 || box.right > width || box.bottom > height)
      throw new Error('getPixels: sourceBounds are not within the document.');
    return box;
  }

  private size(target: unknown, asked: Box, box: Box): { width: number; height: number; level: number } {
    const [width, height] = [box.right - box.left, box.bottom - box.top];
    if (target === undefined) return { width, height, level: 0 };
    checkOptions('targetSize', target, ['width', 'height'], ['width', 'height']);
    const wanted = target as { width: number; height: number };
    const shrink = Math.max((asked.right - asked.left) / wanted.width, (asked.bottom - asked.top) / wanted.height);
    const level = Math.max(0, Math.min(Math.floor(Math.log2(shrink)), this.quirks.cacheLevels - 1));
    if (this.quirks.trimmed === 'filled') return { ...wanted, level };
    const scaled = (length: number): number => Math.max(1, Math.round(length / shrink));
    return { width: scaled(width), height: scaled(height), level };
  }

  private async putPixels(options: unknown): Promise<void> {
    this.modal.enter('putPixels');
    const known = ['documentID', 'layerID', 'imageData', 'replace', 'targetBounds', 'commandName'];
    checkOptions('putPixels', options, known, ['layerID', 'imageData']);
    const document = this.documentOf(options.documentID);
    const node = document.node(options.layerID as number);
    if (node.kind !== CONSTANTS.LayerKind.NORMAL) throw new Error('putPixels: the layer is no pixel layer.');
    if (node.allLocked) throw new Error('putPixels: the layer is locked.');
    const { state } = document;
    if (state.mode !== 'RGB') throw new Error('putPixels: the stand-in writes to RGB only.');
    const image = this.get(options.imageData);
    if (image.grey) throw new Error('putPixels: grey cannot be put into RGB.');
    const { left, top: upper } = place('putPixels', options.targetBounds);
    const all = state.width * state.height * 4;
    const samples = options.replace === false && node.pixels ? node.pixels.slice() : makeSamples(state.bits, all);
    const profile = state.profile === '' ? image.profile : state.profile;
    for (let y = 0; y < image.height; y++) {
      for (let x = 0; x < image.width; x++) {
        const [toX, toY] = [left + x, upper + y];
        if (toX >= state.width || toY >= state.height) continue;
        const from = (y * image.width + x) * image.components;
        const unit = Array.from(
          image.samples.subarray(from, from + image.components),
          (v) => v / top(image.componentSize),
        );
        const rgb = convert(image.profile === '' ? profile : image.profile, profile, unit.slice(0, 3));
        const to = (toY * state.width + toX) * 4;
        [...rgb, unit[3] ?? 1].forEach((value, c) => (samples[to + c] = Math.round(value * top(state.bits))));
      }
    }
    node.pixels = samples;
    document.changed('Put pixels');
  }

  private async getLayerMask(options: unknown): Promise<object> {
    this.modal.enter('getLayerMask');
    checkOptions('getLayerMask', options, ['documentID', 'layerID', 'kind'], ['layerID']);
    if (options.kind !== undefined && options.kind !== 'user') throw new Undocumented('Only user masks are here.');
    const document = this.documentOf(options.documentID);
    const { mask } = document.node(options.layerID as number);
    if (!mask) throw new Error('getLayerMask: the layer has no mask.');
    const { width, height, bits } = document.state;
    const imageData = this.hold({
      ...{ width, height, components: 1, profile: 'Gray Gamma 2.2', grey: true },
      componentSize: bits === 16 ? 16 : 8,
      samples: mask.slice(),
    });
    return { imageData, sourceBounds: { left: 0, top: 0, right: width, bottom: height } };
  }

  private async putLayerMask(options: unknown): Promise<void> {
    this.modal.enter('putLayerMask');
    const known = ['documentID', 'layerID', 'kind', 'imageData', 'replace', 'targetBounds'];
    checkOptions('putLayerMask', options, known, ['layerID', 'imageData']);
    const document = this.documentOf(options.documentID);
    const image = this.get(options.imageData);
    if (!image.grey || image.components !== 1) throw new Error('putLayerMask: one grey component is wanted.');
    const { left, top: upper } = place('putLayerMask', options.targetBounds);
    const { width, height, bits } = document.state;
    const mask = makeSamples(bits, width * height);
    for (let i = 0; i < image.samples.length; i++) {
      const [x, y] = [left + (i % image.width), upper + Math.floor(i / image.width)];
      const value = image.samples[i] / top(image.componentSize);
      if (x < width && y < height) mask[y * width + x] = Math.round(value * top(bits));
    }
    document.node(options.layerID as number).mask = mask;
    document.changed('Put mask');
  }

  private async create(data: unknown, options: unknown): Promise<object> {
    this.modal.enter('createImageDataFromBuffer');
    const known = ['width', 'height', 'components', 'chunky', 'colorProfile', 'colorSpace', 'fullRange'];
    checkOptions('createImageDataFromBuffer', options, known, ['width', 'height', 'components', 'colorSpace']);
    const { width, height, components } = options as unknown as Held;
    const size =
      data instanceof Uint8Array ? 8 : data instanceof Uint16Array ? 16 : data instanceof Float32Array ? 32 : 0;
    if (size === 0) throw new Undocumented('createImageDataFromBuffer: not a typed array that is accepted.');
    const samples = data as Samples;
    if (samples.length !== width * height * components || samples.length === 0)
      throw new Error(`createImageDataFromBuffer: ${samples.length} values for ${width} x ${height} x ${components}.`);
    if (size === 16 && options.fullRange !== true && samples.some((value) => value > 32768))
      throw new Error('createImageDataFromBuffer: 16-bit values reach 32768, or fullRange is to be said.');
    const grey = options.colorSpace === 'Grayscale';
    if (!grey && options.colorSpace !== 'RGB') throw new Undocumented('The stand-in knows RGB and Grayscale.');
    const own = size === 16 && options.fullRange === true;
    return this.hold({
      ...{ width, height, components, grey, componentSize: size },
      profile: (options.colorProfile as string | undefined) ?? '',
      samples: own ? Uint16Array.from(samples, (v) => Math.round((v * 32768) / 65535)) : samples.slice(),
    });
  }

  private hold(held: Held): object {
    const { width, height, components, componentSize } = held;
    const imageData = strict('PhotoshopImageData', {
      ...{ width, height, components, componentSize },
      getData: async (options: unknown = {}): Promise<Samples> => {
        this.modal.enter('getData');
        checkOptions('getData', options, ['chunky', 'fullRange']);
        const { samples } = this.get(imageData);
        const full = options.fullRange === true && componentSize === 16;
        return full ? Uint16Array.from(samples, (v) => Math.round((v * 65535) / 32768)) : samples.slice();
      },
      dispose: () => {
        this.alive.delete(imageData);
      },
    });
    this.held.set(imageData, held);
    this.alive.add(imageData);
    return imageData;
  }

  private get(imageData: unknown): Held {
    const held = this.held.get(imageData as object);
    if (!held) throw new Undocumented('imageData must come from the imaging API.');
    if (!this.alive.has(imageData as object)) throw new Error('This imageData was disposed of.');
    return held;
  }
}

function place(where: string, bounds: unknown): { left: number; top: number } {
  if (bounds === undefined) return { left: 0, top: 0 };
  checkOptions(`${where} targetBounds`, bounds, ['left', 'top'], ['left', 'top']);
  return bounds as unknown as { left: number; top: number };
}

function empty(componentSize: unknown): Held {
  const samples = new Uint8Array(0);
  const size = componentSize as 8;
  return { width: 0, height: 0, components: 4, componentSize: size, profile: SRGB, grey: false, samples };
}

/** The part of `box` where there are pixels. */
function trim({ width, channels, data }: Picture, box: Box): Box | undefined {
  const found = { left: Infinity, top: Infinity, right: -1, bottom: -1 };
  for (let y = box.top; y < box.bottom; y++) {
    for (let x = box.left; x < box.right; x++) {
      if (data[(y * width + x) * (channels + 1) + channels] === 0) continue;
      found.left = Math.min(found.left, x);
      found.top = Math.min(found.top, y);
      found.right = Math.max(found.right, x + 1);
      found.bottom = Math.max(found.bottom, y + 1);
    }
  }
  return found.right < 0 ? undefined : found;
}

/** Mean of a part of the box (in shares of it), colours weighted by alpha. */
function average(picture: Picture, box: Box, x0: number, x1: number, y0: number, y1: number): number[] {
  const { width, channels, data } = picture;
  const [w, h] = [box.right - box.left, box.bottom - box.top];
  const edge = (share: number, length: number): number => Math.round(share * length);
  const [left, right] = [box.left + edge(x0, w), box.left + Math.max(edge(x1, w), edge(x0, w) + 1)];
  const [upper, lower] = [box.top + edge(y0, h), box.top + Math.max(edge(y1, h), edge(y0, h) + 1)];
  if ((right - left) * (lower - upper) === 1) {
    const at = (upper * width + left) * (channels + 1);
    return Array.from(data.subarray(at, at + channels + 1));
  }
  const sum = new Array<number>(channels + 1).fill(0);
  let count = 0;
  for (let y = upper; y < Math.min(lower, box.bottom); y++) {
    for (let x = left; x < Math.min(right, box.right); x++, count++) {
      const at = (y * width + x) * (channels + 1);
      const alpha = data[at + channels];
      for (let c = 0; c < channels; c++) sum[c] += data[at + c] * alpha;
      sum[channels] += alpha;
    }
  }
  const alpha = sum[channels];
  return sum.map((value, c) => (c === channels ? alpha / Math.max(1, count) : alpha === 0 ? 0 : value / alpha));
}
