import fc from 'fast-check';

const ANY_BYTE = fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.nat(255));

/** The bytes with some of them changed to `value`, by itself often what is dangerous, and often cut short. */
export function changed(bytes: Uint8Array, value = ANY_BYTE): fc.Arbitrary<Uint8Array> {
  const edits = fc.array(fc.tuple(fc.nat(bytes.length - 1), value), { minLength: 1, maxLength: 12 });
  const length = fc.oneof(
    { weight: 3, arbitrary: fc.constant(bytes.length) },
    { weight: 1, arbitrary: fc.nat(bytes.length) },
  );
  return fc.tuple(edits, length).map(([places, end]) => {
    const out = Uint8Array.from(bytes);
    for (const [place, byte] of places) out[place] = byte;
    return out.slice(0, end);
  });
}
