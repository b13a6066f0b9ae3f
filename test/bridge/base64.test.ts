import * as fc from 'fast-check';
import { fromBase64, toBase64 } from '../../src/bridge/base64';
import { checksum, crc32 } from '../../src/bridge/checksum';

test('is what Node writes, and comes back', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      const text = toBase64(bytes);
      expect(text).toBe(Buffer.from(bytes).toString('base64'));
      expect([...fromBase64(text)!]).toEqual([...bytes]);
    }),
  );
  const long = Uint8Array.from({ length: 100001 }, (_, i) => i * 31);
  expect(toBase64(long)).toBe(Buffer.from(long).toString('base64'));
});

test.each(['A', 'AAA', 'AA*A', 'AA\u0100A', 'A===', '====A'])('%j is none', (text) => {
  expect(fromBase64(text)).toBeUndefined();
});

test('the check sum is CRC-32', () => {
  expect(checksum('123456789')).toBe(0xcbf43926);
  // The second byte of a character beyond 255 counts too.
  expect(checksum('é\u4e2d\u0100')).toBe(crc32(Uint8Array.of(0xe9, 0x2d, 0x4e, 0, 1)));
  expect(checksum('\u00ff\u0100')).not.toBe(checksum('\u00ff\u0000'));
  expect(checksum('é\u4e2d')).not.toBe(checksum('é\u4e2e'));
});
