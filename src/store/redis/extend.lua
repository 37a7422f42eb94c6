-- Moves the deadline of an association, never to an earlier moment: by a call, or because the guest stays.
-- KEYS  1 records  2 guests  3 deadlines  4 site counts  5 events  6 seq  7 history
-- ARGV  1 host  2 gen  3 call|stay  4 limit from now in ms for stay ('0' = never)  5 actor
-- Reply extended, now, host, guest, site, gen, at, dl, idle
--       unchanged|gone, now
local now = time()
local record = live(ARGV[1], now)
if not record or record.gen ~= ARGV[2] then return { 'gone', text(now) } end

local cap = record.cap
if ARGV[3] == 'stay' and cap ~= '0' then
  -- A limit that was shortened meanwhile takes nothing away from who asks for more.
  local limit = tonumber(ARGV[4])
  cap = limit > 0 and text(math.max(tonumber(cap), now + limit)) or '0'
end
local dl = deadline(cap, record.idle, now)
local isLater = record.dl ~= '0' and (dl == '0' or tonumber(dl) > tonumber(record.dl))
if not isLater then return { 'unchanged', text(now) } end

record.cap, record.dl = cap, dl
write(record)
if dl == '0' then redis.call('ZREM', DEADLINES, record.host) end
event('extend', ARGV[3], ARGV[5], record, { seq = advance(LOG.seq), now = now })
return { 'extended', text(now), unpack(facts(record)) }
