const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** CRC-32 (ISO 3309), as PNG chunks carry it too. */
export function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ TABLE[(crc ^ byte) & 255];
  return ~crc >>> 0;
}

/** CRC-32 of the low bytes of a text's code units: enough to tell a message that was cut or altered. */
export function checksum(text: string): number {
  let crc = 0xffffffff;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    crc = (crc >>> 8) ^ TABLE[(crc ^ unit) & 255];
    if (unit > 255) crc = (crc >>> 8) ^ TABLE[(crc ^ (unit >>> 8)) & 255];
  }
  return ~crc >>> 0;
}
