-- Undoes an association that could not be confirmed to anybody, and forgets the operation: a repeat does it anew. Who
-- was about to hear that they are here already, and did not, withdraws that only.
-- KEYS  1 records  2 guests  3 deadlines  4 site counts  5 events  6 seq  7 history  8 op:<opId> of the association
-- ARGV  1 actor
-- Reply takenBack|nothing    (nothing: never done, refused, told to somebody since, or over already)
local stored = redis.call('GET', KEYS[8])
if not stored then return { 'nothing' } end
redis.call('DEL', KEYS[8])

-- outcome, seq, host, guest, site, gen, at, dl
local done = cjson.decode(stored)
local now = time()
local isOwn = done[1] == 'associated'
local record = (isOwn or done[1] == 'alreadyHere') and live(done[3], now)
if not record or record.gen ~= done[6] then return { 'nothing' } end

local told = {}
for _, key in ipairs(record.told or {}) do
  if key ~= KEYS[8] then told[#told + 1] = key end
end
record.told = #told > 0 and told or nil
record.undo = record.undo or (isOwn and '1' or nil)
if record.undo and not record.told then
  finish(record, 'released', ARGV[1], now)
  return { 'takenBack' }
end
write(record)
return { 'nothing' }
