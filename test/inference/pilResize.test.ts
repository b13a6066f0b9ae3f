import { createHash } from 'node:crypto';
import { letterbox, photoValues, referenceValues } from '../../src/inference/photoInput';
import { resizePicture, type Filter, type Picture } from '../../src/inference/pilResize';
import golden from './pil_resize_golden.json';
import { failureOf } from './support/errors';

/** The picture of test/oracle/pil_resize_golden.py. */
function picture(width: number, height: number): Picture {
  let state = width * 65537 + height;
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < data.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    data[i] = Math.min(255, Math.max(0, (state >>> 23) - 128));
  }
  return { width, height, data };
}

const digest = ({ data }: Picture): string => createHash('sha256').update(data).digest('hex');

interface Expected {
  readonly sha256: string;
  readonly bytes?: number[];
}

function expectSame(result: Picture, { sha256, bytes }: Expected): void {
  if (bytes) expect(Array.from(result.data)).toEqual(bytes);
  expect(digest(result)).toBe(sha256);
}

describe('resizePicture equals Pillow bit by bit', () => {
  test.each(golden.resizes.map((item) => [`${item.from.join(' x ')} to ${item.to.join(' x ')} ${item.filter}`, item]))(
    '%s',
    (_title, item) => {
      const { from, to, filter } = item;
      const result = resizePicture(picture(from[0], from[1]), to[0], to[1], filter as Filter);
      expect([result.width, result.height]).toEqual(to);
      expectSame(result, item);
    },
  );

  test('the pictures have what makes it hard: cut-off at both ends', () => {
    const { data } = picture(64, 48);
    expect(data.includes(0) && data.includes(255)).toBe(true);
  });
});

describe('letterbox', () => {
  test.each(
    golden.letterboxes.map((item) => [`${item.from.join(' x ')} by ${item.shortEdge} to ${item.size}`, item] as const),
  )('%s equals Pillow bit by bit', (_title, item) => {
    expectSame(letterbox(picture(item.from[0], item.from[1]), item.shortEdge, item.size), item);
  });

  test('gives planes in [0, 1], whatever alpha says', async () => {
    const { width, height, data } = picture(90, 61);
    const rgba = new Uint8Array(width * height * 4).map((_, i) => (i % 4 === 3 ? i : data[(i >> 2) * 3 + (i % 4)]));
    const input = { kind: 'letterbox', shortEdge: 24, size: 48 } as const;
    const values = photoValues({ width, height, data }, input);
    const bytes = letterbox({ width, height, data }, 24, 48).data;
    expect(values).toEqual(Float32Array.from(values, (_, i) => bytes[(i % 2304) * 3 + Math.floor(i / 2304)] / 255));
    expect(photoValues({ width, height, data: rgba }, input)).toEqual(values);
    for (const [w, h] of [
      [1, 101],
      [101, 1],
    ] as const) {
      const error = await failureOf(() => photoValues(picture(w, h), input));
      expect(error.code).toBe('INPUT_IMAGE');
      expect(error.message).toContain(`${w} x ${h}`);
    }
    expect(photoValues(picture(1, 100), input)).toHaveLength(3 * 48 * 48);
  });
});

test('a reference photo is resized bilinearly, its planes in the order that the bundle says', () => {
  const image = picture(61, 43);
  const resized = resizePicture(image, 8, 8, 'bilinear').data;
  const rgb = referenceValues(image, { kind: 'resize', size: 8, channels: 'rgb' });
  const bgr = referenceValues(image, { kind: 'resize', size: 8, channels: 'bgr' });
  expect(rgb).toEqual(Float32Array.from(rgb, (_, i) => resized[(i % 64) * 3 + Math.floor(i / 64)] / 255));
  expect(bgr.subarray(0, 64)).toEqual(rgb.subarray(128));
  expect(bgr.subarray(64, 128)).toEqual(rgb.subarray(64, 128));
});
