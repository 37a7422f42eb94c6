-- Undoes an association that could not be confirmed to anybody, and forgets the operation: a repeat does it anew.
-- KEYS  1 records  2 guests  3 deadlines  4 site counts  5 events  6 seq  7 history  8 op:<opId> of the association
-- ARGV  1 actor
-- Reply takenBack|nothing    (nothing: never done, refused, told to somebody since, or over already)
local stored = redis.call('GET', KEYS[8])
if not stored then return { 'nothing' } end
redis.call('DEL', KEYS[8])

-- outcome, seq, host, guest, site, gen, at, dl
local done = cjson.decode(stored)
local now = time()
local record = done[1] == 'associated' and live(done[3], now)
if not record or record.gen ~= done[6] or record.told then return { 'nothing' } end
finish(record, 'released', ARGV[1], now)
return { 'takenBack' }
