import { benchCalls } from './calls.ts';
import { benchLogIns } from './log-ins.ts';

/** `npm run bench`: what a call and a login cost. Ratios within one run, so that a busy machine does not decide. */
const calls = await benchCalls(100, 10);
const logIns = await benchLogIns({ rate: 20, seconds: 15 });
process.exit(calls && logIns ? 0 : 1);
