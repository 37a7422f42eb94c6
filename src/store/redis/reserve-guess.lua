-- Reserves one guess on three counters at once, before the slow hash, or says how long to wait. All or none.
-- KEYS  1 guesses of the extension  2 of the host  3 of the source: HASH {n, until, ends, by}
--       until = end of the wait, by = whose guess began it, ends = end of the window
-- ARGV  per counter: free guesses, base wait ms, longest wait ms, window ms, hard limit ('0' = none), slides ('1' = yes)
-- Reply reserved
--       wait, ms, counter 1–3    (the longest of them)
--       locked, counter
local now = time()

local function limits(i)
  local at = (i - 1) * 6
  return {
    free = tonumber(ARGV[at + 1]), base = tonumber(ARGV[at + 2]), longest = tonumber(ARGV[at + 3]),
    window = tonumber(ARGV[at + 4]), hard = tonumber(ARGV[at + 5]), slides = ARGV[at + 6] == '1',
  }
end

local counts, windows, wait, waiting = {}, {}, 0, 0
for i, key in ipairs(KEYS) do
  local hard = limits(i).hard
  local stored = redis.call('HMGET', key, 'n', 'until', 'ends')
  counts[i] = tonumber(stored[1] or '0') or 0
  if hard > 0 and counts[i] >= hard then return { 'locked', text(i) } end
  windows[i] = tonumber(stored[3] or '0') or 0
  -- Not left to the key's TTL: a wait may keep the key longer than its window.
  if windows[i] <= now then counts[i] = 0 end
  local left = (tonumber(stored[2] or '0') or 0) - now
  if left > wait then wait, waiting = left, i end
end
if waiting > 0 then return { 'wait', text(wait), text(waiting) } end

local by = table.concat(KEYS, ' ')
for i, key in ipairs(KEYS) do
  local limit, n, due, ends = limits(i), counts[i] + 1, 0, windows[i]
  if n >= limit.free then due = math.min(limit.base * 2 ^ (n - limit.free), limit.longest) end
  -- One that slides begins after the wait, else the longest waits would outlast it and the hard limit never come.
  if limit.slides then ends = now + due + limit.window elseif n == 1 then ends = now + limit.window end
  redis.call('HSET', key, 'n', text(n), 'until', text(due > 0 and now + due or 0), 'ends', text(ends),
    'by', due > 0 and by or '')
  if limit.hard > 0 and n >= limit.hard then
    redis.call('PERSIST', key)
  else
    redis.call('PEXPIRE', key, text(math.max(ends - now, due)))
  end
end
return { 'reserved' }
