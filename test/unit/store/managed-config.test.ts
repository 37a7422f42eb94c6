import { describe, expect, it } from 'vitest';
import { describeFolder, redisConfig } from '../../../src/store/managed/config.ts';

describe('configuration of the private Redis', () => {
  it('quotes paths so that none can add a line', () => {
    const config = redisConfig(describeFolder('/tmp/a "b"\nport 6379'));
    expect(config).toContain('dir "/tmp/a \\"b\\"\\nport 6379"\n');
    expect(config.match(/^port .*/gm)).toEqual(['port "0"']);
  });

  it('uses absolute paths, as Redis changes into its folder', () => {
    expect(describeFolder('data').socket).toBe(`${process.cwd()}/data/redis.sock`);
  });
});
