import { expect, test } from 'vitest';
import { ensurePackages, type Machine, THIS_MACHINE, type Wanted } from '../../src/os-packages.ts';

const REDIS: Wanted = { binary: 'redis-server', package: 'redis-server' };
const SIPP: Wanted = { binary: 'sipp', package: 'sip-tester' };
const DEBIAN = 'PRETTY_NAME="Debian GNU/Linux 12"\nID=debian\n';

interface FakeMachine extends Machine {
  readonly commands: string[];
}

/** A machine whose `programs` grow by what apt-get can install: `apt` from package to binary. */
function fakeMachine(options: {
  programs?: string[];
  root?: boolean;
  release?: string;
  apt?: Record<string, string>;
}) {
  const { programs = [], root = true, release = DEBIAN, apt = {} } = options;
  const commands: string[] = [];
  const machine: FakeMachine = {
    commands,
    isRoot: root,
    release: async () => release,
    async run(command, args) {
      if (command === 'sh') return programs.includes(args.at(-1) ?? '');
      commands.push([command, ...args].join(' '));
      for (const name of args) if (apt[name] !== undefined) programs.push(apt[name]);
      return true;
    },
  };
  return machine;
}

async function ensure(wanted: Wanted[], machine: Machine) {
  const said: string[] = [];
  return { sentence: await ensurePackages(wanted, (line) => said.push(line), machine), said };
}

test('what is there is left alone, in silence', async () => {
  const machine = fakeMachine({ programs: ['redis-server', 'sipp'] });
  expect(await ensure([REDIS, SIPP], machine)).toEqual({ sentence: undefined, said: [] });
  expect(machine.commands).toEqual([]);
});

test('root on Debian: updates once, installs what is missing, says so', async () => {
  const machine = fakeMachine({ apt: { 'redis-server': 'redis-server', 'sip-tester': 'sipp' } });
  expect(await ensure([REDIS, SIPP], machine)).toEqual({
    sentence: undefined,
    said: ['Installing redis-server and sip-tester with apt-get …'],
  });
  const apt = 'env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=60';
  expect(machine.commands).toEqual([
    `${apt} update`,
    `${apt} install -y --no-install-recommends redis-server sip-tester`,
  ]);
});

test('only what is missing is installed', async () => {
  const machine = fakeMachine({ programs: ['redis-server'], apt: { 'sip-tester': 'sipp' } });
  await ensure([REDIS, SIPP], machine);
  expect(machine.commands.at(-1)).toMatch(/--no-install-recommends sip-tester$/);
});

test.each(['ID=ubuntu', 'ID="ubuntu"', 'ID=linuxmint\nID_LIKE="ubuntu debian"'])(
  '%s counts as Debian',
  async (release) => {
    const machine = fakeMachine({ release, apt: { 'redis-server': 'redis-server' } });
    expect((await ensure([REDIS], machine)).sentence).toBeUndefined();
  },
);

test('installed in vain: the command to run', async () => {
  expect(
    (await ensure([REDIS, SIPP], fakeMachine({ apt: { 'redis-server': 'redis-server' } }))).sentence,
  ).toBe('Not installed here: sipp. Please run: sudo apt-get install -y --no-install-recommends sip-tester');
});

test('not root: installs nothing and names the command', async () => {
  const machine = fakeMachine({ root: false });
  expect((await ensure([REDIS, SIPP], machine)).sentence).toBe(
    'Not installed here: redis-server and sipp. ' +
      'Please run: sudo apt-get install -y --no-install-recommends redis-server sip-tester',
  );
  expect(machine.commands).toEqual([]);
});

test.each(['', 'ID=fedora\nVARIANT_ID=debian-like'])('elsewhere (%j): names the program', async (release) => {
  const machine = fakeMachine({ release });
  expect((await ensure([REDIS], machine)).sentence).toBe(
    'Not installed here: redis-server. Please install it and start again.',
  );
  expect(machine.commands).toEqual([]);
});

test('this machine finds what is on the PATH, and takes a hostile name as a name', async () => {
  const machine: Machine = { ...THIS_MACHINE, isRoot: false, release: async () => '' };
  expect(await ensurePackages([{ binary: 'node', package: 'nodejs' }], () => {}, machine)).toBeUndefined();
  const odd = { binary: 'node; true', package: 'x' };
  expect(await ensurePackages([odd], () => {}, machine)).toMatch(/^Not installed here/);
});
