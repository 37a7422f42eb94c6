-- Reserves one guess on four counters at once, before the slow hash, or says how long to wait. All or none.
-- KEYS  1 guesses of the person  2 of the person at this host  3 of the host  4 of the source
--       HASH {n, until, ends, by, total, at, cleared}: n = guesses of this window, ends = its end, until = end of the wait,
--       by = whose guess began it, total = guesses since a right one or an unlock, of a counter with a hard limit,
--       at = last guess, cleared = when an administrator unlocked the person
--       5 events  6 seq  7 history
-- ARGV  per counter: free guesses, base wait ms, longest wait ms, window ms, hard limit ('0' = none), slides ('1' = yes)
--       25 extension if it is a user's, else ''  26 host  27 how long the total of an unknown extension is kept, ms
-- Reply reserved
--       wait, ms, counter 1–4    (the longest of them)
--       locked, counter
local now = time()
local LOG = { events = KEYS[5], seq = KEYS[6], history = KEYS[7] }
local COUNTERS, PAIR, HOST = 4, 2, 3
local extension, host = ARGV[25], ARGV[26]

local function limits(i)
  local at = (i - 1) * 6
  return {
    free = tonumber(ARGV[at + 1]), base = tonumber(ARGV[at + 2]), longest = tonumber(ARGV[at + 3]),
    window = tonumber(ARGV[at + 4]), hard = tonumber(ARGV[at + 5]), slides = ARGV[at + 6] == '1',
  }
end

local counts, totals, windows, wait, waiting = {}, {}, {}, 0, 0
local cleared = tonumber(redis.call('HGET', KEYS[1], 'cleared') or '0') or 0
for i = 1, COUNTERS do
  local stored = redis.call('HMGET', KEYS[i], 'n', 'until', 'ends', 'total', 'at')
  if i == PAIR and (tonumber(stored[5] or '0') or 0) <= cleared then stored = {} end
  local hard = limits(i).hard
  counts[i] = tonumber(stored[1] or '0') or 0
  totals[i] = tonumber(stored[4] or '0') or 0
  if hard > 0 and totals[i] >= hard then return { 'locked', text(i) } end
  windows[i] = tonumber(stored[3] or '0') or 0
  -- Not left to the key's TTL: a wait may keep the key longer than its window.
  if windows[i] <= now then counts[i] = 0 end
  local left = (tonumber(stored[2] or '0') or 0) - now
  if left > wait then wait, waiting = left, i end
end
if waiting > 0 then return { 'wait', text(wait), text(waiting) } end

local by = table.concat(KEYS, ' ', 1, COUNTERS)
for i = 1, COUNTERS do
  local key, limit, n, due, ends = KEYS[i], limits(i), counts[i] + 1, 0, windows[i]
  if n >= limit.free then due = math.min(limit.base * 2 ^ (n - limit.free), limit.longest) end
  -- One that slides begins after the wait, else the longest waits would outlast it.
  if limit.slides then ends = now + due + limit.window elseif n == 1 then ends = now + limit.window end
  redis.call('HSET', key, 'n', text(n), 'until', text(due > 0 and now + due or 0), 'ends', text(ends),
    'by', due > 0 and by or '', 'total', text(totals[i] + 1), 'at', text(now))
  if limit.hard > 0 and extension ~= '' then
    redis.call('PERSIST', key)
  else
    redis.call('PEXPIRE', key, limit.hard > 0 and ARGV[27] or text(math.max(ends - now, due)))
  end
end

-- Told once: at the guess that locks the person, and at the first that makes the host wait.
local about = { now = now, actor = 'guest', host = host, guest = extension }
if totals[1] + 1 == limits(1).hard then notice(LOG, 'lockedOut', about) end
if counts[HOST] + 1 == limits(HOST).free then notice(LOG, 'guessing', { now = now, actor = 'guest', host = host }) end
return { 'reserved' }
