import { bakeInSpace, parseCube, PROPHOTO_RGB } from '../../../src/color';
import { FakeFile } from '../../fakes/photoshop';
import { retouchFor, setUp, warm } from './support';

const textOf = (file: FakeFile): string => Buffer.from(file.content as Uint8Array).toString('latin1');

describe('a retouch as a .cube file', () => {
  test('is made for the numbers of the document, without touching it', async () => {
    const { ps, host, uxp } = setUp();
    const document = ps.open({ profile: 'ProPhoto RGB', name: 'Beach.psd' });
    const original = document.print;
    const file = new FakeFile('Beach-VeraRetouch.cube');
    uxp.chosen.push(file);
    const proxy = await host.readProxy({ longEdge: 64 });
    const applied = await host.apply(retouchFor(proxy, { output: 'cube' }));
    expect(applied).toMatchObject({ output: 'cube', notes: [expect.stringContaining('Color Lookup')] });
    expect(applied.layer).toBeUndefined();
    expect(uxp.asked).toEqual([{ kind: 'save', name: 'Beach-VeraRetouch.cube', types: ['cube'] }]);
    const { lut } = parseCube(textOf(file));
    const wanted = bakeInSpace(PROPHOTO_RGB, warm(), 17);
    lut.data.forEach((value, i) => {
      expect(Math.abs(value - wanted.data[i])).toBeLessThan(1e-6);
    });
    expect(textOf(file)).toContain('(ProPhoto RGB)');
    expect([document.print, document.history.length]).toEqual([original, 1]);
  });

  test('for a profile that is not known is for sRGB, and says so', async () => {
    const { ps, host, uxp } = setUp();
    ps.open({ profile: 'Camera 5D RGB' });
    const file = new FakeFile('x.cube');
    uxp.chosen.push(file);
    const { notes } = await host.apply(retouchFor(await host.readProxy({ longEdge: 64 }), { output: 'cube' }));
    expect(notes.join()).toContain('is for sRGB');
    expect(textOf(file)).toContain('(sRGB)');
  });

  test('that is not saved in the end was cancelled', async () => {
    const { ps, host, uxp } = setUp();
    ps.open();
    uxp.chosen.push(null);
    const retouch = retouchFor(await host.readProxy({ longEdge: 64 }), { output: 'cube' });
    await expect(host.apply(retouch)).rejects.toMatchObject({ code: 'ABORT_ERR' });
  });

  test('comes when no layer can be made; when it is not wished for, the first failure is told', async () => {
    for (const wished of [true, false]) {
      const { ps, host, uxp } = setUp();
      const document = ps.open();
      const retouch = retouchFor(await host.readProxy({ longEdge: 64 }));
      const original = document.print;
      ps.modal.before = (call) => {
        if (call === 'putPixels' || call === 'batchPlay make adjustmentLayer') throw new Error('Out of scratch space.');
      };
      uxp.chosen.push(wished ? new FakeFile('x.cube') : null);
      const result = await host.apply(retouch).catch((error: unknown) => error);
      if (wished) expect(result).toMatchObject({ output: 'cube' });
      else
        expect(result).toMatchObject({ code: 'HOST_FAILED', message: expect.stringContaining('Out of scratch space') });
      expect([document.print, document.history.length]).toEqual([original, 1]);
    }
  });
});

test('kinds of files that Photoshop itself saves are not made here', async () => {
  const { ps, host } = setUp();
  ps.open();
  const { state } = await host.readProxy({ longEdge: 64 });
  for (const output of ['png', 'psd'] as const) {
    await expect(host.apply(retouchFor({ state }, { output }))).rejects.toMatchObject({ code: 'OUTPUT_UNKNOWN' });
  }
});

describe('files that are chosen', () => {
  test('come as bytes; none when none was chosen', async () => {
    const { host, uxp } = setUp();
    uxp.chosen.push(new FakeFile('Look.xmp', Uint8Array.of(1, 2, 250)), null);
    expect(await host.pickFile('preset')).toEqual({ name: 'Look.xmp', bytes: Uint8Array.of(1, 2, 250) });
    expect(await host.pickFile('photo')).toBeUndefined();
    expect(uxp.asked.map(({ types }) => types[0])).toEqual(['xmp', 'jpg']);
  });

  test('are refused with a reason when they cannot be read or are too large', async () => {
    const { host, uxp } = setUp();
    const broken = new FakeFile('a.jpg', 'x');
    broken.failure = new Error('Permission denied.');
    const huge = new FakeFile('b.zip', { length: 3e8 } as Uint8Array);
    uxp.chosen.push(broken, huge);
    await expect(host.pickFile('photo')).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
    await expect(host.pickFile('bundle')).rejects.toMatchObject({ code: 'FILE_TOO_LARGE' });
  });
});

test('saving asks where to; a disk that refuses is told', async () => {
  const { host, uxp } = setUp();
  const [file, full] = [new FakeFile('a.json'), new FakeFile('b.json')];
  full.failure = new Error('No space left.');
  uxp.chosen.push(file, null, full);
  expect(await host.saveFile('a.json', Uint8Array.of(7))).toBe(true);
  expect(file.content).toEqual(Uint8Array.of(7));
  expect(await host.saveFile('a.json', Uint8Array.of(7))).toBe(false);
  await expect(host.saveFile('b.json', Uint8Array.of(7))).rejects.toMatchObject({ code: 'OUTPUT_WRITE' });
});

test('settings come back as they were; damaged ones are none', async () => {
  const { host, uxp } = setUp();
  expect(await host.readSettings()).toBeUndefined();
  await host.writeSettings({ theme: 'dark', words: 'é永' });
  await host.writeSettings({ theme: 'light' });
  expect(await host.readSettings()).toEqual({ theme: 'light' });
  uxp.data.get('settings.json')!.content = '{"theme":';
  expect(await host.readSettings()).toBeUndefined();
  uxp.data.get('settings.json')!.failure = new Error('No space left.');
  await expect(host.writeSettings({})).rejects.toMatchObject({ code: 'OUTPUT_WRITE' });
});

test('changes of documents are told once for many, and no longer when nobody listens', async () => {
  const { ps, host } = setUp();
  await host.start();
  const heard: string[] = [];
  const end = host.listen(({ kind }) => heard.push(kind));
  for (const event of ['select', 'historyStateChanged', 'set', 'nothing of interest']) ps.notify(event);
  await new Promise((resolve) => setTimeout(resolve, 150));
  expect(heard).toEqual(['document']);
  end();
  ps.notify('open');
  await new Promise((resolve) => setTimeout(resolve, 150));
  await host.stop();
  expect(heard).toHaveLength(1);
});
