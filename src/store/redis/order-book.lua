-- Prepended to the scripts that write an order.

-- The keys of the orders, from this one on.
local function orderBook(first)
  return {
    orders = KEYS[first], revisions = KEYS[first + 1], finished = KEYS[first + 2], number = KEYS[first + 3],
    seq = KEYS[first + 4],
  }
end

-- The order in the arguments, from this one on: id ('' = there is none, 'new')  its revision  JSON  kind  state
-- sites, JSON  '1' = finished  most orders. nil: there is none
local function orderIn(first)
  if ARGV[first] == '' then return nil end
  return {
    id = ARGV[first], revision = ARGV[first + 1], value = ARGV[first + 2], kind = ARGV[first + 3],
    state = ARGV[first + 4], sites = ARGV[first + 5], isFinished = ARGV[first + 6] == '1',
    most = tonumber(ARGV[first + 7]),
  }
end

-- Why it cannot be written: changed|full; nil: it can be.
local function orderRefusal(book, order)
  if order.id ~= 'new' then
    local revision = redis.call('ZSCORE', book.revisions, order.id)
    return (not revision or text(tonumber(revision)) ~= order.revision) and 'changed' or nil
  end
  local isFull = redis.call('ZCARD', book.revisions) >= order.most
  return isFull and redis.call('ZCARD', book.finished) == 0 and 'full' or nil
end

-- A hundredth at a time: nodes that list orders read them all anew when some have gone.
local function makeRoomForOrder(book, most)
  if redis.call('ZCARD', book.revisions) < most then return end
  for _, id in ipairs(redis.call('ZRANGE', book.finished, 0, math.max(1, math.floor(most / 100)) - 1)) do
    redis.call('HDEL', book.orders, id)
    redis.call('ZREM', book.revisions, id)
    redis.call('ZREM', book.finished, id)
  end
end

-- Writes it and logs it; gives its id and revision.
local function putOrder(log, book, order, about)
  local id, change = order.id, 'changed'
  if id == 'new' then
    makeRoomForOrder(book, order.most)
    id, change = 'HD-' .. text(1000 + redis.call('INCR', book.number)), 'created'
  end
  local revision = text(redis.call('INCR', book.seq))
  redis.call('HSET', book.orders, id, revision .. ' ' .. order.value)
  redis.call('ZADD', book.revisions, revision, id)
  if order.isFinished then redis.call('ZADD', book.finished, string.match(id, '%d+$'), id)
  else redis.call('ZREM', book.finished, id) end
  append(log, {
    'seq', advance(log.seq), 'kind', 'order', 'at', text(about.now), 'actor', about.actor, 'change', change,
    'order', id, 'orderKind', order.kind, 'state', order.state, 'sites', order.sites,
  }, {})
  return id, revision
end
