-- An association is ended by its guest or an administrator.
-- KEYS  1 records  2 guests  3 deadlines  4 site counts  5 events  6 seq  7 history  8 op:<opId>
-- ARGV  1 host ('' = where the guest is)  2 guest ('' = whoever is there)  3 gen ('' = any)  4 reason  5 actor
--       6 ttl of the op key in ms  7 last moment this may be carried out, store clock in ms ('0' = any)
-- Reply new|replay, now, ended, seq, host, guest, site, gen, at, dl, idle
--       new|replay, now, none|notYours|stale, seq
--       late, now    (nothing was done)
local host, guest, generation, reason, actor = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local now = time()
local op = { key = KEYS[8], ttl = ARGV[6], now = now }

local before = replayed(op.key, op.ttl, now)
if before then return before end
if late(ARGV[7], now) then return { 'late', text(now) } end

local record
if host == '' then record = liveOf(guest, now) else record = live(host, now) end
if not record then return reply('none', {}, op) end
if guest ~= '' and record.g ~= guest then return reply('notYours', {}, op) end
if generation ~= '' and record.gen ~= generation then return reply('stale', {}, op) end

finish(record, reason, actor, now)
return reply('ended', facts(record), op)
