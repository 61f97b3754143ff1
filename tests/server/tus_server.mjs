// SPDX-License-Identifier: Apache-2.0
// usage: node tus_server.mjs FOLDER MAX_SIZE - npm's tus server on a free port of the loopback. Prints the port.
import {Server} from '@tus/server';
import {FileStore} from '@tus/file-store';

const [directory, maxSize] = process.argv.slice(2);
const datastore = new FileStore({directory, expirationPeriodInMilliseconds: 3600000});
const server = new Server({path: '/files', datastore, maxSize: Number(maxSize), relativeLocation: true})
    .listen(0, '127.0.0.1', () => console.log(server.address().port));
