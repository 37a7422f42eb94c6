import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { digestSecrets } from '../../../src/services/digest-secrets.ts';
import {
  allEntries,
  checkDocument,
  parseEntry,
  parseYaml,
  tableOf,
  toStored,
} from '../../../src/services/directory-document.ts';
import { readDirectoryYaml } from '../../../src/services/directory-reader.ts';
import { DirectoryService } from '../../../src/services/directory-service.ts';
import { Passcodes } from '../../../src/services/passcodes.ts';
import type { FakeStore } from '../../support/fake-store.ts';
import { Harness, PEPPER, settle } from './harness.ts';

const DEMO = readFileSync(new URL('../../../config/demo.yaml', import.meta.url), 'utf8');
const REALM = 'pbx.example';

type Tree = Record<string, unknown>;

/** The demo directory with one value set (or taken out, with undefined) by path. */
function demoWith(...changes: [path: string, value: unknown][]): Tree {
  const parsed = parseYaml(DEMO);
  if ('problems' in parsed) throw new Error(parsed.problems.join('\n'));
  const root = structuredClone(parsed.document) as Tree;
  for (const [path, value] of changes) {
    const keys = path.split('.');
    const last = keys.pop() ?? '';
    const parent = keys.reduce<Tree>((tree, key) => tree[key] as Tree, root);
    if (value === undefined) delete parent[last];
    else parent[last] = value;
  }
  return root;
}

function problemsOf(value: unknown): readonly string[] {
  const checked = checkDocument(value);
  return 'problems' in checked ? checked.problems : [];
}

describe('config/demo.yaml', () => {
  test('is valid, and has the people and phones it is known for', () => {
    const parsed = parseYaml(DEMO);
    if ('problems' in parsed) throw new Error(parsed.problems.join('\n'));
    const { company, sites, users, hosts } = parsed.document;
    expect(company).toMatchObject({ id: 'demo', country: 'GB', associationLimit: 12 });
    expect(Object.keys(sites)).toEqual(['london', 'leeds']);
    expect(
      Object.entries(users).map(([id, { passcode, site, hotDeskLicence }]) => [
        id,
        passcode,
        site,
        hotDeskLicence,
      ]),
    ).toEqual([
      ['1001', '583914', 'london', true],
      ['1002', '274961', 'london', true],
      ['1003', '690372', 'leeds', true],
      ['1004', '815263', 'london', false],
    ]);
    expect(
      Object.entries(hosts).map(([id, { nickname, model, expansionModule }]) => [
        id,
        nickname,
        model,
        expansionModule,
      ]),
    ).toEqual([
      ['cp0004f2000001', 'Reception desk', 'VVX 411', false],
      ['cp0004f2000002', 'Window desk', 'VVX 601', true],
      ['cp0004f2000003', 'Leeds desk', 'VVX 301', false],
      ['u1002', "Oliver's phone", 'VVX 411', false],
      ['u1003', "Priya's phone", 'VVX 301', false],
    ]);
    expect(Object.entries(users).map(([id, { addOns }]) => [id, ...addOns])).toEqual([
      ['1001', 'host', 'guest'],
      ['1002', 'host'],
      ['1003', 'guest'],
      ['1004'],
    ]);
    expect(hosts.u1002).toMatchObject({ accessLevel: 'company', associationLimitHours: 24, enabled: true });
    expect(hosts.u1003?.enabled).toBe(false);
    expect([company.voicePortal?.number, company.voicemailNumber]).toEqual(['8000', '8001']);
    expect(Object.entries(hosts).every(([id, { sipPassword }]) => sipPassword === `demo-${id}`)).toBe(true);
    const callbacks = Object.values(hosts).map(({ callbackNumber }) => callbackNumber);
    expect(new Set(callbacks).size).toBe(5);
    const numbers = [
      ...callbacks,
      ...Object.values(users).flatMap((each) => [...each.numbers, each.callerId]),
    ];
    // Ofcom keeps these for drama: they ring nobody.
    expect(numbers.every((number) => /^\+(44207946|44113496)0\d{3}$/.test(number ?? ''))).toBe(true);
  });
});

