import { expect, test } from '@playwright/test';
import { batched } from '../../fixtures/vision/ocr/batches.ts';
import { loadNetwork, type Tensor } from '../../fixtures/vision/ocr/runtime.ts';

/** Width of an input of one row; the network doubles its values. */
function doubling(): { readonly dims: string[]; run(input: Tensor): Promise<Tensor> } {
  const dims: string[] = [];
  return {
    dims,
    run(input) {
      dims.push(input.dims.join('x'));
      return Promise.resolve({ data: input.data.map((value) => 2 * value), dims: input.dims });
    },
  };
}

const row = (...values: number[]): Tensor => ({ data: Float32Array.from(values), dims: [1, values.length] });

test('inputs of one shape that wait together are one run, and each gets its own output', async () => {
  const network = doubling();
  const batch = batched(() => Promise.resolve(network));
  const outputs = await Promise.all([row(1, 2), row(7), row(3, 4), row(8)].map((input) => batch.run(input)));
  expect(outputs.map(({ data }) => [...data])).toEqual([[2, 4], [14], [6, 8], [16]]);
  expect(outputs.map(({ dims }) => dims)).toEqual([
    [1, 2],
    [1, 1],
    [1, 2],
    [1, 1],
  ]);
  expect(network.dims).toEqual(['2x2', '2x1']);
});

test('a batch that fails fails its own inputs; the next ones are run', async () => {
  const network = doubling();
  let isBroken = true;
  const batch = batched(() => {
    if (!isBroken) return Promise.resolve(network);
    isBroken = false;
    return Promise.reject(new Error('no network'));
  });
  const seen = await Promise.allSettled([batch.run(row(1, 2)), batch.run(row(5))]);
  expect(seen[0]).toMatchObject({ status: 'rejected', reason: { message: 'no network' } });
  expect(seen[1]).toMatchObject({ status: 'fulfilled', value: { dims: [1, 1] } });
});

test('a long line runs alone: a batch has a bounded size', async () => {
  const network = doubling();
  const batch = batched(() => Promise.resolve(network));
  const long = { data: new Float32Array(3 * 48 * 960), dims: [1, 3, 48, 960] };
  await Promise.all([long, long, long].map((input) => batch.run(input)));
  expect(network.dims).toEqual(['1x3x48x960', '1x3x48x960', '1x3x48x960']);
});

test('the recogniser answers the same to the bit, alone and in a batch', async () => {
  const network = await loadNetwork('ch_PP-OCRv4_rec_infer.onnx');
  const inputs = [1, 2, 3].map((seed) => ({
    data: Float32Array.from({ length: 3 * 48 * 96 }, (_, at) => Math.sin(seed * at * 0.37)),
    dims: [1, 3, 48, 96],
  }));
  const batch = batched(() => Promise.resolve(network));
  const inBatch = await Promise.all(inputs.map((input) => batch.run(input)));
  for (const [index, input] of inputs.entries()) expect(inBatch[index]).toEqual(await network.run(input));
});
