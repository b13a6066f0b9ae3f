import { CHANNELS, type Node, type State, top } from './model';

/** A picture of floats: colour in [0,1] (not multiplied by alpha), then alpha. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly data: Float64Array;
}

/** What the layers show together; of one layer only where `id` names it. */
export function composite(state: State, only?: Node): Picture {
  const { width, height } = state;
  const channels = CHANNELS[state.mode];
  const picture = { width, height, channels, data: new Float64Array(width * height * (channels + 1)) };
  draw(state, only ? [only] : state.layers, picture);
  return picture;
}

function draw(state: State, nodes: readonly Node[], onto: Picture): void {
  for (const node of [...nodes].reverse()) {
    if (!node.visible) continue;
    if (node.children) drawGroup(state, node, onto);
    else if (node.lookup) look(state, node, onto);
    else if (node.pixels) blend(state, node, onto, unit(state, node.pixels));
  }
}

function drawGroup(state: State, group: Node, onto: Picture): void {
  if (group.blendMode !== 'passThrough') {
    // Adjustments inside of it see nothing of what lies below.
    const own = { ...onto, data: new Float64Array(onto.data.length) };
    draw(state, group.children!, own);
    blend(state, group, onto, own.data);
    return;
  }
  const before = onto.data.slice();
  draw(state, group.children!, onto);
  for (let pixel = 0; pixel < onto.width * onto.height; pixel++) {
    const weight = weightOf(state, group, pixel);
    if (weight === 1) continue;
    for (let i = pixel * (onto.channels + 1), end = i + onto.channels + 1; i < end; i++)
      onto.data[i] = before[i] + (onto.data[i] - before[i]) * weight;
  }
}

/** Without a DeviceLink, Photoshop shows such a layer as if it were not there. */
function look(state: State, node: Node, { width, height, channels, data }: Picture): void {
  const map = node.lookup?.map;
  if (!map) return;
  for (let pixel = 0; pixel < width * height; pixel++) {
    const at = pixel * (channels + 1);
    const weight = weightOf(state, node, pixel);
    if (weight === 0 || data[at + 3] === 0) continue;
    const result = map(data[at], data[at + 1], data[at + 2]);
    for (let c = 0; c < 3; c++) data[at + c] += (result[c] - data[at + c]) * weight;
  }
}

function blend(state: State, node: Node, { width, height, channels, data }: Picture, source: Float64Array): void {
  if (!['normal', 'passThrough'].includes(node.blendMode)) throw new Error('The stand-in blends normally only.');
  for (let pixel = 0; pixel < width * height; pixel++) {
    const at = pixel * (channels + 1);
    const alpha = source[at + channels] * weightOf(state, node, pixel);
    if (alpha === 0) continue;
    const below = data[at + channels];
    const over = alpha + below * (1 - alpha);
    for (let c = 0; c < channels; c++)
      data[at + c] =
        alpha === 1 ? source[at + c] : (source[at + c] * alpha + data[at + c] * below * (1 - alpha)) / over;
    data[at + channels] = over;
  }
}

function weightOf(state: State, node: Node, pixel: number): number {
  return (node.opacity / 100) * (node.mask ? node.mask[pixel] / top(state.bits) : 1);
}

function unit(state: State, samples: ArrayLike<number>): Float64Array {
  const scale = top(state.bits);
  return Float64Array.from(samples, (value) => value / scale);
}
