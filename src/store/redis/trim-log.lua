-- Removes the oldest entries of the change log, and what finds them by host and by guest. The newest entry always stays:
-- it shows where the log ends.
-- KEYS  1 events  2 history  3 cursors
-- ARGV  1 ms that entries are kept for  2 most entries kept, taken or not  3 most entries removed now
--       4… consumers that must have taken an entry first
-- Reply number removed, '1' = there may be more to remove
local EVENTS, HISTORY, CURSORS = KEYS[1], KEYS[2], KEYS[3]
local oldestMs, most = time() - tonumber(ARGV[1]), tonumber(ARGV[3])

local newest = newestOf(EVENTS)
if not newest then return { '0', '0' } end
local newestId = newest[1]

-- Every consumer that ever ran has got to here at least.
local takenId = newestId
for i = 4, #ARGV do
  local id = cursorOf(CURSORS, ARGV[i])
  if id and isAfter(takenId, id) then takenId = id end
end

local function members(id, fields)
  local found = {}
  for i = 1, #fields, 2 do
    if fields[i] == 'host' then found[#found + 1] = 'h\0' .. fields[i + 1] .. '\0' .. id end
    if fields[i] == 'guest' then found[#found + 1] = 'g\0' .. fields[i + 1] .. '\0' .. id end
  end
  return found
end

local excess = redis.call('XLEN', EVENTS) - tonumber(ARGV[2])
local removed, lastId = 0, nil
for i, entry in ipairs(redis.call('XRANGE', EVENTS, '-', '+', 'COUNT', most)) do
  local id = entry[1]
  local ms = parts(id)
  local isDone = ms < oldestMs and not isAfter(id, takenId)
  if id == newestId or not (isDone or i <= excess) then break end
  local found = members(id, entry[2])
  if #found > 0 then redis.call('ZREM', HISTORY, unpack(found)) end
  removed, lastId = i, id
end
if removed == 0 then return { '0', '0' } end

local ms, n = parts(lastId)
redis.call('XTRIM', EVENTS, 'MINID', '=', text(ms) .. '-' .. text(n + 1))
return { text(removed), removed == most and '1' or '0' }
