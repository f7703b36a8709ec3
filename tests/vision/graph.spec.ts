import { readFileSync } from 'node:fs';
import { expect, test } from '@playwright/test';
import fc from 'fast-check';
import * as onnx from 'onnxruntime-web';
import { lighter } from '../../fixtures/vision/ocr/graph/lighter.ts';
import { type Node, parseModel } from '../../fixtures/vision/ocr/graph/model.ts';
import { fieldsOf, messageOf, numberField, textField } from '../../fixtures/vision/ocr/graph/protobuf.ts';
import { modelPath } from '../../fixtures/vision/ocr/runtime.ts';
import { draw } from '../matchers/support/screen.ts';

const RECOGNISER = 'ch_PP-OCRv4_rec_infer.onnx';
const DETECTOR = 'ch_PP-OCRv4_det_infer.onnx';
const LAYOUTS = [{ isBlocked: true }, { isBlocked: false }];

const modelOf = (file: string): Uint8Array => readFileSync(modelPath(file));
const opsOf = (bytes: Uint8Array): string[] => parseModel(bytes).nodes.map(({ op }) => op);
const count = (ops: readonly string[], ...wanted: readonly string[]): number =>
  ops.filter((op) => wanted.includes(op)).length;

/** What a network answers to a picture with a text on it. */
async function answer(model: Uint8Array, [height, width]: readonly [number, number]): Promise<Float32Array> {
  onnx.env.wasm.numThreads = 1;
  const session = await onnx.InferenceSession.create(model);
  const picture = draw({ width, height }, [{ text: 'Log in', x: 8, y: 0.7 * height, size: 24 }]);
  const plane = height * width;
  const data = Float32Array.from(
    { length: 3 * plane },
    (_, at) => (picture.data[4 * (at % plane) + Math.floor(at / plane)]! - 128) / 64,
  );
  const results = await session.run({ x: new onnx.Tensor('float32', data, [1, 3, height, width]) });
  await session.release();
  return results[session.outputNames[0]!]!.data as Float32Array;
}

for (const [file, size] of [
  [RECOGNISER, [48, 160]],
  [DETECTOR, [96, 128]],
] as const)
  test(`${file} computes the same with half the passes behind its convolutions`, async () => {
    const model = modelOf(file);
    const wanted = await answer(model, size);
    expect(wanted.reduce((most, value) => Math.max(most, value))).toBeGreaterThan(0.1);
    const [ops, passes] = [opsOf(model), ['Mul', 'Add', 'Clip', 'Div', 'HardSigmoid']];
    for (const layout of LAYOUTS) {
      const light = lighter(model, layout);
      const own = await answer(light, size);
      expect(own.length).toBe(wanted.length);
      const furthest = own.reduce((most, value, at) => Math.max(most, Math.abs(value - wanted[at]!)), 0);
      expect(furthest).toBeLessThan(1e-4);
      expect(count(opsOf(light), 'Clip')).toBe(0);
      expect(count(opsOf(light), ...passes)).toBeLessThan(0.55 * count(ops, ...passes));
    }
  });

test('what is no hard swish is left as it is', async () => {
  const model = parseModel(modelOf(RECOGNISER));
  const size = [48, 64] as const;
  const has = ({ inputs }: Node, value: number): boolean =>
    inputs.some((input) => model.weights.get(input)?.data[0] === value);
  const divides = (node: Node): boolean => node.op === 'Div' && has(node, 6);
  const adds = (node: Node): boolean => node.op === 'Add' && has(node, 3);
  const others: readonly ((node: Node) => Node)[] = [
    (node) => (divides(node) ? { ...node, inputs: [node.inputs[0]!, 'other'] } : node),
    (node) =>
      node.op === 'Clip'
        ? { ...node, attributes: new Map([...node.attributes, ['max', { float: 5.9 }]]) }
        : node,
    (node) => (adds(node) ? { ...node, inputs: [node.inputs[0]!, 'other'] } : node),
  ];
  for (const change of others) {
    const more = new Map([['other', { dims: [1], data: Float32Array.of(6.2) }]]);
    const strange = model.with(model.nodes.map(change), more);
    const light = lighter(strange, { isBlocked: false });
    expect(count(opsOf(light), 'Clip')).toBe(count(opsOf(strange), 'Clip'));
    const [own, wanted] = [await answer(light, size), await answer(strange, size)];
    const furthest = own.reduce((most, value, at) => Math.max(most, Math.abs(value - wanted[at]!)), 0);
    expect(furthest).toBeLessThan(1e-4);
  }
});

test('a message is read and written to the byte, whatever is in it', () => {
  const model = modelOf(DETECTOR);
  expect(Buffer.from(messageOf(fieldsOf(model))).equals(model)).toBe(true);
  const field = fc.oneof(
    fc
      .tuple(fc.integer({ min: 1, max: 500 }), fc.maxSafeNat())
      .map(([number, value]) => numberField(number, value)),
    fc
      .tuple(fc.integer({ min: 1, max: 500 }), fc.string())
      .map(([number, value]) => textField(number, value)),
  );
  fc.assert(
    fc.property(fc.array(field), (fields) => {
      expect(fieldsOf(messageOf(fields))).toEqual(fields);
    }),
  );
  expect(() => fieldsOf(Uint8Array.of(10, 200))).toThrow(RangeError);
  expect(() => fieldsOf(Uint8Array.of(15))).toThrow(RangeError);
});
