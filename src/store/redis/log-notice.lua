-- Logs a notice that comes with no other change.
-- KEYS  1 events  2 seq  3 history
-- ARGV  1 notice  2 actor  3 extension and  4 host it is about, or ''
-- Reply logged
notice({ events = KEYS[1], seq = KEYS[2], history = KEYS[3] }, ARGV[1],
  { now = time(), actor = ARGV[2], guest = ARGV[3], host = ARGV[4] })
return { 'logged' }