describe('checkDocument', () => {
  test.each<[string, [string, unknown][], string]>([
    [
      'unknown site of a host',
      [['hosts.cp0004f2000001.site', 'londn']],
      'hosts.cp0004f2000001.site: no such site "londn"',
    ],
    [
      'unknown site of a user',
      [['users.1001.site', 'constructor']],
      'users.1001.site: no such site "constructor"',
    ],
    ['unknown owner', [['hosts.u1002.owner', '1999']], 'hosts.u1002.owner: no such user "1999"'],
    [
      'no owner',
      [['hosts.u1002.owner', undefined]],
      'hosts.u1002.owner: a phone of kind user needs an owner',
    ],
    [
      'owner of a common area phone',
      [['hosts.cp0004f2000001.owner', '1001']],
      'hosts.cp0004f2000001.owner: a common area phone has no owner',
    ],
    [
      'number twice',
      [['users.1003.numbers', ['+442079460101']]],
      'users.1003.numbers: +442079460101 stands at users.1001.numbers already',
    ],
    [
      'MAC twice',
      [['hosts.u1002.mac', '0004f2000001']],
      'hosts.u1002.mac: 0004f2000001 stands at hosts.cp0004f2000001.mac already',
    ],
    [
      'licences (A7)',
      [['company.hotDeskLicences', 2]],
      'company.hotDeskLicences: has 2, but 3 people hold a licence',
    ],
    ['no such country', [['company.country', 'XX']], 'company.country: no such country'],
    [
      'codes that overlap',
      [['company.featureAccessCodes', { logIn: '*9', logOut: '*91' }]],
      'company.featureAccessCodes: one code must not begin with the other',
    ],
    [
      'no address (A6)',
      [['hosts.cp0004f2000001.address', undefined]],
      'hosts.cp0004f2000001.address: expected object, received undefined',
    ],
    [
      'two passcodes',
      [['users.1001.passcodeHash', `p1:$argon2id$v=19$m=19456,t=2,p=1$${'A'.repeat(22)}$${'A'.repeat(43)}`]],
      'users.1001: has both passcode and passcodeHash',
    ],
    ['weak passcode', [['users.1001.passcode', '123456']], 'users.1001.passcode: is a row of digits'],
    ['unknown key', [['users.1001.pin', '583914']], 'users.1001.pin: not a known setting'],
    [
      'limit not in the list (A4)',
      [['company.associationLimit', 5]],
      'company.associationLimit: must be one of 1, 4, 6, 8, 10, 12, 16, 20, 24 (hours) or never',
    ],
    [
      'host limit out of range (B2)',
      [['hosts.u1002.associationLimitHours', 1000]],
      'hosts.u1002.associationLimitHours: Too big: expected number to be <=999',
    ],
    [
      'extension that calls for help',
      [['users.999', { ...demoUser(), numbers: [] }]],
      'users.999: dialling it is an emergency call at site "london"',
    ],
    [
      'extension that calls for help at a site',
      [
        ['sites.leeds.outsideLinePrefix', '9'],
        ['users.9999', { ...demoUser(), numbers: [] }],
      ],
      'users.9999: dialling it is an emergency call at site "leeds"',
    ],
    [
      'number not E.164',
      [['users.1001.callerId', '02079460101']],
      'users.1001.callerId: must be a full number such as "+442079460123"',
    ],
    [
      'time zone',
      [['sites.leeds.timeZone', 'Europe/Leeds']],
      'sites.leeds.timeZone: must be a time zone such as Europe/London',
    ],
    ['company id', [['company.id', 'a}b']], 'company.id: must be lower-case letters, digits or dashes'],
    [
      'odd extension',
      [['users.abc', demoUser()]],
      'users.abc: an extension must be two to eight digits, in quotes',
    ],
    [
      'two secrets',
      [['hosts.u1002.digest', digestSecrets('u1002', 'r', 'p')]],
      'hosts.u1002: needs either sipPassword or digest',
    ],
  ])('%s', (_, changes, problem) => expect(problemsOf(demoWith(...changes))).toContain(problem));

  test('9999 is an extension like any other where nothing makes it a call for help', () => {
    expect(problemsOf(demoWith(['users.9999', { ...demoUser(), numbers: [] }]))).toEqual([]);
  });

  test('all problems at once', () => {
    const many = demoWith(
      ['hosts.u1002.site', 'x'],
      ['users.1001.site', 'y'],
      ['company.hotDeskLicences', 0],
    );
    expect(problemsOf(many)).toHaveLength(3);
  });

  test('every host needs an address by the rules of its country', () => {
    const address = 'hosts.cp0004f2000001.address';
    expect(
      problemsOf(
        demoWith(
          [`${address}.postcode`, 'EC1'],
          [`${address}.houseNumber`, '-'],
          ['hosts.u1002.enabled', false],
        ),
      ),
    ).toEqual([
      `${address}.houseNumber: must not be empty`,
      `${address}.postcode: must be a UK postcode such as SW1A 1AA`,
    ]);
    expect(problemsOf(demoWith([`${address}.country`, 'US']))).toEqual([
      `${address}.state: must not be empty`,
      `${address}.postcode: must be a ZIP code such as 10118 or 10118-0110`,
    ]);
    const dublin = {
      customerName: 'X',
      houseNumber: '1',
      street: 'Dame Street',
      city: 'Dublin',
      country: 'IE',
    };
    expect(problemsOf(demoWith([address, dublin]))).toEqual([]);
  });

  test('addresses are kept as the country writes them', () => {
    const checked = checkDocument(demoWith(['hosts.u1002.address.postcode', 'ec1a1aa']));
    expect('document' in checked && checked.document.hosts.u1002?.address.postcode).toBe('EC1A 1AA');
  });

  test.each<[string, [string, unknown][], string[]]>([
    ['999', [], ['sites.london.emergencyTestNumbers: 999 is an emergency number']],
    ['112', [], ['sites.london.emergencyTestNumbers: 112 is an emergency number']],
    [
      '9999',
      [['sites.leeds.outsideLinePrefix', '9']],
      ['sites.london.emergencyTestNumbers: 9999 is an emergency number'],
    ],
    [
      '2222',
      [['sites.leeds.emergencyNumbers', ['2222']]],
      ['sites.london.emergencyTestNumbers: 2222 is an emergency number'],
    ],
    ['1001', [], ['users.1001: dialling it reads the emergency address aloud at site "london"']],
    [
      '001',
      [['sites.london.outsideLinePrefix', '1']],
      ['users.1001: dialling it reads the emergency address aloud at site "london"'],
    ],
    ['933', [['sites.london.outsideLinePrefix', '9']], []],
    ['1933', [], []],
  ])('test number %s', (number, changes, expected) => {
    const document = demoWith(['sites.london.emergencyTestNumbers', [number]], ...changes);
    expect(problemsOf(document)).toEqual(expected);
  });

  test('only phones and people that are there can be told of an emergency call', () => {
    const phones = ['1001', 'cp0004f2000001', 'nobody'];
    expect(problemsOf(demoWith(['sites.london.emergencyContacts', { phones, emails: [] }]))).toEqual([
      'sites.london.emergencyContacts.phones: no such phone or user "nobody"',
    ]);
  });

  test('secrets are never shown', () => {
    const shown = problemsOf(
      demoWith(
        ['users.1001.passcode', 583914],
        ['users.1002.passcodeHash', '274961'],
        ['hosts.u1002.sipPassword', 'secret'],
      ),
    ).join('\n');
    expect(shown).toContain('users.1001.passcode: must be digits in quotes');
    expect(shown).not.toMatch(/583914|274961|"secret"/);
  });

  test.each([undefined, null, 7, 'x', [], {}])('%s is no directory', (value) => {
    expect(problemsOf(value).length).toBeGreaterThan(0);
  });

  function demoUser(): Tree {
    return { name: 'X', site: 'london', callerId: '+442079460199', passcode: '583914' };
  }
});

