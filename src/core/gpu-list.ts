/** Who made a device: by what its programs are told which to use. */
export type GpuVendor = 'nvidia' | 'amd';

/** One device as a vendor's tool lists it. */
export interface Gpu {
  /** As `CUDA_VISIBLE_DEVICES` and `ROCR_VISIBLE_DEVICES` name it: its number, or what the user called it. */
  readonly id: string;
  readonly vendor: GpuVendor;
  /** Empty when nobody says. */
  readonly uuid: string;
  readonly name: string;
  /** 0 when nobody says. */
  readonly memoryBytes: number;
}

const MIB = 1024 * 1024;

/** What nvidia-smi must be asked for, so that its answer can be read here. */
export const NVIDIA_QUERY = ['--query-gpu=index,uuid,name,memory.total', '--format=csv,noheader,nounits'] as const;
/** The same of rocm-smi. */
export const ROCM_QUERY = ['--showuniqueid', '--showproductname', '--showmeminfo', 'vram', '--json'] as const;

/** Reads what nvidia-smi answers to NVIDIA_QUERY. What is no device (a message, a broken line) is left out. */
export function parseNvidiaList(text: string): Gpu[] {
  return text.split('\n').flatMap((line): Gpu[] => {
    const fields = line.split(',').map((field) => field.trim());
    const [id, uuid] = fields;
    if (fields.length < 4 || !/^\d{1,4}$/.test(id!) || !/^(?:GPU|MIG)-[\w-]+/.test(uuid!)) return [];
    const memory = fields.at(-1)!;
    // Integrated devices answer `[N/A]`.
    const memoryBytes = /^\d+$/.test(memory) ? Number(memory) * MIB : 0;
    return [{ id: id!, vendor: 'nvidia', uuid: uuid!, name: fields.slice(2, -1).join(', '), memoryBytes }];
  });
}

/** Reads what rocm-smi answers to ROCM_QUERY: an object with a `card<number>` for each device. Anything else gives none. */
export function parseRocmList(text: string): Gpu[] {
  let cards: unknown;
  try {
    // Warnings come before it on the same stream.
    cards = JSON.parse(text.slice(Math.max(0, text.indexOf('{'))));
  } catch {
    return [];
  }
  if (typeof cards !== 'object' || cards === null) return [];
  return Object.entries(cards)
    .flatMap(([key, card]): Gpu[] => {
      const id = /^card(\d{1,4})$/.exec(key)?.[1];
      if (id === undefined || typeof card !== 'object' || card === null) return [];
      const field = (...names: string[]) =>
        names.map((name) => (card as Record<string, unknown>)[name]).find((value) => typeof value === 'string') ?? '';
      const memory = Number(field('VRAM Total Memory (B)'));
      return [
        {
          id,
          vendor: 'amd',
          uuid: String(field('Unique ID')),
          name: String(field('Card series', 'Card Series', 'Card model', 'Card Model')),
          memoryBytes: Number.isSafeInteger(memory) && memory > 0 ? memory : 0,
        },
      ];
    })
    .toSorted((a, b) => Number(a.id) - Number(b.id));
}

/** Reads the `properties` files of the AMD driver's nodes, in their order. A node without SIMD units is a CPU. */
export function parseKfdNodes(nodes: readonly string[]): Gpu[] {
  const field = (node: string, name: string) => new RegExp(`^${name} (\\d{1,20})$`, 'm').exec(node)?.[1] ?? '0';
  return nodes
    .filter((node) => field(node, 'simd_count') !== '0')
    .map((node, number) => {
      const uuid = field(node, 'unique_id');
      return {
        id: String(number),
        vendor: 'amd',
        uuid: uuid === '0' ? '' : `GPU-${BigInt(uuid).toString(16)}`,
        name: '',
        memoryBytes: 0,
      };
    });
}

/**
 * The devices that a program may use under `visible`, the value of CUDA_VISIBLE_DEVICES or ROCR_VISIBLE_DEVICES that it inherited, in that order
 * and by those names. As the vendors have it, the list ends at the first name that is no device; undefined means all.
 */
export function visibleGpus(gpus: readonly Gpu[], visible: string | undefined): Gpu[] {
  if (visible === undefined) return [...gpus];
  const seen: Gpu[] = [];
  for (const name of visible.split(',').map((part) => part.trim())) {
    const gpu = gpus.find(({ id, uuid }) => id === name || (/^(?:GPU|MIG)-./.test(name) && uuid.startsWith(name)));
    if (gpu === undefined || seen.some(({ uuid, id }) => uuid === gpu.uuid && id === gpu.id)) break;
    seen.push(gpu);
  }
  return seen.map((gpu, at) => ({ ...gpu, id: visible.split(',')[at]!.trim() }));
}

/** What a person declared: how many devices, or which. */
export type GpuDeclaration = { readonly count: number } | { readonly ids: readonly string[] };

export const MAX_GPUS = 1_024;

/** Reads `2` (so many), `0,2` or `GPU-8932f937-d72c` (these); undefined when it is neither. A comma at the end makes a list of one number. */
export function parseGpuDeclaration(text: string): GpuDeclaration | undefined {
  if (/^\d{1,4}$/.test(text)) return Number(text) <= MAX_GPUS ? { count: Number(text) } : undefined;
  const ids = text.replace(/,$/, '').split(',');
  // A number with a point, or a long one, is a typing error and no name.
  if (!ids.every((id) => /^(?:\d{1,4}|[A-Za-z][\w:/.-]{0,127})$/.test(id))) return undefined;
  return new Set(ids).size === ids.length && ids.length <= MAX_GPUS ? { ids } : undefined;
}
