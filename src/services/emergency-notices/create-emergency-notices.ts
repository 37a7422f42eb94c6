import type { View } from '../../domain/view.ts';
import type { TextPort } from '../ports.ts';
import { emailChannel } from './email.ts';
import { EmergencyNotices, type EmergencyNoticesDependencies } from './emergency-notices.ts';
import { messageChannel } from './message.ts';
import { MissingSmtp } from './missing-smtp.ts';
import { createSmtp, type SmtpSettings } from './smtp.ts';

export interface CreateEmergencyNoticesOptions extends Omit<EmergencyNoticesDependencies, 'channels'> {
  readonly view: EmergencyNoticesDependencies['view'] & Pick<View, 'associationAt' | 'associationOf'>;
  readonly phones: TextPort;
  /** Absent: no mail. */
  readonly smtp?: (SmtpSettings & { readonly to: readonly string[] }) | undefined;
}

/** Telling people of emergency calls as a part of the house. */
export function createEmergencyNotices(options: CreateEmergencyNoticesOptions): {
  readonly notices: EmergencyNotices;
  start(): void;
  stop(): Promise<void>;
} {
  const { view, phones, smtp } = options;
  const message = messageChannel({ view, phones });
  const email = smtp && emailChannel({ view, send: createSmtp(smtp), companyWide: smtp.to });
  const notices = new EmergencyNotices({ ...options, channels: email ? [email, message] : [message] });
  const missing = smtp ? undefined : new MissingSmtp(options);
  return {
    notices,
    start() {
      notices.start();
      missing?.start();
    },
    async stop() {
      missing?.stop();
      await notices.stop();
    },
  };
}
