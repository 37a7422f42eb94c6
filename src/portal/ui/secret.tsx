import { useState } from 'preact/hooks';
import { texts } from '../texts.ts';
import { Button } from './button.tsx';

interface SecretProps {
  /** What it is, for who cannot see it. */
  readonly label: string;
  readonly value: string;
}

/** A text to be copied, such as a secret that is shown once. It can be selected and read where copying is not allowed. */
export function SecretText({ label, value }: SecretProps) {
  const [copied, setCopied] = useState(false);
  const copy = (): void => {
    navigator.clipboard?.writeText(value).then(
      () => setCopied(true),
      () => setCopied(false),
    );
  };
  return (
    <div class="secret">
      <input
        readOnly
        class="secret-text"
        aria-label={label}
        value={value}
        onFocus={(event) => event.currentTarget.select()}
      />
      <Button icon={copied ? 'check' : 'copy'} onClick={copy}>
        {copied ? texts.common.copied : texts.common.copy}
      </Button>
    </div>
  );
}
