// biome-ignore-all lint/a11y/noRedundantRoles: as cards, without the display of a table, they would have none
// biome-ignore-all lint/a11y/useSemanticElements: the same
import type { ComponentChildren } from 'preact';
import { texts } from '../texts.ts';
import { Button } from './button.tsx';
import { SmallSelect } from './fields.tsx';
import { Icon } from './icons.tsx';
import { useMedia } from './use-media.ts';

export interface Column<T> {
  readonly key: string;
  readonly title: string;
  readonly sortable?: boolean;
  render(row: T): ComponentChildren;
}

interface TableProps<T> {
  readonly label: string;
  readonly columns: readonly Column<T>[];
  readonly rows: readonly T[] | undefined;
  readonly keyOf: (row: T) => string;
  readonly nameOf: (row: T) => string;
  /** `name` or `-name`. */
  readonly sort?: string;
  readonly onSort?: (sort: string) => void;
  /** With it rows can be selected. */
  readonly selection?: Selection;
  /** So many columns that it is cards on a tablet too. */
  readonly wide?: boolean;
  /** Rows are being asked for again. */
  readonly stale?: boolean;
  readonly rowAction?: (row: T) => ComponentChildren;
}

export interface Selection {
  readonly chosen: ReadonlySet<string>;
  readonly onChange: (chosen: ReadonlySet<string>) => void;
}

const SKELETON_ROWS = 6;
/** Up to these widths rows are cards (style/table.css). */
const CARDS = '(max-width: 760px)';
const WIDE_CARDS = '(max-width: 1240px)';

/** A table; narrow screens see each row as a card. The roles stay whatever the style sheet does. */
export function Table<T>(props: TableProps<T>) {
  const { label, columns, rows, selection, sort = '', onSort, rowAction } = props;
  const isCards = useMedia(props.wide ? WIDE_CARDS : CARDS);
  const table = (
    <div
      class={`table-wrap${props.wide ? ' wide' : ''}`}
      aria-busy={rows === undefined || (props.stale ?? false)}
    >
      <table role="table" aria-label={label} class={props.stale ? 'stale' : ''}>
        <thead role="rowgroup">
          <tr role="row">
            {selection && (
              <th role="columnheader" class="tick">
                <SelectAll keys={(rows ?? []).map(props.keyOf)} {...selection} />
              </th>
            )}
            {columns.map((column) => (
              <HeadCell key={column.key} column={column} sort={sort} onSort={onSort} />
            ))}
            {rowAction && (
              <th role="columnheader" class="act">
                <span class="hidden">{texts.nav.more}</span>
              </th>
            )}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {rows === undefined ? (
            <SkeletonRows cells={columns.length + (selection ? 1 : 0) + (rowAction ? 1 : 0)} />
          ) : (
            rows.map((row) => <Row key={props.keyOf(row)} row={row} table={props} />)
          )}
        </tbody>
      </table>
    </div>
  );
  return (
    <>
      {isCards && <CardTools {...props} />}
      {table}
    </>
  );
}

/** What the headings do where there are none: choose all, and put in order. */
function CardTools<T>({ columns, rows, selection, keyOf, sort = '', onSort }: TableProps<T>) {
  const sorts = onSort ? columns.filter(({ sortable }) => sortable) : [];
  if (!selection && sorts.length === 0) return null;
  const options = sorts.flatMap(({ key, title }) => [
    { value: key, text: texts.common.sortBy(title) },
    { value: `-${key}`, text: texts.common.sortByReversed(title) },
  ]);
  return (
    <div class="card-tools">
      {selection && (
        // biome-ignore lint/a11y/noLabelWithoutControl: the box is inside
        <label>
          <SelectAll keys={(rows ?? []).map(keyOf)} {...selection} />
          <span aria-hidden="true">{texts.common.selectAll}</span>
        </label>
      )}
      {onSort && sorts.length > 0 && (
        <SmallSelect label={texts.common.sortLabel} value={sort} options={options} onChange={onSort} />
      )}
    </div>
  );
}

