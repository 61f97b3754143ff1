// SPDX-License-Identifier: Apache-2.0
// usage: node tus_client.mjs ENDPOINT FILE CHUNK_BYTES - upload a file with npm's tus client, which resumes by itself
// when a connection breaks. Prints the address of the upload and how often it had to try again.
import fs from 'node:fs';
import * as tus from 'tus-js-client';

const [endpoint, path, chunk] = process.argv.slice(2);
let retries = 0;
const upload = new tus.Upload(fs.createReadStream(path), {
    endpoint,
    chunkSize: Number(chunk),
    uploadSize: fs.statSync(path).size,
    metadata: {filename: 'picture.png'},
    retryDelays: Array(600).fill(50),
    onShouldRetry: () => { retries++; return true; },
    onError: (error) => { console.error(String(error)); process.exit(1); },
    onSuccess: () => { console.log(upload.url, retries); process.exit(0); },
});
upload.start();