describe('parseYaml', () => {
  test('what is no YAML is named by line, without showing it', () => {
    const parsed = parseYaml(`${DEMO}\n  passcode: "583914" 274961\n: {`);
    const shown = 'problems' in parsed ? parsed.problems.join('\n') : '';
    expect(shown).toMatch(/^line \d+: no valid YAML/);
    expect(shown).not.toMatch(/583914|274961/);
  });

  test('a key that stands twice is an error', () => {
    expect(parseYaml(DEMO.replace('"1002":', '"1001":'))).toEqual({
      problems: [expect.stringMatching(/^line \d+: no valid YAML \(DUPLICATE_KEY\)$/)],
    });
    expect(parseYaml('a: 1\nb: { c: 1, c: 2 }\na: 3')).toEqual({
      problems: ['line 3: no valid YAML (DUPLICATE_KEY)', 'line 2: no valid YAML (DUPLICATE_KEY)'],
    });
  });

  test('many keys take no minutes, and many mistakes no pages', { timeout: 60_000 }, () => {
    const before = process.cpuUsage();
    const keys = Array.from({ length: 40_000 }, (_, i) => `k${i}: x`);
    expect(parseYaml(keys.join('\n'))).toHaveProperty('problems');
    const twice = parseYaml([...keys, ...keys].join('\n'));
    expect('problems' in twice && twice.problems.length).toBe(50);
    expect(process.cpuUsage(before).user / 1e6).toBeLessThan(15);
  });

  test('large ones wait for each other, and no more than a few', async () => {
    const large = `x: ${'x'.repeat(40_000)}`;
    const results = await Promise.all(Array.from({ length: 6 }, () => readDirectoryYaml(large)));
    const reasons = results.map((result) => ('refused' in result ? result.refused : 'read'));
    expect(reasons).toEqual(['read', 'read', 'read', 'read', 'overloaded', 'overloaded']);
    expect(await readDirectoryYaml(large)).toHaveProperty('problems');
  });

  test('extensions keep their leading zeros, quoted or not', () => {
    const parsed = parseYaml(DEMO.replace('"1004":', '0104:'));
    expect('document' in parsed && Object.keys(parsed.document.users)).toContain('0104');
  });

  test('an alias bomb is refused', () => {
    const bomb = [
      'a: &a [x,x,x,x,x,x,x,x,x]',
      ...'bcdefgh'.split('').map((name, at) => {
        const before = 'abcdefgh'[at];
        return `${name}: &${name} [${Array(9).fill(`*${before}`).join(',')}]`;
      }),
    ].join('\n');
    expect(parseYaml(bomb)).toHaveProperty('problems');
  });
});

