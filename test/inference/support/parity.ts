import { parametersFromValues, type Retoucher, type RetouchResult, type RgbImage } from '../../../src/inference';

export interface ImageJson {
  readonly width: number;
  readonly height: number;
  readonly rgbBase64: string;
}

/** An input of parity.json with what was answered to it. */
export interface ParityCase {
  readonly mode: 'auto' | 'style' | 'param' | 'reference';
  readonly image?: ImageJson;
  readonly instruction?: string;
  /** In a bundle with voices, the one that was taken. */
  readonly voice?: number;
  readonly params?: number[];
  readonly before?: ImageJson;
  readonly after?: ImageJson;
  readonly tokens: number[];
  /** Are the tokens given, and not what the model would choose? */
  readonly given?: boolean;
  readonly latents: number[];
  readonly render: { rgb: number[]; out: number[] }[];
}

export function photoOf({ width, height, rgbBase64 }: ImageJson): RgbImage {
  return { width, height, data: new Uint8Array(Buffer.from(rgbBase64, 'base64')) };
}

/** The runtime's answer to a case's input, in the case's own words where those are given. */
export function answerTo(retoucher: Retoucher, item: ParityCase): Promise<RetouchResult> {
  const { voice } = item;
  switch (item.mode) {
    case 'auto':
      return retoucher.auto(photoOf(item.image!), { voice, words: item.given ? item.tokens : undefined });
    case 'style':
      return retoucher.style(photoOf(item.image!), item.instruction!, { voice });
    case 'param':
      return retoucher.param(parametersFromValues(item.params!), { voice });
    case 'reference':
      return retoucher.reference(photoOf(item.before!), photoOf(item.after!));
  }
}
