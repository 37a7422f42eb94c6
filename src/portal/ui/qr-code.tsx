import qrcode from 'qrcode-generator';

/** Modules around it that stay free (ISO/IEC 18004). */
const MARGIN = 4;

/** A text as a QR code: dark on light whatever the page looks like, or apps do not find it. */
export function QrCode({ text, label }: { readonly text: string; readonly label: string }) {
  const code = qrcode(0, 'M');
  code.addData(text);
  code.make();
  const count = code.getModuleCount();
  const all = Array.from({ length: count }, (_, index) => index);
  const dark = all.flatMap((row) =>
    all.filter((column) => code.isDark(row, column)).map((column) => [column, row]),
  );
  const path = dark.map(([x = 0, y = 0]) => `M${x + MARGIN} ${y + MARGIN}h1v1h-1z`).join('');
  const size = count + 2 * MARGIN;
  return (
    <svg class="qr-code" viewBox={`0 0 ${size} ${size}`} role="img" aria-label={label}>
      <rect class="qr-ground" width={size} height={size} />
      <path class="qr-dark" d={path} />
    </svg>
  );
}
