import { Lut3D } from '../../../src/color';
import { type DocumentProxy, type PanelRetouch } from '../../../src/host/panelHost';
import { PhotoshopHost } from '../../../src/host/photoshop/photoshopHost';
import { type Photoshop, type Uxp, type UxpFs } from '../../../src/host/photoshop/ports';
import { type FakeDocument, FakePhotoshop, FakeUxp } from '../../fakes/photoshop';

/** A host over a Photoshop in memory. Tiles are small, so that small documents have several. */
export function setUp(tile = 20) {
  const ps = new FakePhotoshop();
  const uxp = new FakeUxp();
  const host = new PhotoshopHost(
    ps.module as unknown as Photoshop,
    uxp.module as unknown as Pick<Uxp, 'storage' | 'host'>,
    () => uxp.fs as unknown as UxpFs,
    {
      waitSeconds: 0.05,
      tile,
    },
  );
  return { ps, uxp, host };
}

/** Warmer, brighter in the middle, less blue; greys do not stay grey, channels are told apart. */
export const warm = (size = 17): Lut3D =>
  Lut3D.bake(size, (r, g, b) => [r + 0.25 * r * (1 - r), g + 0.1 * g * (1 - g), b - 0.2 * b * (1 - b)]);

export function retouchFor(proxy: Pick<DocumentProxy, 'state'>, more: Partial<PanelRetouch> = {}): PanelRetouch {
  const { size, data } = warm();
  return {
    lut: { size, data },
    state: proxy.state,
    output: 'lookup',
    name: 'Warm evening',
    story: ['The light is "cold" & flat.', 'Warmed <a little>.'],
    provenance: { latents: [0.25, -1], prompt: 'a "warm" & <golden> hour,\n永远' },
    ...more,
  };
}

/** What the document shows, in levels of the given top. */
export const levels = (document: FakeDocument, top: number): number[] =>
  Array.from(document.shown(), (value) => Math.round(value * top));

/** Colours of every pixel that is shown, as 0..1. */
export function colours(document: FakeDocument): number[][] {
  const shown = document.shown();
  return Array.from({ length: shown.length / 4 }, (_, i) => Array.from(shown.subarray(4 * i, 4 * i + 4)));
}
