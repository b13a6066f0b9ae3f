import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parsePreset } from '../../../src/inference/presets';

/**
 * Presets of others cannot be kept here. To try a collection of one's own, name its folder:
 * VERARETOUCH_PRESETS=DIR npx jest test/inference/presets/folder. Every .xmp and .lrtemplate below it must be readable.
 */
const folder = process.env['VERARETOUCH_PRESETS'];

(folder ? test : test.skip)('every preset of the folder named by VERARETOUCH_PRESETS is read', () => {
  const files = readdirSync(folder!, { recursive: true, encoding: 'utf8' }).filter((file) =>
    /\.(xmp|lrtemplate)$/i.test(file),
  );
  expect(files.length).toBeGreaterThan(0);
  const counts = new Map<string, number>();
  const problems: string[] = [];
  let withUnsupported = 0;
  for (const file of files) {
    try {
      const { unsupported } = parsePreset(readFileSync(join(folder!, file)), file);
      if (unsupported.length > 0) withUnsupported++;
      for (const { setting } of unsupported) counts.set(setting, (counts.get(setting) ?? 0) + 1);
    } catch (error) {
      problems.push(`${file}: ${String(error)}`);
    }
  }
  const commonest = [...counts].sort((a, b) => b[1] - a[1]).slice(0, 10);
  console.error(
    [
      `${files.length - problems.length} of ${files.length} presets read, ${withUnsupported} with unsupported settings:`,
      ...commonest.map(([setting, count]) => `  ${count} ${setting}`),
    ].join('\n'),
  );
  expect(problems).toEqual([]);
});
