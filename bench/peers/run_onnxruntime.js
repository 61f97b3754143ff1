// SPDX-License-Identifier: Apache-2.0
// bench/peers/run_onnxruntime.js - ONNX Runtime as a runner of run.py.
// usage: node run_onnxruntime.js NETWORK.onnx SIDE THREADS INPUT OUTPUT   (raw float32, planar)
// Per line on standard input it runs once and prints a line with the seconds and CPU seconds. The first result is
// written to OUTPUT. The package is found through NODE_PATH.
'use strict';
const fs = require('fs');
const readline = require('readline');
const ort = require('onnxruntime-node');

async function main([network, side, threads, input, output]) {
  const session = await ort.InferenceSession.create(network, {
    executionProviders: ['cpu'],
    graphOptimizationLevel: 'all',
    executionMode: 'sequential',
    intraOpNumThreads: Number(threads),
    interOpNumThreads: 1,
    extra: { session: { set_denormal_as_zero: '1' } },
  });
  const bytes = fs.readFileSync(input);
  const pixels = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  const x = new ort.Tensor('float32', pixels, [1, 3, Number(side), Number(side)]);
  let isKept = false;
  for await (const _ of readline.createInterface({ input: process.stdin })) {
    const cpuStart = process.cpuUsage();
    const start = process.hrtime.bigint();
    const { y } = await session.run({ x });
    const seconds = Number(process.hrtime.bigint() - start) / 1e9;
    const cpu = process.cpuUsage(cpuStart);
    if (!isKept) fs.writeFileSync(output, Buffer.from(y.data.buffer, y.data.byteOffset, y.data.byteLength));
    isKept = true;
    console.log(seconds, (cpu.user + cpu.system) / 1e6);
  }
}

main(process.argv.slice(2));
