import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(__dirname, '../..');
const LOCK = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')).packages as Record<
  string,
  { version: string; name?: string; link?: boolean }
>;

/** The file that `npm run sbom` writes. */
function sbom(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sbom-'));
  const args = [join(ROOT, 'scripts/sbom.mjs'), '--out', join(folder, 'sbom.json')];
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  const text = readFileSync(join(folder, 'sbom.json'), 'utf8');
  rmSync(folder, { recursive: true });
  return text;
}

interface Component {
  type: string;
  name: string;
  version: string;
  purl: string;
  scope: string;
  'bom-ref': string;
  licenses?: ({ license: { id?: string; name?: string } } | { expression: string })[];
}

test('the SBOM is CycloneDX, the same twice, and holds every package and every pin', () => {
  const text = sbom();
  expect(sbom()).toBe(text);
  const bom = JSON.parse(text);
  expect(bom).toMatchObject({ bomFormat: 'CycloneDX', version: 1, metadata: { component: { name: 'veraretouch' } } });
  expect(bom.specVersion).toMatch(/^1\.\d$/);
  const components = bom.components as Component[];
  expect(new Set(components.map((one) => one['bom-ref'])).size).toBe(components.length);
  for (const one of components) {
    expect(one.type).toBe('library');
    expect(one.purl).toMatch(/^pkg:(npm|pypi)\/(%40[\w.-]+\/)?[\w.-]+@[\w.+-]+$/);
    if (!one.purl.startsWith('pkg:npm/')) continue;
    const [license] = one.licenses!;
    expect('expression' in license ? license.expression : (license.license.id ?? license.license.name)).toBeTruthy();
  }
  const purls = new Set(components.map(({ purl }) => purl));
  for (const [folder, { version, name: alias, link }] of Object.entries(LOCK)) {
    if (folder === '' || link) continue;
    const name = alias ?? folder.slice(folder.lastIndexOf('node_modules/') + 13);
    expect(purls).toContain(`pkg:npm/${name.replace('@', '%40')}@${version}`);
  }
  const pins = ['requirements.txt', 'requirements-nodeps.txt', 'requirements-dev.txt'].flatMap((file) =>
    readFileSync(join(ROOT, 'training', file), 'utf8')
      .split('\n')
      .filter((line) => /^\w/.test(line)),
  );
  expect(components.filter(({ purl }) => purl.startsWith('pkg:pypi/'))).toHaveLength(pins.length);
  expect(purls).toContain('pkg:pypi/torch@2.13.0');
  expect(components.find(({ name }) => name === 'sharp')?.scope).toBe('required');
});
