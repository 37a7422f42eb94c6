// Node 20 cannot start a worker from TypeScript: this starts the loader in the new thread, then the real worker.
import { register } from 'tsx/esm/api';

register();
await import('./directory-worker.ts');
