// Prints what a function of gpuPage.ts gives in Chromium, as JSON: node test/browser/askGpu.mjs FUNCTION [ARGUMENT]
import { openPage } from '../../scripts/lib/chromium.mjs';
import { bundleForWeb } from '../../scripts/lib/web-bundle.mjs';

const [name, argument] = process.argv.slice(2);
const { page, version, close } = await openPage(await bundleForWeb('test/browser/gpuPage.ts'));
try {
  const result = await page.evaluate(
    ([own, given]) => globalThis.gpuPage[own](given),
    [name, argument === undefined ? undefined : JSON.parse(argument)],
  );
  console.log(JSON.stringify({ version, ...result }));
} finally {
  await close();
}
