import { benchCalls } from './calls.ts';
import { benchDecisions } from './decisions.ts';
import { benchLists } from './lists.ts';
import { benchLogIns } from './log-ins.ts';
import { benchStrangers } from './strangers.ts';

/** `npm run bench`: what a call, a login and a routing decision cost. Ratios within one run, so that a busy machine does not decide. */
const calls = await benchCalls(100, 10);
const logIns = await benchLogIns({ rate: 20, seconds: 15 });
const decisions = await benchDecisions();
const strangers = benchStrangers();
const lists = await benchLists();
process.exit(calls && logIns && decisions && strangers && lists ? 0 : 1);
