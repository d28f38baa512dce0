import { expect, it } from 'vitest';
import { MemoryBlobs, MemorySources, planContext } from '../../test/support/memory-sources.ts';
import { InputSpec } from '../api/data.ts';
import { openPart } from './open/open-part.ts';
import { readPlan } from './plan/reader.ts';
import { planInput } from './plan-input.ts';

/** Plans and reads all parts: records, and bytes as text. */
async function cut(spec: unknown, files: Record<string, Uint8Array | string>, chunk?: number) {
  const sources = new MemorySources(files, chunk);
  const blobs = new MemoryBlobs();
  const input = InputSpec.parse({ from: ['x'], ...(spec as object) });
  const { hash, manifest } = await planInput(input, planContext(sources, blobs));
  const plan = await readPlan(hash, blobs.get);
  const records: unknown[][] = [];
  const bytes: string[] = [];
  const signal = new AbortController().signal;
  for (let at = 0; at < manifest.parts; at++) {
    const part = await openPart(plan, at, { reader: sources, signal });
    records.push(await Array.fromAsync(part.records()));
    bytes.push(Buffer.concat(await Array.fromAsync(part.bytes())).toString());
  }
  expect(sources.opened).toBe(0);
  return { manifest, records, bytes, blobs };
}

it('tries', async () => {
  console.log(
    JSON.stringify(await cut({ type: 'text', cut: { rows: 2 } }, { a: 'one\ntwo\r\nthree\n\nfive', b: '\ufeffx' }, 3)),
  );
  console.log(
    JSON.stringify(await cut({ type: 'csv', cut: { rows: 2 } }, { a: 'n,v\n1,"a\n""b"""\n\n2,c\n3,"d,e"' }, 3)),
  );
  console.log(
    JSON.stringify(await cut({ type: 'csv', cut: { group: 'n' } }, { a: 'n,v\n1,a\n2,b\n1,c\n', b: 'n,v\n2,z' }, 3)),
  );
  console.log(
    JSON.stringify(
      await cut(
        { type: 'json', at: 'data.items', cut: { rows: 2 } },
        { a: '{"x": [1,{"items":[9]}], "data": {"y":"z", "items": [ {"a":\n1}, 2,\n "x,]" , [3]]}, "w": null}\n' },
        3,
      ),
    ),
  );
  console.log(JSON.stringify(await cut({ type: 'jsonl', cut: { bytes: 5 } }, { a: '1\n\n{"a":2}\n  \n3\n"x"' }, 3)));
  console.log(JSON.stringify(await cut({ type: 'text', cut: { tasks: 3 } }, { a: 'a\nb\nc\nd\n', b: 'e\nf\n' }, 3)));
  console.log(JSON.stringify(await cut({ type: 'list', items: [1, 'x', null] }, {})));
});
