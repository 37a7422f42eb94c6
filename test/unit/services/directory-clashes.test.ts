import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Company, Directory, Site, User } from '../../../src/domain/directory.ts';
import type { DirectoryEntry } from '../../../src/domain/directory-table.ts';
import { VOICE_PORTAL_KEYS } from '../../../src/domain/voice-portal.ts';
import { changedCompany } from '../../../src/services/company-change.ts';
import { checkDocument, parseYaml, tableOf } from '../../../src/services/directory-document.ts';
import { editProblems } from '../../../src/services/edit-rules.ts';
import { company, directory, host, site, user } from '../domain/example.ts';

/** What clashes with what, in whole documents and in edits: licences (A7, B1), portal and voicemail, forwarding. */

const DEMO = readFileSync(new URL('../../../config/demo.yaml', import.meta.url), 'utf8');
const SEALED = `p1:${Buffer.alloc(40).toString('base64')}`;

type Tree = Record<string, unknown>;

function problemsOf(...changes: [path: string, value: unknown][]): readonly string[] {
  const parsed = parseYaml(DEMO);
  if ('problems' in parsed) throw new Error(parsed.problems.join('\n'));
  const root = structuredClone(parsed.document) as Tree;
  for (const [path, value] of changes) {
    const keys = path.split('.');
    const last = keys.pop() ?? '';
    keys.reduce<Tree>((tree, key) => tree[key] as Tree, root)[last] = value;
  }
  const checked = checkDocument(root);
  return 'problems' in checked ? checked.problems : [];
}

describe('a document', () => {
  test.each<[string, [string, unknown][], string[]]>([
    [
      'more host add-ons than there are (B1)',
      [['company.addOnLicences', { host: 1, guest: 2 }]],
      ['company.addOnLicences.host: has 1, but 2 people hold the host add-on'],
    ],
    [
      'a guest add-on too many',
      [['company.addOnLicences.guest', 1]],
      ['company.addOnLicences.guest: has 1, but 2 people hold the guest add-on'],
    ],
    [
      'two things on one key of a menu',
      [['company.voicePortal.keys.hoteling.associate', '1']],
      ['company.voicePortal.keys.hoteling.associate: 1 is also the key of checkHostStatus'],
    ],
    [
      'two things on one key after a name was recorded',
      [['company.voicePortal.keys.recordedName.keep', '*']],
      ['company.voicePortal.keys.recordedName.previous: * is also the key of keep'],
    ],
    ['a key of both menus', [['company.voicePortal.keys.hoteling.associate', '7']], []],
    [
      'portal on an extension',
      [['company.voicePortal.number', '1001']],
      ['company.voicePortal.number: 1001 is an extension'],
    ],
    [
      'voicemail on an extension',
      [['company.voicemailNumber', '1004']],
      ['company.voicemailNumber: 1004 is an extension'],
    ],
    [
      'portal and voicemail on one number',
      [['company.voicemailNumber', '8000']],
      ['company.voicemailNumber: 8000 is the number of the voice portal already'],
    ],
    [
      'portal on an emergency number of the country',
      [['company.voicePortal.number', '999']],
      ['company.voicePortal.number: dialling 999 is an emergency call'],
    ],
    [
      'portal on an emergency number of a site',
      [['sites.leeds.emergencyNumbers', ['8000']]],
      ['company.voicePortal.number: dialling 8000 is an emergency call at site "leeds"'],
    ],
    [
      'voicemail on an emergency number behind the prefix of a site',
      [
        ['sites.leeds.outsideLinePrefix', '0'],
        ['company.voicemailNumber', '0999'],
      ],
      ['company.voicemailNumber: dialling 0999 is an emergency call at site "leeds"'],
    ],
    [
      'portal on a test number',
      [['company.voicePortal.number', '933']],
      ['london', 'leeds'].map(
        (id) => `company.voicePortal.number: dialling 933 reads the emergency address aloud at site "${id}"`,
      ),
    ],
    [
      'portal behind the outside-line prefix of a site',
      [['sites.london.outsideLinePrefix', '80']],
      ['voicePortal.number', 'voicemailNumber'].map(
        (path, i) => `company.${path}: 800${i} begins with 80, which gets an outside line at site "london"`,
      ),
    ],
    [
      'forwarding to oneself, by extension and by number',
      [
        ['users.1001.forwarding', { always: '1001', unanswered: '02079460101' }],
        ['users.1002.forwarding', { always: '+442079460102' }],
      ],
      [
        'users.1001.forwarding.always: is their own number',
        'users.1001.forwarding.unanswered: is their own number',
        'users.1002.forwarding.always: is their own number',
      ],
    ],
    [
      'forwarding to oneself by way of an outside line',
      [
        ['sites.leeds.outsideLinePrefix', '9'],
        ['users.1003.forwarding', { unanswered: '901134960103' }],
      ],
      ['users.1003.forwarding.unanswered: is their own number'],
    ],
    [
      'forwarding to the emergency services',
      [['users.1001.forwarding', { always: '999' }]],
      ['users.1001.forwarding.always: is an emergency number'],
    ],
    ['forwarding to others', [['users.1001.forwarding', { always: '1002', unanswered: '01632960123' }]], []],
    [
      'one mailbox for two',
      [
        ['users.1001.mailbox', 'front'],
        ['users.1002.mailbox', 'front'],
      ],
      ['users.1002.mailbox: front is the mailbox of 1001 already'],
    ],
    [
      'the mailbox of a colleague',
      [['users.1001.mailbox', '1002']],
      ['users.1001.mailbox: 1002 is the mailbox of 1002 already'],
    ],
    [
      'mailboxes changed over',
      [
        ['users.1001.mailbox', '1002'],
        ['users.1002.mailbox', '1001'],
      ],
      [],
    ],
    [
      'a sealed secret in clear',
      [['users.1001.hotelingSecret', '583914']],
      ['users.1001.hotelingSecret: is nothing this system has sealed'],
    ],
    [
      'a sealed secret beside a new passcode',
      [['users.1001.hotelingSecret', SEALED]],
      ['users.1001: has both passcode and hotelingSecret'],
    ],
  ])('%s', (_, changes, expected) => expect(problemsOf(...changes)).toEqual(expected));
});

