import { queryOf } from '../api/audit.ts';
import { get } from '../api/client.ts';
import type { Usage } from '../api/types.ts';
import { saveFile } from '../app/save-file.ts';
import { siteName, sites } from '../app/session.ts';
import { fullTime, localOf, span } from '../app/time.ts';
import { useLoad } from '../app/use-load.ts';
import { texts } from '../texts.ts';
import { Card, Empty, Failed, Head, Skeleton } from '../ui/bits.tsx';
import { Button } from '../ui/button.tsx';
import { ColumnChart, RankList } from '../ui/chart.tsx';
import { SmallSelect } from '../ui/fields.tsx';
import { SITE_OPTIONS, zoneFor } from './audit-parts.tsx';
import { usageCsv } from './usage-csv.ts';
import { type ListState, useListState } from './use-list.ts';

const words = texts.usage;
const RANGES = ['7', '30', '92'] as const;
type Range = (typeof RANGES)[number];
const DAY_MS = 86_400_000;

function rangeOf(text: string): Range {
  return RANGES.find((range) => range === text) ?? '7';
}

/** So many days, today included, by the clocks of the site. */
function daysUpToNow(range: Range, site: string): { readonly from: string; readonly to: string } {
  const to = localOf(Date.now(), zoneFor(site)).slice(0, 10);
  const from = new Date(Date.parse(`${to}T12:00:00Z`) - (Number(range) - 1) * DAY_MS);
  return { from: from.toISOString().slice(0, 10), to };
}

/** More › Usage: how much desks are used. */
export function UsagePage() {
  const state = useListState(['range', 'site']);
  const range = rangeOf(state.value('range'));
  const site = state.value('site');
  const path = `/usage${queryOf({ ...daysUpToNow(range, site), site })}`;
  const { data, error, loading, reload } = useLoad(path, (signal) => get<Usage>(path, signal));
  return (
    <>
      <Head
        title={words.title}
        lead={words.lead}
        aside={
          data && (
            <Button icon="download" onClick={() => saveFile(`hotdesk-usage-${data.to}.csv`, usageCsv(data))}>
              {words.csv}
            </Button>
          )
        }
      />
      <Tools state={state} range={range} />
      {error && !loading ? (
        <Failed text={error} onRetry={reload} />
      ) : data === undefined ? (
        <Skeleton lines={8} />
      ) : data.logIns === 0 && data.peak === 0 ? (
        <Empty icon="chart" {...words.empty} />
      ) : (
        <div class={loading ? 'usage stale' : 'usage'} aria-busy={loading}>
          <Charts usage={data} />
        </div>
      )}
    </>
  );
}

function Tools({ state, range }: { readonly state: ListState; readonly range: Range }) {
  return (
    <div class="tools">
      {sites.value.length > 1 && (
        <SmallSelect
          label={texts.common.site}
          value={state.value('site')}
          options={SITE_OPTIONS()}
          onChange={(site) => state.set('site', site)}
        />
      )}
      <fieldset class="segments">
        <legend class="hidden">{words.range}</legend>
        {RANGES.map((days) => (
          <label key={days}>
            <input
              type="radio"
              name="range"
              checked={range === days}
              onChange={() => state.set('range', days === '7' ? '' : days)}
            />
            <span>{words.ranges[days]}</span>
          </label>
        ))}
      </fieldset>
    </div>
  );
}

function Charts({ usage }: { readonly usage: Usage }) {
  return (
    <>
      <Numbers usage={usage} />
      <ByHour usage={usage} />
      <ByDay usage={usage} />
      <div class="columns even">
        <BySite usage={usage} />
        <Busiest usage={usage} />
      </div>
      <p class="muted small foot-note">
        {words.zone(usage.timeZone)}
        {usage.recordedFrom && ` ${words.recordedFrom(fullTime(usage.recordedFrom, usage.timeZone))}`}
      </p>
    </>
  );
}

