-- A guest associates with a host: log in, move, take over.
-- KEYS  1 records  2 guests  3 deadlines  4 site counts  5 events  6 seq  7 history  8 op:<opId>
-- ARGV  1 host  2 guest  3 site  4 limit in ms ('0' = never)  5 idle limit in ms ('0' = never)
--       6 occupied: deny|takeover  7 second desk: move|deny  8 actor  9 ttl of the op key in ms
--       10 last moment this may be carried out, store clock in ms ('0' = any)
--       11 what guest and host are called at this moment, JSON, kept for the log ('' = nobody knows)
-- Reply new|replay, now, associated|occupied|elsewhere|alreadyHere, seq, host, guest, site, gen, at, dl, idle [, previous host]
--       late, now    (nothing was done)
local host, guest, site, limit, idle = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5]
local takeover, keepFirstDesk, actor = ARGV[6] == 'takeover', ARGV[7] == 'deny', ARGV[8]
local now = time()
local op = { key = KEYS[8], ttl = ARGV[9], now = now }

local before = replayed(op.key, op.ttl, now)
if before then return before end
if late(ARGV[10], now) then return { 'late', text(now) } end

local there = live(host, now)
local elsewhere = liveOf(guest, now)
if there and there.g == guest then
  -- Somebody is about to know of it: who could not confirm it undoes it only if this one cannot either.
  there.told = there.told or {}
  there.told[#there.told + 1] = op.key
  write(there)
  return reply('alreadyHere', facts(there), op)
end
if there and not takeover then return reply('occupied', facts(there), op) end
if elsewhere and keepFirstDesk then return reply('elsewhere', facts(elsewhere), op) end

if there then finish(there, 'takenOver', actor, now) end
-- Directly before the start: a move is one adjacent pair in the log.
if elsewhere then finish(elsewhere, 'moved', actor, now) end
local previous = elsewhere and elsewhere.host or ''
local cap = limit > 0 and text(now + limit) or '0'
local record = {
  host = host, g = guest, site = site, at = text(now), cap = cap, idle = idle, dl = deadline(cap, idle, now),
  n = ARGV[11],
}
begin(record, elsewhere and 'move' or 'logIn', actor, { now = now, previous = previous })

local list = facts(record)
list[#list + 1] = previous
return reply('associated', list, op)