const PORTAL = { number: '8000', keys: VOICE_PORTAL_KEYS };

/** A directory and what an edit of it would break. */
function edit(
  differs: Parameters<typeof directory>[0],
  put: (directory: Directory) => DirectoryEntry[],
): string[] {
  const before = directory(differs);
  return editProblems(put(before), before);
}

const companyEdit = (change: Parameters<typeof changedCompany>[1]) => (before: Directory) => [
  { kind: 'company' as const, value: changedCompany(before.company, change) },
];
const userEdit =
  (...values: User[]) =>
  (): DirectoryEntry[] =>
    values.map((value) => ({ kind: 'user', value }));
const siteEdit = (value: Site) => (): DirectoryEntry[] => [{ kind: 'site', value }];

describe('an edit of the company', () => {
  test.each<[string, Parameters<typeof changedCompany>[1], string[]]>([
    [
      'portal on an extension',
      { voicePortal: { number: '1001' } },
      ['company.voicePortal.number: 1001 is an extension'],
    ],
    [
      'portal behind the prefix of a site',
      { voicePortal: { number: '9000' } },
      ['company.voicePortal.number: 9000 begins with 9, which gets an outside line at site "leeds"'],
    ],
    [
      'a key twice',
      { voicePortal: { number: '8000', keys: { main: { exit: '#' } } } },
      ['company.voicePortal.keys.main.exit: # is also the key of repeat'],
    ],
    [
      'a key of the recorded name twice',
      { voicePortal: { number: '8000', keys: { recordedName: { recordAgain: '1' } } } },
      ['company.voicePortal.keys.recordedName.recordAgain: 1 is also the key of keep'],
    ],
    [
      'voicemail on 112',
      { voicemailNumber: '112' },
      ['company.voicemailNumber: dialling 112 is an emergency call'],
    ],
    [
      'fewer add-ons than are held',
      { addOnLicences: { host: 2 } },
      ['company.addOnLicences.host: has 2, but 3 people hold the host add-on'],
    ],
    [
      'fewer licences than are held',
      { hotDeskLicences: 0 },
      ['company.hotDeskLicences: has 0, but 3 people hold a licence'],
    ],
    ['as many as are held', { addOnLicences: { host: 3, guest: 3 }, hotDeskLicences: 3 }, []],
    ['all well', { voicePortal: { number: '8000' }, voicemailNumber: '8001' }, []],
  ])('%s', (_, change, expected) => expect(edit({}, companyEdit(change))).toEqual(expected));

  test('what was wrong before does not stand in the way of anything else', () => {
    const bad: Partial<Company> = {
      ...{ addOnLicences: { host: 0, guest: 1 }, hotDeskLicences: 0 },
      voicePortal: { ...PORTAL, number: '1001' },
    };
    expect(edit({ company: bad }, companyEdit({ associationLimit: 8 }))).toEqual([]);
    // More than before, though not enough yet; and only what is lowered is at fault.
    expect(edit({ company: bad }, companyEdit({ addOnLicences: { host: 1 } }))).toEqual([]);
    expect(edit({ company: bad }, companyEdit({ addOnLicences: { guest: 0 } }))).toEqual([
      'company.addOnLicences.guest: has 0, but 3 people hold the guest add-on',
    ]);
  });
});

