import { useId } from 'preact/hooks';
import { texts } from '../texts.ts';
import { ticksWithRoom } from './ticks.ts';
import { useMedia } from './use-media.ts';

/** Columns drawn as SVG by hand, with the same numbers as a table behind them: colours are never all there is. */

export interface Bar {
  readonly label: string;
  /** Below the axis; '' for none. */
  readonly tick: string;
  /** null: not known. */
  readonly value: number | null;
  /** A mark above, such as the most there was. */
  readonly mark?: number | undefined;
  /** Said when pointed at. */
  readonly hint: string;
}

interface ChartProps {
  readonly label: string;
  readonly bars: readonly Bar[];
  /** A line across, such as how many there are. */
  readonly limit?: { readonly value: number; readonly text: string } | undefined;
  readonly legend?: readonly { readonly kind: 'bar' | 'mark' | 'line'; readonly text: string }[];
  readonly table: TableData;
}

export interface TableData {
  readonly heads: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Drawn as wide as it is shown, more or less: the figures keep their size on a phone. */
const WIDE = 720;
const NARROW = 320;
const HEIGHT = 250;
const LEFT = 38;
const RIGHT = 8;
const TOP = 14;
const BOTTOM = 28;
const PLOT = HEIGHT - TOP - BOTTOM;

/** A round number that is not less, and the steps up to it. */
function scaleOf(most: number): readonly number[] {
  const rough = Math.max(1, most) / 4;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * unit).find((size) => size >= rough) ?? 10 * unit;
  const whole = Math.max(1, Math.ceil(step));
  const count = Math.max(1, Math.ceil(most / whole));
  return Array.from({ length: count + 1 }, (_, index) => index * whole);
}

export function ColumnChart({ label, bars, limit, legend = [], table }: ChartProps) {
  const most = Math.max(...bars.map(({ value, mark = 0 }) => Math.max(value ?? 0, mark)), 0);
  // Many more than are ever used: the line would press everything flat.
  const line = limit && limit.value > 0 && limit.value <= most * 3 ? limit : undefined;
  const steps = scaleOf(Math.max(most, line?.value ?? 0));
  const top = steps.at(-1) ?? 1;
  const yOf = (value: number): number => TOP + PLOT - (value / top) * PLOT;
  const width = useMedia('(max-width: 620px)') ? NARROW : WIDE;
  const right = width - RIGHT;
  const slot = (right - LEFT) / Math.max(1, bars.length);
  const ticks = ticksWithRoom(bars, slot);
  return (
    <figure class="chart">
      <svg viewBox={`0 0 ${width} ${HEIGHT}`} role="img" aria-label={label}>
        {steps.map((step) => (
          <g key={step} class="chart-step">
            <line x1={LEFT} x2={right} y1={yOf(step)} y2={yOf(step)} />
            <text x={LEFT - 8} y={yOf(step) + 4} text-anchor="end">
              {texts.count(step)}
            </text>
          </g>
        ))}
        {bars.map((bar, index) => (
          <Column
            key={bar.label}
            bar={ticks.has(index) ? bar : { ...bar, tick: '' }}
            x={LEFT + index * slot}
            slot={slot}
            yOf={yOf}
          />
        ))}
        {line && <line class="chart-limit" x1={LEFT} x2={right} y1={yOf(line.value)} y2={yOf(line.value)} />}
      </svg>
      <figcaption>
        <ul class="legend">
          {legend.map(({ kind, text }) => (
            <li key={kind}>
              <span class={`legend-sign ${kind}`} aria-hidden="true" />
              {text}
            </li>
          ))}
          {limit && line && (
            <li>
              <span class="legend-sign line" aria-hidden="true" />
              {limit.text}
            </li>
          )}
        </ul>
        <DataTable label={label} table={table} />
      </figcaption>
    </figure>
  );
}

interface ColumnProps {
  readonly bar: Bar;
  readonly x: number;
  readonly slot: number;
  readonly yOf: (value: number) => number;
}

function Column({ bar, x, slot, yOf }: ColumnProps) {
  const width = Math.max(1.5, Math.min(34, slot * 0.64));
  const left = x + (slot - width) / 2;
  const { value, mark, tick, hint } = bar;
  const radius = Math.min(4, width / 3);
  return (
    <g class="chart-bar">
      <title>{hint}</title>
      <rect class="chart-hit" x={x} y={TOP} width={slot} height={PLOT} />
      {value !== null && value > 0 && (
        <path class="chart-fill" d={roundedTop({ left, width, radius, top: yOf(value), bottom: yOf(0) })} />
      )}
      {mark !== undefined && mark > 0 && (
        <line class="chart-mark" x1={left - 1} x2={left + width + 1} y1={yOf(mark)} y2={yOf(mark)} />
      )}
      {tick !== '' && (
        <text class="chart-tick" x={x + slot / 2} y={HEIGHT - 6} text-anchor="middle">
          {tick}
        </text>
      )}
    </g>
  );
}

interface Box {
  readonly left: number;
  readonly width: number;
  readonly radius: number;
  readonly top: number;
  readonly bottom: number;
}

function roundedTop({ left, width, radius, top, bottom }: Box): string {
  const r = Math.min(radius, bottom - top);
  const right = left + width;
  return `M${left} ${bottom}V${top + r}Q${left} ${top} ${left + r} ${top}H${right - r}Q${right} ${top} ${right} ${top + r}V${bottom}Z`;
}

/** The numbers of a drawing, for who would rather read them. */
function DataTable({ label, table }: { readonly label: string; readonly table: TableData }) {
  const id = useId();
  return (
    <details class="chart-table">
      <summary aria-describedby={id}>{texts.usage.table}</summary>
      <span id={id} class="hidden">
        {label}
      </span>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys */}
      <section class="chart-scroll" tabIndex={0} aria-label={label}>
        <table class="plain-table">
          <caption class="hidden">{label}</caption>
          <thead>
            <tr>
              {table.heads.map((head) => (
                <th key={head} scope="col">
                  {head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {table.rows.map(([name = '', ...cells]) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                {cells.map((cell, index) => (
                  <td key={table.heads[index + 1]}>{cell}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </details>
  );
}

export interface Rank {
  readonly key: string;
  readonly name: string;
  readonly href?: string | undefined;
  readonly detail: string;
  readonly value: number;
  readonly of: number;
}

/** Names with a bar each: how much of what there is. The words say it all. */
export function RankList({ label, ranks }: { readonly label: string; readonly ranks: readonly Rank[] }) {
  return (
    <ol class="ranks" aria-label={label}>
      {ranks.map(({ key, name, href, detail, value, of }) => (
        <li key={key}>
          <span class="rank-name">
            {href ? (
              <a class="row-link light" href={href}>
                {name}
              </a>
            ) : (
              name
            )}
          </span>
          <span class="rank-detail">{detail}</span>
          <svg class="rank-bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
            <rect class="rank-ground" width="100" height="6" />
            <rect class="rank-fill" width={of > 0 ? Math.min(100, (value / of) * 100) : 0} height="6" />
          </svg>
        </li>
      ))}
    </ol>
  );
}
