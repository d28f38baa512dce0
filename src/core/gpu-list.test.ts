import { describe, expect, test } from 'vitest';
import {
  type Gpu,
  parseGpuDeclaration,
  parseKfdNodes,
  parseNvidiaList,
  parseRocmList,
  visibleGpus,
} from './gpu-list.ts';

const TWO = `0, GPU-8932f937-d72c-4106-c12f-20bd9faed9f6, NVIDIA A100-SXM4-40GB, 40536
1, GPU-1d8a3f2e-0000-4106-c12f-20bd9faed9f7, NVIDIA A100-SXM4-40GB, 40536
`;

describe('nvidia-smi', () => {
  test('lists devices', () => {
    expect(parseNvidiaList(TWO)).toEqual([
      {
        id: '0',
        vendor: 'nvidia',
        uuid: 'GPU-8932f937-d72c-4106-c12f-20bd9faed9f6',
        name: 'NVIDIA A100-SXM4-40GB',
        memoryBytes: 40_536 * 1024 * 1024,
      },
      expect.objectContaining({ id: '1', uuid: 'GPU-1d8a3f2e-0000-4106-c12f-20bd9faed9f7' }),
    ]);
  });

  test('a name may hold a comma, and an integrated device has no memory of its own', () => {
    const [gpu] = parseNvidiaList('0, GPU-1-2, Orin, (nvgpu), [N/A]\r\n');
    expect(gpu).toMatchObject({ name: 'Orin, (nvgpu)', memoryBytes: 0 });
  });

  test.each([
    '',
    'No devices were found\n',
    'NVIDIA-SMI has failed because it could not communicate with the NVIDIA driver.',
    '<html>\0\u{1f600}</html>',
    '0, GPU-1-2\n',
    'x, GPU-1-2, A, 5\n',
    '0, [Unknown Error], A, 5\n',
    ',,,\n',
  ])('%j is no device', (text) => {
    expect(parseNvidiaList(text)).toEqual([]);
  });

  test('a broken line takes no other with it', () => {
    expect(parseNvidiaList(`${TWO.slice(0, 20)}\n${TWO}`)).toHaveLength(2);
  });
});

describe('rocm-smi', () => {
  test('lists devices in order of their numbers, whatever is said before', () => {
    const cards = {
      card10: { 'Unique ID': '0x2', 'Card Series': 'MI250X', 'VRAM Total Memory (B)': '68702699520' },
      card2: { 'Unique ID': '0x1', 'Card series': 'Instinct' },
      system: { 'Driver version': '6.2' },
    };
    expect(parseRocmList(`WARNING: low power state\n${JSON.stringify(cards)}`)).toEqual([
      { id: '2', vendor: 'amd', uuid: '0x1', name: 'Instinct', memoryBytes: 0 },
      { id: '10', vendor: 'amd', uuid: '0x2', name: 'MI250X', memoryBytes: 68_702_699_520 },
    ]);
  });

  test.each(['', 'ERROR', '{', '[1]', '{"card0":7}', '{"card0":null}', '{"cardx":{}}', '"card0"'])(
    '%j is no device',
    (text) => {
      expect(parseRocmList(text)).toEqual([]);
    },
  );

  test('fields of another kind are as good as none', () => {
    const [gpu] = parseRocmList('{"card0":{"Unique ID":5,"Card model":"x","VRAM Total Memory (B)":"-1"}}');
    expect(gpu).toEqual({ id: '0', vendor: 'amd', uuid: '', name: 'x', memoryBytes: 0 });
  });

  test('null is no list', () => {
    expect(parseRocmList('null')).toEqual([]);
  });
});

test('of the nodes of the AMD driver those with SIMD units are devices', () => {
  const nodes = ['cpu_cores_count 8\nsimd_count 0\n', 'simd_count 256\nunique_id 255\n', 'garbage', 'simd_count 60\n'];
  expect(parseKfdNodes(nodes)).toEqual([
    { id: '0', vendor: 'amd', uuid: 'GPU-ff', name: '', memoryBytes: 0 },
    { id: '1', vendor: 'amd', uuid: '', name: '', memoryBytes: 0 },
  ]);
});

describe('what a program inherited', () => {
  const gpus = [0, 1, 2].map(
    (n): Gpu => ({ id: String(n), vendor: 'nvidia', uuid: `GPU-${n}a-b`, name: '', memoryBytes: 0 }),
  );
  const visible = (text: string | undefined) => visibleGpus(gpus, text).map(({ id, uuid }) => [id, uuid[4]]);

  test.each([
    [
      undefined,
      [
        ['0', '0'],
        ['1', '1'],
        ['2', '2'],
      ],
    ],
    ['', []],
    ['-1', []],
    ['NoDevFiles', []],
    ['2', [['2', '2']]],
    [
      '2, 0',
      [
        ['2', '2'],
        ['0', '0'],
      ],
    ],
    ['GPU-1a', [['GPU-1a', '1']]],
    [
      'GPU-1a-b,0',
      [
        ['GPU-1a-b', '1'],
        ['0', '0'],
      ],
    ],
    ['0,7,1', [['0', '0']]],
    ['1,1,0', [['1', '1']]],
    ['GPU-', []],
  ])('%j leaves %j', (text, expected) => {
    expect(visible(text)).toEqual(expected);
  });

  test('of two names of one device the first counts', () => {
    expect(visible('GPU-0a,GPU-0a-b')).toEqual([['GPU-0a', '0']]);
  });

  test('two devices that say nothing of themselves are two', () => {
    const bare = gpus.map((gpu) => ({ ...gpu, uuid: '' }));
    expect(visibleGpus(bare, '0,1').map(({ id }) => id)).toEqual(['0', '1']);
  });
});

describe('what a person declares', () => {
  test.each([
    ['0', { count: 0 }],
    ['2', { count: 2 }],
    ['1024', { count: 1_024 }],
    ['0,1', { ids: ['0', '1'] }],
    ['3,', { ids: ['3'] }],
    ['GPU-8932f937-d72c', { ids: ['GPU-8932f937-d72c'] }],
    ['0,GPU-1,MIG-GPU-1/2/0', { ids: ['0', 'GPU-1', 'MIG-GPU-1/2/0'] }],
  ])('%j', (text, expected) => {
    expect(parseGpuDeclaration(text)).toEqual(expected);
  });

  test.each([
    '',
    ',',
    '1025',
    '99999',
    '0,,1',
    '0,0',
    '-1',
    '0, 1',
    'a b',
    '1.5',
    'x;y',
    'all=1',
    `0,${'x'.repeat(200)}`,
  ])('%j is nothing of the kind', (text) => {
    expect(parseGpuDeclaration(text)).toBeUndefined();
  });
});
