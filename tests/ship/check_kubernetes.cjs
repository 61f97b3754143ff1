// SPDX-License-Identifier: Apache-2.0
// check_kubernetes.cjs FOLDER - hold Kubernetes objects against the schemas of kubernetes-models, whose types the
// TypeScript compiler has checked for unknown fields. In: FOLDER/objects.json, [{name, module, object}]; the packages are
// in FOLDER/node_modules. Out: one line per fault; exit code 1 if there is any.
const folder = process.argv[2];
let faults = 0;
for (const { name, module, object } of require(`${folder}/objects.json`)) {
  const Kind = require(`${folder}/node_modules/${module}.js`)[object.kind];
  try {
    new Kind(object).validate();
  } catch (error) {
    faults++;
    console.log(`${name}: ${error.message}`);
  }
}
process.exitCode = faults ? 1 : 0;