function Numbers({ usage }: { readonly usage: Usage }) {
  const { average, peak, desks, logIns, stays, days } = usage;
  const stay = (minutes: number | null): string =>
    minutes === null ? texts.common.none : span(minutes * 60_000);
  const numbers = [
    [
      words.numbers.average,
      average === null ? texts.common.none : words.decimal(average),
      words.numbers.of(desks),
    ],
    [words.numbers.peak, texts.count(peak), words.numbers.of(desks)],
    [words.numbers.logIns, texts.count(logIns), words.numbers.perDay(words.decimal(logIns / days.length))],
    [
      words.numbers.stay,
      stay(stays.medianMinutes),
      stays.averageMinutes === null ? '' : words.numbers.averageStay(stay(stays.averageMinutes)),
    ],
  ];
  return (
    <dl class="numbers" aria-label={words.numbers.label}>
      {numbers.map(([name, value, detail]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            <strong>{value}</strong>
            <span class="muted small">{detail}</span>
          </dd>
        </div>
      ))}
    </dl>
  );
}

const clockHour = (hour: number): string => `${String(hour).padStart(2, '0')}:00`;

function ByHour({ usage: { hours, desks } }: { readonly usage: Usage }) {
  const shown = (average: number | null): string =>
    average === null ? words.notYet : words.decimal(average);
  const bars = hours.map(({ hour, average, peak }) => ({
    label: String(hour),
    tick: hour % 3 === 0 ? clockHour(hour) : '',
    value: average,
    mark: peak,
    hint: `${clockHour(hour)} – ${words.averageName}: ${shown(average)}, ${words.peakName}: ${peak}`,
  }));
  const table = {
    heads: [words.hour, words.averageName, words.peakName],
    rows: hours.map(({ hour, average, peak }) => [clockHour(hour), shown(average), texts.count(peak)]),
  };
  return (
    <Card title={words.byHour} lead={words.byHourText}>
      <ColumnChart
        label={words.byHour}
        bars={bars}
        limit={{ value: desks, text: `${words.desks}: ${texts.count(desks)}` }}
        legend={[
          { kind: 'bar', text: words.averageName },
          { kind: 'mark', text: words.peakName },
        ]}
        table={table}
      />
    </Card>
  );
}

const dayFormat = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' });
const longDay = new Intl.DateTimeFormat('en-GB', {
  weekday: 'short',
  day: 'numeric',
  month: 'short',
  timeZone: 'UTC',
});

function ByDay({ usage: { days } }: { readonly usage: Usage }) {
  const every = Math.max(1, Math.ceil(days.length / 8));
  const bars = days.map(({ date, logIns }, index) => ({
    label: date,
    tick: (days.length - 1 - index) % every === 0 ? dayFormat.format(Date.parse(date)) : '',
    value: logIns,
    hint: `${longDay.format(Date.parse(date))} – ${words.timesLoggedIn(logIns)}`,
  }));
  const table = {
    heads: [words.day, words.numbers.logIns, words.numbers.peak],
    rows: days.map(({ date, logIns, peak }) => [
      longDay.format(Date.parse(date)),
      texts.count(logIns),
      texts.count(peak),
    ]),
  };
  return (
    <Card title={words.byDay} lead={words.byDayText}>
      <ColumnChart label={words.byDay} bars={bars} table={table} />
    </Card>
  );
}

function BySite({ usage }: { readonly usage: Usage }) {
  const ranks = usage.sites
    .filter(({ desks, logIns }) => desks > 0 || logIns > 0)
    .map(({ site, desks, average, peak }) => ({
      ...{ key: site, name: siteName(site), value: average ?? 0, of: desks },
      detail: `${words.decimal(average ?? 0)} ${words.numbers.of(desks)} · ${words.peakName} ${texts.count(peak)}`,
    }));
  return (
    <Card title={words.bySite} lead={words.bySiteText}>
      {ranks.length === 0 ? (
        <p class="muted card-text">{words.noSites}</p>
      ) : (
        <RankList label={words.bySite} ranks={ranks} />
      )}
    </Card>
  );
}

function Busiest({ usage: { busiest } }: { readonly usage: Usage }) {
  const most = busiest[0]?.hours ?? 0;
  const ranks = busiest.map(({ host, hours, logIns }) => ({
    ...{ key: host.id, name: host.nickname || host.id, value: hours, of: most },
    href: host.nickname === null ? undefined : `/phones/${encodeURIComponent(host.id)}`,
    detail: `${words.hours(hours)} · ${words.timesLoggedIn(logIns)}`,
  }));
  return (
    <Card title={words.busiest} lead={words.busiestText}>
      {ranks.length === 0 ? (
        <p class="muted card-text">{words.noDesks}</p>
      ) : (
        <RankList label={words.busiest} ranks={ranks} />
      )}
    </Card>
  );
}
