import { startHotdesk } from './support/hotdesk.ts';
const h = await startHotdesk();
try {
await h.seat('1001','cp0004f2000001');
const p = await h.phone('cp0004f2000001');
const c = await p.call('1999', {earlyMedia: true});
const m = await c.media();
for (let i=0;i<30;i++){ await new Promise(r=>setTimeout(r,200)); console.log(m.remoteSdp.length, m.ear.frames, m.ear.transcript, c.session.state, c.progress.length); if (c.session.state==='Terminated') break; }
console.log(await c.ended);
} finally { process.exit(0); }
