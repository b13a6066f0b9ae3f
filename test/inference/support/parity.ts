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
  /** In a bundle with a wording: the answer kept to what is true of the picture, in param mode of `photo`. */
  readonly checked?: number[];
  readonly photo?: ImageJson;
  /** Are the tokens given, and not what the model would choose? */
  readonly given?: boolean;
  readonly latents: number[];
  readonly render: { rgb: number[]; out: number[] }[];
}

export function photoOf({ width, height, rgbBase64 }: ImageJson): RgbImage {
  return { width, height, data: new Uint8Array(Buffer.from(rgbBase64, 'base64')) };
}

/**
 * The runtime's answer to a case's input, in the case's own words where those are given: as the model alone chooses them, or
 * kept to what is true of the picture.
 */
export function answerTo(retoucher: Retoucher, item: ParityCase, unchecked = true): Promise<RetouchResult> {
  const { voice } = item;
  switch (item.mode) {
    case 'auto':
      return retoucher.auto(photoOf(item.image!), { voice, unchecked, words: item.given ? item.tokens : undefined });
    case 'style':
      return retoucher.style(photoOf(item.image!), item.instruction!, { voice, unchecked });
    case 'param':
      return retoucher.param(parametersFromValues(item.params!), {
        ...{ voice, unchecked },
        photo: item.photo && photoOf(item.photo),
      });
    case 'reference':
      return retoucher.reference(photoOf(item.before!), photoOf(item.after!));
  }
}