async function service() {
  const harness = new Harness();
  await harness.follow();
  const passcodes = new Passcodes({ keyId: 'k1', pepper: PEPPER });
  const deps = { ...harness, store: harness.store, view: harness.view, passcodes };
  const [directory, other] = [1, 2].map(
    () => new DirectoryService({ ...deps, company: 'demo', realm: REALM }),
  ) as [DirectoryService, DirectoryService];
  return { other, harness, store: harness.store, view: harness.view, passcodes, directory };
}

const admin = { actor: 'admin:kim' };

/** As over a network: others get a word in between the asking and the writing. */
function slow(store: FakeStore): void {
  const write = store.writeDirectory.bind(store);
  store.writeDirectory = async (command) => {
    await new Promise((resolve) => setImmediate(resolve));
    return write(command);
  };
}

describe('DirectoryService', () => {
  test('imports the demo: secrets hashed, people can be checked', async () => {
    const { directory, view, passcodes, store } = await service();
    expect(await directory.importYaml(DEMO, admin)).toEqual({
      written: true,
      company: 'demo',
      sites: 2,
      users: 4,
      hosts: 5,
    });
    await settle();
    const amelia = view.directory?.users.get('1001');
    const attempt = { company: 'demo', extension: '1001', passcode: '583914' };
    expect(await passcodes.verify(amelia, attempt)).toBe(true);
    expect(view.directory?.hosts.get('u1002')?.digest).toEqual(digestSecrets('u1002', REALM, 'demo-u1002'));
    const kept = JSON.stringify([...store.directory]);
    expect(kept).not.toMatch(/583914|274961|690372|815263|demo-cp|demo-u/);
  });

  test('export and import again: the same directory, and no clear secret', async () => {
    const { directory, view } = await service();
    await directory.importYaml(DEMO, admin);
    await settle();
    const before = view.directory;
    const yaml = await directory.exportYaml();
    expect(yaml).toBeTypeOf('string');
    expect(yaml).not.toMatch(/583914|sipPassword|passcode:/);
    expect(await directory.importYaml(String(yaml), admin)).toMatchObject({ written: true });
    await settle();
    expect(view.directory).toEqual(before);
  });

  test('entries as the store keeps them read back the same', async () => {
    const { directory, view } = await service();
    await directory.importYaml(DEMO, admin);
    await settle();
    if (!view.directory) throw new Error('no directory');
    const stored = JSON.parse(JSON.stringify(Object.fromEntries(toStored(allEntries(view.directory)))));
    const entries = Object.entries(stored).map(([name, value]) => {
      const entry = parseEntry(name, value);
      if ('problems' in entry) throw new Error(entry.problems.join());
      return entry;
    });
    expect(tableOf(entries)).toEqual(view.directory);
  });

  test('a clear secret in the store is an error', async () => {
    const { directory, store } = await service();
    await directory.importYaml(DEMO, admin);
    const { passcodeHash: _, ...clear } = store.directory.get('user:1001') as Tree;
    expect(parseEntry('user:1001', { ...clear, passcode: '583914' })).toEqual({
      problems: ['user:1001: a passcode must not be stored in clear'],
    });
  });

  test('ifEmpty leaves a directory alone', async () => {
    const { directory, store } = await service();
    expect(await directory.importYaml(DEMO, { ...admin, ifEmpty: true })).toMatchObject({ written: true });
    store.calls.length = 0;
    expect(await directory.importYaml(DEMO, { ...admin, ifEmpty: true })).toMatchObject({ written: false });
    expect(store.calls).toEqual([]);
  });

  test('what is gone from the file is gone', async () => {
    const { directory, view } = await service();
    await directory.importYaml(DEMO, admin);
    const smaller = demoWith(
      ['users.1003', undefined],
      ['hosts.u1003', undefined],
      ['hosts.cp0004f2000002', undefined],
    );
    expect(await directory.importYaml(stringify(smaller), admin)).toMatchObject({ users: 3, hosts: 3 });
    await settle();
    expect(view.directory?.users.has('1003')).toBe(false);
    expect(view.directory?.hosts.has('cp0004f2000002')).toBe(false);
  });

  test.each([
    ['the limit of a host', 'hosts.u1002.associationLimitHours', 1],
    ['its access level', 'hosts.u1002.accessLevel', 'site'],
    ['the add-on of its owner', 'users.1002.addOns', []],
    ['the add-on of the guest', 'users.1003.addOns', []],
    ['the limit of the guest', 'users.1003.associationLimitHours', 3],
  ])('%s does not change under a guest by a file either (B1–B3)', async (_what, path, value) => {
    const { directory, view, harness } = await service();
    await directory.importYaml(DEMO, admin);
    const version = view.directoryVersion;
    await harness.seat('u1002', '1003');
    await settle();
    const changed = stringify(demoWith([path, value], ['users.1001.name', 'Kim']));
    expect(await directory.importYaml(changed, admin)).toMatchObject({
      refused: 'associationRunning',
      detail: '1003 is logged in at u1002: release first',
    });
    expect(view.directoryVersion).toBe(version);
    const harmless = stringify(demoWith(['users.1003.name', 'Kim'], ['hosts.u1002.nickname', 'Desk']));
    expect(await directory.importYaml(harmless, admin)).toMatchObject({ written: true });
  });

  test('all or nothing: a bad file changes nothing and says everything', async () => {
    const { directory, store } = await service();
    const bad = stringify(demoWith(['hosts.u1002.site', 'londn'], ['users.1001.site', 'x']));
    const refusal = await directory.importYaml(bad, admin);
    expect(refusal).toMatchObject({
      refused: 'invalidDirectory',
      problems: [{}, {}].map(() => expect.any(String)),
    });
    expect(store.directory.size).toBe(0);
  });

  test('another company’s file is refused', async () => {
    const { directory } = await service();
    const other = await directory.importYaml(stringify(demoWith(['company.id', 'other'])), admin);
    expect(other).toMatchObject({ problems: ['company.id: this server keeps the company "demo"'] });
  });

  test('the association limit (A4)', async () => {
    const { directory, view } = await service();
    const never = { associationLimit: 'never' } as const;
    expect(await directory.updateCompany(never, 'admin:kim')).toEqual({ refused: 'stateUnknown' });
    await directory.importYaml(DEMO, admin);
    expect(await directory.updateCompany(never, 'admin:kim')).toMatchObject({
      associationLimit: 'never',
    });
    await settle();
    expect(view.directory?.company.associationLimit).toBe('never');
    expect(await directory.updateCompany({ associationLimit: 5 as 4 }, 'admin:kim')).toHaveProperty(
      'refused',
      'invalidDirectory',
    );
  });

  test('the store away', async () => {
    const { directory, harness } = await service();
    expect(await directory.exportYaml()).toEqual({ refused: 'stateUnknown' });
    await directory.importYaml(DEMO, admin);
    harness.disconnect();
    expect(await directory.importYaml(stringify(demoWith()), admin)).toMatchObject({
      refused: 'storeUnavailable',
    });
    expect(await directory.updateCompany({ associationLimit: 4 }, 'x')).toMatchObject({
      refused: 'storeUnavailable',
    });
  });

  test('an edit is made anew when somebody else was first', async () => {
    const { directory, other, view, store } = await service();
    await directory.importYaml(DEMO, admin);
    const rename = (by: DirectoryService, name: string) =>
      by.updateUser('1001', (user) => ({ ...user, name: `${user.name} ${name}` }), admin);
    // Written between this node's reading and writing.
    const write = store.writeDirectory.bind(store);
    store.writeDirectory = async (command) => {
      store.writeDirectory = write;
      await rename(other, 'B');
      return write(command);
    };
    expect(await rename(directory, 'C')).toMatchObject({ name: 'Amelia Clarke B C' });
    expect(view.directory?.users.get('1001')?.name).toBe('Amelia Clarke B C');
  });

  test('edits side by side are done one after the other, none is lost', async () => {
    const { directory, store, view } = await service();
    await directory.importYaml(DEMO, admin);
    store.calls.length = 0;
    slow(store);
    const edits = Array.from({ length: 60 }, (_, n) =>
      directory.updateUser('1001', (user) => ({ ...user, name: `${user.name}+` }), { actor: `admin:${n}` }),
    );
    for (const result of await Promise.all(edits)) expect(result).toHaveProperty('extension', '1001');
    expect(view.directory?.users.get('1001')?.name).toBe(`Amelia Clarke${'+'.repeat(60)}`);
    expect(store.calls).toHaveLength(60);
  });

  test('an import takes its turn among them', async () => {
    const { directory, store, view } = await service();
    await directory.importYaml(DEMO, admin);
    slow(store);
    let imported: object | undefined;
    const edit = async (name: string) => {
      while (!imported) await directory.updateUser('1001', (user) => ({ ...user, name }), admin);
    };
    const editing = ['A', 'B', 'C', 'D'].map(edit);
    imported = await directory.importYaml(stringify(demoWith(['users.1002.name', 'Kim'])), admin);
    await Promise.all(editing);
    expect(imported).toMatchObject({ written: true });
    expect(view.directory?.users.get('1002')?.name).toBe('Kim');
  });

  test('an edit is refused when its result is not valid, or when there is nobody to edit', async () => {
    const { directory, store } = await service();
    await directory.importYaml(DEMO, admin);
    store.calls.length = 0;
    expect(await directory.updateUser('1001', (user) => ({ ...user, callerId: 'x' }), admin)).toMatchObject({
      refused: 'invalidDirectory',
      problems: ['user:1001.callerId: must be a full number such as "+442079460123"'],
    });
    expect(await directory.updateUser('9', (user) => user, admin)).toEqual({ refused: 'unknownUser' });
    expect(store.calls).toEqual([]);
  });

  test('an import writes what differs, in portions', async () => {
    const { directory, store, view } = await service();
    await directory.importYaml(DEMO, admin);
    const before = store.log.length;
    const users = Object.fromEntries(
      Array.from({ length: 5000 }, (_, i) => [
        String(20000 + i),
        { name: `P ${i}`, site: 'london', callerId: '+442079460101' },
      ]),
    );
    const tree = demoWith() as { users: Tree };
    await directory.importYaml(stringify({ ...tree, users: { ...tree.users, ...users } }), admin);
    expect(view.directory?.users.size).toBe(5004);
    expect(store.log.length - before).toBe(3);
    const yaml = String(await directory.exportYaml()).replace('name: P 17\n', 'name: Q 17\n');
    await directory.importYaml(yaml, admin);
    expect(store.log.at(-1)).toMatchObject({ kind: 'directory', entries: ['user:20017'] });
  });

  test('who has changed much reads it back as well, though it takes its time until it is loaded', async () => {
    const { directory, view } = await service();
    await directory.importYaml(DEMO, admin);
    const waits: unknown[] = [];
    const when = view.whenDirectory.bind(view);
    view.whenDirectory = (version, patienceMs) => {
      waits.push(patienceMs);
      return when(version, patienceMs);
    };
    const like = view.directory?.users.get('1004');
    if (!like) throw new Error('nobody');
    for (const count of [1, 500, 501]) {
      const value = (i: number) => ({ ...like, extension: String(count * 1_000 + i), numbers: [] });
      const put = Array.from({ length: count }, (_, i) => ({ kind: 'user', value: value(i) }) as const);
      expect(await directory.editDirectory(() => ({ put }), 'test')).toBe('done');
    }
    expect(waits).toEqual([undefined, undefined, 30_000]);
  });

  test('a long export lets others have their turn, and is the same file', async () => {
    const { directory, view, store } = await service();
    await directory.importYaml(DEMO, admin);
    const put = new Map<string, object>();
    const like = view.directory?.users.get('1004');
    for (let i = 0; i < 2_000; i++)
      put.set(`user:${20_000 + i}`, { ...like, extension: undefined, numbers: [] });
    await store.writeDirectory({ put, remove: [], actor: 'test' });
    let turns = 0;
    let isOver = false;
    const again = (): void => {
      turns++;
      if (!isOver) setImmediate(again);
    };
    setImmediate(again);
    const yaml = String(await directory.exportYaml());
    isOver = true;
    expect(turns).toBeGreaterThan(75);
    const parsed = parseYaml(yaml);
    if ('problems' in parsed) throw new Error(parsed.problems.join('\n'));
    expect(Object.keys(parsed.document.users).length).toBe(2_004);
    expect(yaml.match(/^[a-z]+:/gm)).toEqual(['company:', 'sites:', 'users:', 'hosts:', 'webhooks:']);
  });

  test('an import knows nothing of where phones are: what is known stays, and another address verifies', async () => {
    const { directory, store, view } = await service();
    await directory.importYaml(DEMO, admin);
    const id = 'cp0004f2000001';
    const location = { network: '192.0.2.0/24', verified: false };
    await directory.updateHost(id, (host) => ({ host: { ...host, location } }), 'node:a');
    const before = store.log.length;
    await directory.importYaml(DEMO, admin);
    expect(view.directory?.hosts.get(id)?.location).toEqual(location);
    // Passcodes have fresh salts; the phones are as they were.
    expect(JSON.stringify(store.log.slice(before))).not.toContain('host:');
    const moved = stringify(demoWith([`hosts.${id}.address.room`, 'Library']));
    await directory.importYaml(moved, admin);
    expect(view.directory?.hosts.get(id)?.location).toEqual({ ...location, verified: true });
    await directory.importYaml(String(await directory.exportYaml()), admin);
    expect(view.directory?.hosts.get(id)?.location).toEqual({ ...location, verified: true });
  });

  test('no edit creates a host without a good address, or makes it another kind of phone', async () => {
    const { directory, store, view } = await service();
    await directory.importYaml(DEMO, admin);
    const found = view.directory?.hosts.get('cp0004f2000001');
    if (!found) throw new Error('no host');
    const demo = { ...found, mac: undefined };
    const bad = { ...demo.address, postcode: 'N1' };
    const put = (host: typeof found) =>
      directory.editDirectory(() => ({ put: [{ kind: 'host', value: host }] }), 'admin:kim');
    const problems = ['host:cp1.address.postcode: must be a UK postcode such as SW1A 1AA'];
    expect(await put({ ...demo, id: 'cp1', address: bad })).toMatchObject({ problems });
    expect(await put({ ...demo, id: 'cp1' })).toBe('done');
    // Written by an earlier version: usable as it is.
    store.directory.set('host:cp1', { ...(store.directory.get('host:cp1') as Tree), address: bad });
    await store.writeDirectory({
      put: new Map([['host:cp1', store.directory.get('host:cp1')]]),
      remove: [],
      actor: 'earlier',
    });
    const stored = view.directory?.hosts.get('cp1');
    expect(stored?.address).toEqual(bad);
    expect(await put({ ...demo, id: 'cp1', address: bad, kind: 'user', owner: '1001' })).toMatchObject({
      problems,
    });
    expect(await put({ ...demo, id: 'cp1', address: bad, nickname: 'x' })).toBe('done');
  });

  test('an edit that changes nothing writes nothing', async () => {
    const { directory, store } = await service();
    await directory.importYaml(DEMO, admin);
    const before = store.log.length;
    expect(await directory.editDirectory(() => ({}), 'x')).toBe('done');
    expect(store.log).toHaveLength(before);
  });

  test('demo passwords are recognised until the last one is changed', async () => {
    const { directory } = await service();
    expect(directory.usesDemoCredentials()).toBe(false);
    await directory.importYaml(DEMO, admin);
    await settle();
    expect(directory.usesDemoCredentials()).toBe(true);
    const ids = ['cp0004f2000001', 'cp0004f2000002', 'cp0004f2000003', 'u1002', 'u1003'];
    const changed = demoWith(
      ...ids.map((id): [string, unknown] => [`hosts.${id}.sipPassword`, 'something else']),
    );
    await directory.importYaml(stringify(changed), admin);
    await settle();
    expect(directory.usesDemoCredentials()).toBe(false);
  });
});
