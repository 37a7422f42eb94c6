-- Makes a node the one on which a consumer runs, and says where in the log it goes on.
-- KEYS  1 lease  2 cursors  3 events  4 seq
-- ARGV  1 token of this turn  2 length of the lease, ms  3 consumer  4 what the tokens of this asker begin with: its own
--       earlier lease, which it could not give up, does not keep it out
-- Reply held                          another node is at it
--       taken, id, seq                the place it got to
--       new, id, seq                  the end of the log, as it never ran
--       shrunk, id, seq, seq before   the end of the log, as it lost entries that had been taken (a fail-over)
local LEASE, CURSORS, EVENTS, SEQ = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local token, length, consumer = ARGV[1], tonumber(ARGV[2]), ARGV[3]

local holder = redis.call('GET', LEASE)
if holder and string.sub(holder, 1, #ARGV[4]) ~= ARGV[4] then
  -- When Redis' clock was set back, the lease of a dead node would last that much longer.
  local left = redis.call('PTTL', LEASE)
  if left > length or left < 0 then redis.call('PEXPIRE', LEASE, length) end
  return { 'held' }
end
redis.call('SET', LEASE, token, 'PX', length)

-- The trimmer leaves the newest entry in place: a log that was ever written to is not empty.
local newest = newestOf(EVENTS)
local lastId, lastSeq = newest and newest[1] or '0-0', redis.call('GET', SEQ) or '0'
local id, seq = cursorOf(CURSORS, consumer)
if id and not isAfter(id, lastId) then return { 'taken', id, seq } end

redis.call('HSET', CURSORS, consumer, lastId .. ' ' .. lastSeq)
return { id and 'shrunk' or 'new', lastId, lastSeq, seq }