describe('an edit of people', () => {
  const differs = { company: { voicePortal: PORTAL, voicemailNumber: '8001' } };

  test.each<[string, User[], string[]]>([
    [
      'a new person on the portal’s number',
      [user('8000')],
      ['user:8000: is taken by company.voicePortal.number'],
    ],
    ['a new person whom nobody could ring', [user('999')], ['user:999: dialling it is an emergency call']],
    ['a new person behind a prefix', [user('9999')], ['user:9999: dialling it is an emergency call']],
    ['a site that is not there', [user('1001', { site: 'paris' })], ['user:1001.site: no such site "paris"']],
    [
      'forwarding to oneself',
      [user('1001', { forwarding: { unanswered: '1001' } })],
      ['user:1001.forwarding.unanswered: is their own number'],
    ],
    [
      'a number that calls are forwarded to already',
      [user('1001', { forwarding: { always: '+441632960555' }, numbers: ['+441632960555'] })],
      ['user:1001.forwarding.always: is their own number'],
    ],
    [
      'forwarding to 999 by way of an outside line',
      [user('1003', { site: 'leeds', forwarding: { always: '9999' } })],
      ['user:1003.forwarding.always: is an emergency number'],
    ],
    [
      'a colleague’s mailbox',
      [user('1001', { mailbox: '1002' })],
      ['user:1001.mailbox: 1002 is the mailbox of 1002 already'],
    ],
    [
      'one mailbox for two in one edit',
      [user('1001', { mailbox: 'x' }), user('1002', { mailbox: 'x' })],
      [
        'user:1001.mailbox: x is the mailbox of 1002 already',
        'user:1002.mailbox: x is the mailbox of 1001 already',
      ],
    ],
    ['mailboxes changed over', [user('1001', { mailbox: '1002' }), user('1002', { mailbox: '1001' })], []],
    ['nothing', [user('1001')], []],
  ])('%s', (_, people, expected) => expect(edit(differs, userEdit(...people))).toEqual(expected));

  test('who is wrong already can still be changed', () => {
    const bad = { site: 'paris', forwarding: { always: '1001' }, mailbox: '1002' };
    const users = [user('1001', bad), user('1002')];
    expect(edit({ users }, userEdit(user('1001', { ...bad, name: 'Kim' })))).toEqual([]);
    expect(edit({ users }, userEdit(user('1002', { name: 'Lee' })))).toEqual([]);
  });
});

describe('an edit of sites and hosts', () => {
  const differs = { company: { voicePortal: PORTAL, voicemailNumber: '8001' } };

  test.each<[string, Partial<Site>, string[]]>([
    [
      'an emergency number that is the portal',
      { emergencyNumbers: ['8000'] },
      ['site:london: company.voicePortal.number: dialling 8000 is an emergency call at site "london"'],
    ],
    [
      'a test number that is voicemail',
      { emergencyTestNumbers: ['8001'] },
      [
        'site:london: company.voicemailNumber: dialling 8001 reads the emergency address aloud at site "london"',
      ],
    ],
    [
      'an emergency number that is an extension',
      { emergencyNumbers: ['1002'] },
      ['site:london: 1002 is an extension'],
    ],
    [
      'a test number behind a prefix that is an extension',
      { outsideLinePrefix: '1', emergencyTestNumbers: ['002'] },
      ['site:london: 1002 is an extension'],
    ],
    [
      'a test number that calls for help',
      { emergencyTestNumbers: ['999'] },
      ['site:london.emergencyTestNumbers: 999 is an emergency number'],
    ],
    ['a name', { name: 'The City' }, []],
  ])('%s', (_, change, expected) =>
    expect(edit(differs, siteEdit(site('london', change)))).toEqual(expected),
  );

  test('hosts: their site, and their owner', () => {
    const put = (value: ReturnType<typeof host>) => edit({}, () => [{ kind: 'host', value }]);
    expect(put(host('d1', { site: 'paris' }))).toEqual(['host:d1.site: no such site "paris"']);
    expect(put(host('n1', { kind: 'user', owner: '1999' }))).toEqual(['host:n1.owner: no such user "1999"']);
    const words = 'a phone of kind user needs an owner, any other has none';
    expect(put(host('n1', { kind: 'user' }))).toEqual([`host:n1.owner: ${words}`]);
    expect(put(host('n1', { owner: '1001' }))).toEqual([`host:n1.owner: ${words}`]);
    expect(put(host('n1', { kind: 'user', owner: '1001' }))).toEqual([]);
  });
});

test('an edit in a large directory costs little', () => {
  const users = Array.from(
    { length: 100_000 },
    (_, n): DirectoryEntry => ({
      kind: 'user',
      value: user(String(200_000 + n)),
    }),
  );
  const sites = Array.from(
    { length: 200 },
    (_, n): DirectoryEntry => ({ kind: 'site', value: site(`s${n}`) }),
  );
  const large = tableOf([{ kind: 'company', value: company() }, ...sites, ...users]);
  const anybody = large.users.get('250000');
  if (!anybody) throw new Error('nobody');
  const started = performance.now();
  for (let n = 0; n < 100; n++) {
    expect(editProblems([{ kind: 'user', value: { ...anybody, name: `P ${n}` } }], large)).toEqual([]);
    expect(
      editProblems(
        [{ kind: 'company', value: changedCompany(large.company, { associationLimit: 8 }) }],
        large,
      ),
    ).toEqual([]);
  }
  expect(performance.now() - started).toBeLessThan(1_000);
});