function Row<T>({ row, table }: { readonly row: T; readonly table: TableProps<T> }) {
  const { selection, columns, rowAction, keyOf, nameOf } = table;
  const key = keyOf(row);
  const chosen = selection?.chosen.has(key) ?? false;
  return (
    <tr role="row" class={chosen ? 'chosen' : ''}>
      {selection && (
        <td role="cell" class="tick">
          <input
            type="checkbox"
            checked={chosen}
            aria-label={texts.common.select(nameOf(row))}
            onChange={() => selection.onChange(toggled(selection.chosen, key))}
          />
        </td>
      )}
      {columns.map((column, index) => (
        <td role="cell" key={column.key} class={index === 0 ? 'main' : ''} data-label={column.title}>
          {column.render(row)}
        </td>
      ))}
      {rowAction && (
        <td role="cell" class="act">
          {rowAction(row)}
        </td>
      )}
    </tr>
  );
}

function toggled(chosen: ReadonlySet<string>, key: string): ReadonlySet<string> {
  const after = new Set(chosen);
  if (!after.delete(key)) after.add(key);
  return after;
}

function SelectAll({ keys, chosen, onChange }: Selection & { readonly keys: readonly string[] }) {
  const here = keys.filter((key) => chosen.has(key)).length;
  const all = keys.length > 0 && here === keys.length;
  return (
    <input
      type="checkbox"
      aria-label={texts.common.selectAll}
      checked={all}
      indeterminate={here > 0 && !all}
      disabled={keys.length === 0}
      onChange={() => onChange(new Set(all ? [] : keys))}
    />
  );
}

interface HeadCellProps<T> {
  readonly column: Column<T>;
  readonly sort: string;
  readonly onSort: ((sort: string) => void) | undefined;
}

function HeadCell<T>({ column, sort, onSort }: HeadCellProps<T>) {
  const { key, title, sortable = false } = column;
  if (!sortable || onSort === undefined) return <th role="columnheader">{title}</th>;
  const rising = sort === key;
  const falling = sort === `-${key}`;
  return (
    <th role="columnheader" aria-sort={rising ? 'ascending' : falling ? 'descending' : 'none'}>
      <button type="button" class="sort" onClick={() => onSort(rising ? `-${key}` : key)}>
        {title}
        <Icon name={falling ? 'downArrow' : 'up'} size={14} />
      </button>
    </th>
  );
}

function SkeletonRows({ cells }: { readonly cells: number }) {
  return (
    <>
      {Array.from({ length: SKELETON_ROWS }, (_, row) => (
        <tr role="row" key={row} class="skeleton-row">
          {Array.from({ length: cells }, (__, cell) => (
            <td role="cell" key={cell}>
              <span class={`skeleton w${((row + cell) % 3) + 1}`} />
            </td>
          ))}
        </tr>
      ))}
    </>
  );
}

interface BulkProps {
  readonly count: number;
  readonly children: ComponentChildren;
  readonly onClear: () => void;
}

/** What can be done with all that is selected. */
export function BulkBar({ count, children, onClear }: BulkProps) {
  if (count === 0) return null;
  return (
    <div class="bulk" role="status">
      <strong>{texts.common.selected(count)}</strong>
      <div class="bulk-actions">
        <Button kind="quiet" small onClick={onClear}>
          {texts.common.clearSelection}
        </Button>
        {children}
      </div>
    </div>
  );
}

interface PagerProps {
  readonly from: number;
  readonly shown: number;
  readonly total: number;
  readonly onPrevious: (() => void) | undefined;
  readonly onNext: (() => void) | undefined;
}

export function Pager({ from, shown, total, onPrevious, onNext }: PagerProps) {
  if (total === 0) return null;
  return (
    <nav class="pager" aria-label={texts.common.pages}>
      <span class="muted" aria-live="polite">
        {texts.common.range(from + 1, from + shown, total)}
      </span>
      {(onPrevious || onNext) && (
        <div>
          <Button small icon="left" disabled={!onPrevious} onClick={() => onPrevious?.()}>
            {texts.common.previous}
          </Button>
          <Button small disabled={!onNext} onClick={() => onNext?.()}>
            {texts.common.next}
          </Button>
        </div>
      )}
    </nav>
  );
}
