/** One guarding line broken. */
export interface Mutant {
  /** Under src/store/redis. */
  readonly file: string;
  readonly what: string;
  /** Stands exactly once in the file. */
  readonly find: string;
  readonly replace: string;
  /** Tests under test/contract/store that must notice: a file, or `file#pattern` for some of its tests. */
  readonly tests: readonly string[];
}

type Line = readonly [what: string, find: string, replace: string];

const ASSOCIATIONS = ['associations', 'limits', 'invariants'];
const UNDO = ['availability#undo|undone|taken back'];
const REPLICAS = ['availability#replica'];
const SPLIT = ['sentinel#split'];

function of(file: string, tests: readonly string[], lines: readonly Line[]): Mutant[] {
  return lines.map(([what, find, replace]) => ({ file, tests, what, find, replace }));
}

/**
 * Every line of the scripts that guards something, broken. Not here, as breaking them changes nothing that can be seen:
 * the due check of claim-due (`and overdue(record, now)` after a search by score), Lua's own number format in `text` (the
 * same below 10^14 ms, the year 5138), and the write of a repeat's operation key (Redis 7 takes every command of a
 * connection, not only writes, as what its WAIT waits for; its documentation promises less).
 */
export const MUTANTS: readonly Mutant[] = [
  ...of('associations.lua', ASSOCIATIONS, [
    ['guest to host is not deleted', "redis.call('HDEL', GUESTS, record.g)", ''],
    ['the record is not deleted', "redis.call('HDEL', RECORDS, record.host)", ''],
    ['the deadline is not deleted', "redis.call('ZREM', DEADLINES, record.host)", ''],
    [
      'the count of the site is not decreased',
      "redis.call('HINCRBY', SITES, record.site, -1)",
      "tonumber(redis.call('HGET', SITES, record.site) or '0')",
    ],
    ['a count of zero stays', '<= 0 then', '< 0 then'],
    ['guest to host is not written', "redis.call('HSET', GUESTS, record.g, record.host)", ''],
    ['the count of the site is not increased', "redis.call('HINCRBY', SITES, record.site, 1)", ''],
    ['the deadline is not written', "redis.call('ZADD', DEADLINES, record.dl, record.host)", 'local _ = 0'],
    [
      'never has a deadline in the index',
      "if record.dl ~= '0' then redis.call('ZADD'",
      "if true then redis.call('ZADD'",
    ],
    ['never is overdue', "return record.dl ~= '0' and tonumber", 'return tonumber'],
    ['an association is seen at its deadline', 'tonumber(record.dl) <= now', 'tonumber(record.dl) < now'],
    ['an association ends early', 'tonumber(record.dl) <= now', 'tonumber(record.dl) <= now + 3'],
    [
      'what is overdue is not ended by who meets it',
      'if record and overdue(record, now) then',
      'if false then',
    ],
    ['the idle limit is not looked at', "if idle == '0' then return cap end", 'if true then return cap end'],
    ['the later of two limits counts', 'idles < tonumber(cap)', 'idles > tonumber(cap)'],
    [
      'the generation is not the log position',
      'record.gen = advance(LOG.seq)',
      "record.gen = '7' .. advance(LOG.seq)",
    ],
    ['a start names no former host', "'prev', extra.previous or ''", "'prev', ''"],
    ['the reply is not kept', "redis.call('SET', op.key, cjson.encode(body), 'PX', op.ttl)", ''],
    ['a reply tells an old position', "redis.call('GET', LOG.seq) or '0' }", "'0' }"],
    ['a record that is no object is believed', "type(record) ~= 'table' or", ''],
    ['a record without a guest is believed', "type(record.g) ~= 'string' or", ''],
    ['a record without a site is believed', "if type(record.site) ~= 'string' then return nil end", ''],
    [
      'a record without its numbers is believed',
      'if not (isWhole(record.gen) and isWhole(record.at) and isWhole(record.dl)) then return nil end',
      '',
    ],
    ['nothing is late', "return lastMoment ~= '0' and", 'return false and'],
  ]),
  ...of('associate.lua', ASSOCIATIONS, [
    ['a repeat is done again', 'if before then return before end', ''],
    ['what comes too late is done', "if late(ARGV[10], now) then return { 'late', text(now) } end", ''],
    ['who is here already is not told', "return reply('alreadyHere', facts(there), op)", ''],
    [
      'an occupied host is taken',
      "if there and not takeover then return reply('occupied', facts(there), op) end",
      '',
    ],
    [
      'a guest leaves the first desk',
      "if elsewhere and keepFirstDesk then return reply('elsewhere', facts(elsewhere), op) end",
      '',
    ],
    ['the one taken over is not ended', "if there then finish(there, 'takenOver', actor, now) end", ''],
    ['the one moved is not ended', "if elsewhere then finish(elsewhere, 'moved', actor, now) end", ''],
    ['a move is called a login', "elsewhere and 'move' or 'logIn'", "'logIn'"],
    ['the reply names no former host', 'list[#list + 1] = previous', ''],
    ['a limit counts as none', "limit > 0 and text(now + limit) or '0'", "'0'"],
  ]),
  ...of('end.lua', ASSOCIATIONS, [
    ['a repeat is done again', 'if before then return before end', ''],
    ['what comes too late is done', "if late(ARGV[7], now) then return { 'late', text(now) } end", ''],
    [
      'anybody may end it',
      "if guest ~= '' and record.g ~= guest then return reply('notYours', {}, op) end",
      '',
    ],
    [
      'a newer association is ended',
      "if generation ~= '' and record.gen ~= generation then return reply('stale', {}, op) end",
      '',
    ],
    ['nothing is ended', 'finish(record, reason, actor, now)', ''],
  ]),
  ...of('extend.lua', ASSOCIATIONS, [
    ['another association is extended', 'if not record or record.gen ~= ARGV[2] then', 'if not record then'],
    [
      'a deadline moves to an earlier moment',
      "if not isLater then return { 'unchanged', text(now) } end",
      '',
    ],
    ['never becomes finite', "record.dl ~= '0' and (dl", '(dl'],
    ['a call moves the fixed limit', "if ARGV[3] == 'stay' and cap ~= '0' then", 'if true then'],
    ['a shortened limit takes from who stays', 'math.max(tonumber(cap), now + limit)', 'now + limit'],
    ['to stay does not outlast the next call', 'record.cap, record.dl = cap, dl', 'record.dl = dl'],
    ['the new deadline is not written', 'write(record)', ''],
    [
      'the old deadline stays when it becomes never',
      "if dl == '0' then redis.call('ZREM', DEADLINES, record.host) end",
      '',
    ],
  ]),
  ...of('claim-due.lua', ASSOCIATIONS, [
    ['nothing is claimed', "finish(record, 'expired', ARGV[2], now)", ''],
    ['a wrong deadline is not corrected', "redis.call('ZADD', DEADLINES, record.dl, host)", ''],
    ['a deadline of nobody stays', "redis.call('ZREM', DEADLINES, host)", ''],
    ['the next deadline is not told', "first[2] and text(tonumber(first[2])) or '0'", "'0'"],
    ['more is claimed than asked for', ", 'LIMIT', 0, ARGV[1]", ''],
  ]),
  ...of('take-back.lua', UNDO, [
    ['nothing is taken back', "finish(record, 'released', ARGV[1], now)", ''],
    ['the operation is not forgotten', "redis.call('DEL', KEYS[8])", ''],
    ['a newer association is taken back', ' or record.gen ~= done[6]', ''],
    [
      'what somebody was told of since is taken back',
      'if record.undo and not record.told then',
      'if record.undo then',
    ],
    [
      'who hears nothing of being here already takes all back',
      "record.undo or (isOwn and '1' or nil)",
      "record.undo or '1'",
    ],
    ['what two could not be told of stays', 'record.undo = record.undo or', 'record.undo = nil and'],
    ['what somebody else did is taken back', "local isOwn = done[1] == 'associated'", 'local isOwn = true'],
  ]),
  ...of(
    'write-directory.lua',
    ['directory-and-bindings'],
    [
      [
        'what others changed is overwritten',
        "elseif condition ~= '' and condition ~= version then",
        'elseif false then',
      ],
      [
        'a store that is not empty is filled',
        "if redis.call('HEXISTS', DIRECTORY, 'company') == 1 then",
        'if false then',
      ],
      ['a phone made anew was seen before it was made', "redis.call('ZREM', KEYS[11], host)", ''],
      ['a phone that is changed was never seen', '== 1\n', '>= 0\n'],
      ['the version is not counted', "redis.call('SET', VERSION, seq)", ''],
      ['nothing is removed', "redis.call('HDEL', DIRECTORY, ARGV[i])", 'local _ = 0'],
      ['nothing is put', "redis.call('HSET', DIRECTORY, ARGV[i], ARGV[i + 1])", 'local _ = 0'],
      ['no notice is logged', "if ARGV[4] ~= '' then", 'if false then'],
    ],
  ),
  ...of(
    'write-bindings.lua',
    ['directory-and-bindings'],
    [
      ['another writer is overwritten', 'text(set.version) ~= ARGV[2]', 'false'],
      [
        'the version of an emptied set is forgotten',
        'if expiry <= now then expiry = now + tonumber(ARGV[5]) end',
        'if expiry <= now then expiry = now + 1 end',
      ],
      ['contacts stay for ever', ", 'PXAT', text(expiry)", ''],
      ['the index is not written', "redis.call('ZADD', INDEX, text(expiry), ARGV[1])", ''],
      ['the index is not cleared', "redis.call('ZREM', INDEX, aor)", ''],
      ['nobody notes when a phone was seen', "redis.call('ZADD', SEEN, text(now), ARGV[1])", ''],
      [
        'who has not been seen for long is not forgotten',
        "redis.call('ZREMRANGEBYSCORE', SEEN, '-inf', text(now - FORGOTTEN_AFTER))",
        '',
      ],
    ],
  ),
  ...of(
    'associations.lua',
    ['history'],
    [
      [
        'what guest and host are called is not kept',
        'undo = record.undo, n = record.n',
        'undo = record.undo',
      ],
      ['the log does not say what guest and host are called', "'n', record.n or ''", "'n', ''"],
    ],
  ),
  ...of(
    'put-shared.lua',
    ['shared'],
    [
      ['what has lapsed stays', "redis.call('HDEL', ENTRIES, old)", ''],
      ['the index is not cleared', "redis.call('ZREM', INDEX, old)", ''],
      ['what is alive is cleared', "'-inf', text(now)", "'-inf', '+inf'"],
      ['a removal of nothing is told', "value == '' and not isKnown then", 'false then'],
      ['there is no limit', "redis.call('HLEN', ENTRIES) >= tonumber(ARGV[4])", 'false'],
      ['there is room for one less', '>= tonumber(ARGV[4])', '>= tonumber(ARGV[4]) - 1'],
      ['a full store changes nothing', 'if not isKnown and redis', 'if redis'],
      ['a removal is forgotten at once', "value == '' and ARGV[5] or ARGV[3]", 'ARGV[3]'],
      [
        'what is removed keeps its value',
        "expiry .. ' ' .. value)",
        "expiry .. ' ' .. (value == '' and '1' or value))",
      ],
      [
        'the index is not written',
        "redis.call('ZADD', INDEX, expiry, name)",
        "redis.call('ZADD', INDEX, 'NX', expiry, 'x')",
      ],
      ['entries stay for ever', "redis.call('PEXPIREAT', ENTRIES, last)", ''],
      ['the index stays for ever', "redis.call('PEXPIREAT', INDEX, last)", ''],
      [
        'entries go with the one written last',
        "'ZREVRANGE', INDEX, 0, 0, 'WITHSCORES')[2]",
        "'ZSCORE', INDEX, name)",
      ],
      ['entries go with the first', "'ZREVRANGE', INDEX", "'ZRANGE', INDEX"],
    ],
  ),
  ...of(
    'shared.ts',
    ['shared'],
    [
      [
        'what is newer is not known as such',
        'if (stored.position > since) newer.set',
        'if (stored.position < 0) newer.set',
      ],
    ],
  ),
  ...of(
    'follower.ts',
    ['shared'],
    [['what is old is told after what is new', 'shared.position >= (newer.get(name) ?? 0)', 'true']],
  ),
  ...of(
    'reserve-guess.lua',
    ['guesses'],
    [
      ['nobody is locked', "if hard > 0 and totals[i] >= hard then return { 'locked', text(i) } end", ''],
      ['what was guessed before the window is forgotten', "'total', text(totals[i] + 1)", "'total', text(n)"],
      ['a window never ends', 'if windows[i] <= now then counts[i] = 0 end', ''],
      ['nobody waits', "if waiting > 0 then return { 'wait', text(wait), text(waiting) } end", ''],
      ['the first wait is told', 'if left > wait then', 'if left > 0 and wait == 0 then'],
      ['waits do not grow', 'limit.base * 2 ^ (n - limit.free)', 'limit.base'],
      [
        'waits have no bound',
        'math.min(limit.base * 2 ^ (n - limit.free), limit.longest)',
        'limit.base * 2 ^ (n - limit.free)',
      ],
      ['the window of a person does not slide', 'if limit.slides then', 'if limit.slides and n == 1 then'],
      ['a lock lapses', "redis.call('PERSIST', key)", "redis.call('PEXPIRE', key, 1000)"],
      ['a counter lapses during the wait', 'math.max(ends - now, due)', 'ends - now'],
      ['a lock-out is not told', "notice(LOG, 'lockedOut', about)", 'local _ = 0'],
      [
        'guessing is not told',
        "notice(LOG, 'guessing', { now = now, actor = 'guest', host = host })",
        'local _ = 0',
      ],
    ],
  ),
  ...of(
    'confirm-guess.lua',
    ['guesses'],
    [
      ['the person does not start anew', "redis.call('HDEL', KEYS[1]", "redis.call('HMGET', KEYS[1]"],
      ['the person does not start anew at this host', "redis.call('DEL', KEYS[2])", ''],
      ['the guess is not given back', "redis.call('HSET', KEYS[i], 'n', text(n - 1))", ''],
      ['all guesses are given back', 'if n <= 1 then', 'if true then'],
      ['a wait that another began ends', 'if stored[2] == by then', 'if true then'],
      ['the wait it began goes on', 'if stored[2] == by then', 'if false then'],
    ],
  ),
  ...of(
    'clear-guesses.lua',
    ['guesses'],
    [
      ['nobody is unlocked', "redis.call('DEL', KEYS[1])", ''],
      ['the waits at hosts stay', "redis.call('HSET', KEYS[1], 'cleared', text(time()))", ''],
      ['it is not logged', 'notice({ events', 'local _ = ({ events'],
    ],
  ),
  ...of(
    'log.lua',
    ['associations', 'history'],
    [
      [
        'an entry is not found by host',
        "redis.call('ZADD', log.history, 0, 'h",
        "redis.call('ZCARD', log.history) local _ = ('h",
      ],
      [
        'an entry is not found by guest',
        "redis.call('ZADD', log.history, 0, 'g",
        "redis.call('ZCARD', log.history) local _ = ('g",
      ],
    ],
  ),
  ...of(
    'history.lua',
    ['history'],
    [
      [
        'what comes after the period is listed',
        'if cursorMs and cursorMs > newest then cursorMs = nil end',
        '',
      ],
      ['an entry too many is listed', 'entries[most + 1] = nil', ''],
      ['a page repeats its last millisecond', 'if numberOf(id) < tonumber(cursorN) then', 'if true then'],
      ['the last millisecond of a page is in text order', 'if msOf(id) ~= lastMs then', 'if true then'],
      ['entries are not sorted', 'table.sort(found, isNewer)', ''],
    ],
  ),
  ...of(
    'trim-log.lua',
    ['history'],
    [
      ['entries not taken are removed', 'ms < oldestMs and not isAfter(id, takenId)', 'ms < oldestMs'],
      ['young entries are removed', 'ms < oldestMs and not isAfter(id, takenId)', 'not isAfter(id, takenId)'],
      ['the newest entry is removed', 'id == newestId or not', 'not'],
      ['what finds an entry stays', "redis.call('ZREM', HISTORY, unpack(found))", 'local _ = 0'],
      ['the log grows without bound', '(isDone or i <= excess)', 'isDone'],
    ],
  ),
  ...of(
    'take-lease.lua',
    ['consumers'],
    [
      ['two nodes take at once', "return { 'held' }", ''],
      ['a lease outlasts a clock that was set back', "redis.call('PEXPIRE', LEASE, length)", 'local _ = 0'],
      ['a shrunk log is not noticed', 'if id and not isAfter(id, lastId) then', 'if id then'],
    ],
  ),
  ...of(
    'hold-lease.lua',
    ['consumers'],
    [
      [
        'a place is saved without the lease',
        "if redis.call('GET', LEASE) ~= ARGV[1] then return { 'lost' } end",
        '',
      ],
      ['no place is saved', "redis.call('HSET', CURSORS, ARGV[3], ARGV[4])", 'local _ = 0'],
      ['a lease is not given up', "redis.call('DEL', LEASE)", 'local _ = 0'],
      ['a lease is not prolonged', "redis.call('PEXPIRE', LEASE, ARGV[2])", 'local _ = 0'],
    ],
  ),
  ...of(
    'snapshot.lua',
    ['directory-and-bindings', 'follower'],
    [
      [
        'phones that are not known of are left out',
        "if not known[aor] then return { 'again', aors } end",
        '',
      ],
    ],
  ),
  // What stands around the scripts and keeps the same promises.
  ...of('once.ts', ['history'], [['everybody gets it', "'NX', ", '']]),
  ...of('once.ts', ['history'], [['it never lapses', ", 'PX', Math.ceil(ttlMs)", '']]),
  ...of('replicated.ts', REPLICAS, [
    ['too few replicas are enough', 'Number(confirmed) >= replicas', 'Number(confirmed) >= 0'],
  ]),
  ...of('associations.ts', UNDO, [
    ['what is not confirmed is not taken back', 'options.takeBacks.begin(command.opId);', ''],
  ]),
  ...of('take-backs.ts', SPLIT, [
    [
      'what a replaced master has undone counts as undone',
      'replicas: waitForReplicas, withinMs',
      'replicas: 0, withinMs',
    ],
  ]),
  ...of(
    'note-emergency.lua',
    ['emergencies'],
    [
      ['a stage is logged again', "then return { 'known' } end", 'then local _ = 0 end'],
      [
        'a stage is taken for another whose name it begins',
        "string.find(',' .. stages .. ',', ',' .. stage .. ',', 1, true)",
        'string.find(stages, string.sub(stage, 1, 1), 1, true)',
      ],
      ['what is long over is kept', "if tonumber(ARGV[4]) <= forgotten then return { 'over' } end", ''],
      ['what is long over stays', "'LIMIT', 0, SWEEP))\nif", "'LIMIT', 0, 0))\nif"],
      ['what is just over goes', 'local forgotten = now - tonumber(ARGV[9])', 'local forgotten = now'],
      ['there is no limit', 'if excess > 0 then', 'if false then'],
      ['there is room for one less', 'if excess > 0 then', 'if excess >= 0 then'],
      [
        'the record that ends last makes room',
        "redis.call('ZRANGE', ENDS, 0, math",
        "redis.call('ZREVRANGE', ENDS, 0, math",
      ],
      ['stages stay', "redis.call('HDEL', STAGES, old)", ''],
      ['records stay', "redis.call('HDEL', RECORDS, old)", ''],
      ['ends stay', "redis.call('ZREM', ENDS, old)", ''],
      ['a later stage changes the record', "redis.call('HGET', RECORDS, id) or ARGV[3]", 'ARGV[3]'],
      ['it is not found by host and guest', '}, { host = host, guest = guest })', '}, {})'],
    ],
  ),
];
