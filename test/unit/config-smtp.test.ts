import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { exampleYaml } from '../../src/config-example.ts';

/** The mail server in the configuration. */

const MAIL = 'host: mail.example.com, from: hotdesk@example.com';
const load = (smtp: string) => loadConfig({}, `smtp: { ${smtp} }`);

test('none: no mail', () => {
  expect(loadConfig({}, '')).toMatchObject({
    config: expect.not.objectContaining({ smtp: expect.anything() }),
  });
});

test('defaults: STARTTLS at port 587, nobody but the contacts of sites', () => {
  const smtp = { host: 'mail.example.com', port: 587, tls: 'starttls', from: 'hotdesk@example.com', to: [] };
  expect(load(MAIL)).toMatchObject({ config: { smtp } });
});

test('the example is right', () => {
  const text = exampleYaml().replace(/^# (smtp: \{)/m, '$1');
  expect(loadConfig({}, text)).toMatchObject({
    config: { smtp: { host: 'smtp.example.com', username: 'hotdesk' } },
  });
});

describe('is refused without showing a value', () => {
  test.each([
    ['host: mail.example.com', 'smtp.from: expected an e-mail address, or a name and <address>'],
    ['from: a@example.com', 'smtp.host: expected a host name or an IP address'],
    [`${MAIL}, port: 0`, 'smtp.port: expected a whole number from 1 to 65535'],
    [`${MAIL}, tls: maybe`, 'smtp.tls: expected one of none, starttls, tls'],
    [`${MAIL}, to: [nobody]`, 'smtp.to.0: expected an e-mail address'],
    [`${MAIL}, to: ["a@b.c, d@e.f"]`, 'smtp.to.0: expected an e-mail address'],
    [`${MAIL}, username: x`, 'smtp.password: expected one, as there is a user name'],
    [`${MAIL}, password: hunter2-hunter2`, 'smtp.username: expected one, as there is a password'],
    [`${MAIL}, pasword: hunter2-hunter2`, 'smtp.pasword: unknown setting'],
    [
      'host: mail.example.com, from: "x <a@b.c>\\r\\nBcc: d@e.f"',
      'smtp.from: expected an e-mail address, or a name and <address>',
    ],
  ])('%s', (smtp, problem) => {
    const loaded = load(smtp);
    expect(loaded).toEqual({ problems: [problem] });
    expect(JSON.stringify(loaded)).not.toContain('hunter2');
  });
});
