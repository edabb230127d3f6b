// Runs the built client on the mock community, to look at: `npm run mock`.
import { fill } from './fill';
import { MockServer } from './server';

const server = new MockServer(fill());
await server.start(8099);
console.log(`${server.address} (sign in as asha, password "correct horse")`);
