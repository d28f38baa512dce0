import type { CostLine, CostReply } from '../../api/instance-money.ts';
import { savedPercent, shownUsd } from '../../core/instance-cost.ts';
import { cut, shownCount, shownDuration } from './format.ts';
import { colourOfInstance } from './instance-states.ts';
import type { Column } from './table.ts';

type ArrayCost = CostReply['arrays'][number];
type MemberCost = ArrayCost['members'][number];

/** One array, or all of them together. */
export type ArrayRow = Omit<ArrayCost, 'members'>;
/** One machine of one index. */
export interface MemberRow {
  readonly array: ArrayCost;
  readonly member: MemberCost;
}

const NONE = '-';
const NAME_WIDTH = 32;

function money<Row>(title: string, of: (row: Row) => number | undefined): Column<Row> {
  return {
    title,
    right: true,
    value: (row) => {
      const usd = of(row);
      return usd === undefined ? NONE : shownUsd(usd);
    },
    plain: (row) => plainUsd(of(row)),
  };
}

/** In full, without a currency sign: for sums. */
function plainUsd(usd: number | undefined): string {
  return usd === undefined ? '' : String(Math.round(usd * 1e6) / 1e6);
}

function lineColumns<Row>(of: (row: Row) => CostLine): readonly Column<Row>[] {
  return [
    {
      title: 'RAN',
      leave: 6,
      right: true,
      value: (row) => shownDuration(of(row).ranMs),
      plain: (row) => String(Math.round(of(row).ranMs)),
    },
    { ...money<Row>('ON-DEMAND', (row) => of(row).onDemand), leave: 3 },
    { ...money<Row>('SPOT', (row) => of(row).spot), leave: 4 },
    money('COST', (row) => of(row).cost),
    { ...money<Row>('FAILED', (row) => of(row).failed), colour: (row) => (of(row).failed > 0 ? 'red' : undefined) },
  ];
}

const number = (title: string, of: (row: ArrayRow) => number): Column<ArrayRow> => ({
  title,
  right: true,
  value: (row) => shownCount(of(row)),
  plain: (row) => String(of(row)),
});

/** Through a pipe: array id, name, instances, running, ms run, on-demand, spot, cost, failed, an hour, forecast, limit. */
export const ARRAY_COLUMNS: readonly Column<ArrayRow>[] = [
  { title: 'ARRAY ID', leave: 1, value: ({ arrayId }) => arrayId },
  { title: 'NAME', value: ({ name }) => cut(name, NAME_WIDTH), plain: ({ name }) => name },
  number('INSTANCES', ({ instances }) => instances),
  number('RUNNING', ({ running }) => running),
  ...lineColumns((row: ArrayRow) => row),
  money('AN HOUR', ({ rate }) => rate),
  money('FORECAST', ({ forecast }) => forecast),
  { ...money<ArrayRow>('LIMIT', ({ costLimit }) => costLimit), leave: 5 },
];

/** Through a pipe: array id, name, index, id, state, ms run, on-demand, spot, cost, failed. */
export const MEMBER_COLUMNS: readonly Column<MemberRow>[] = [
  { title: 'ARRAY ID', leave: 1, value: ({ array }) => array.arrayId },
  { title: 'NAME', value: ({ member }) => cut(member.name, NAME_WIDTH), plain: ({ member }) => member.name },
  { title: 'INDEX', right: true, value: ({ array, member }) => (array.standalone ? '' : String(member.index)) },
  { title: 'ID', leave: 2, value: ({ member }) => member.id },
  { title: 'STATE', value: ({ member }) => member.state, colour: ({ member }) => colourOfInstance(member.state) },
  ...lineColumns(({ member }: MemberRow) => member),
];

/** The sum of all arrays, as a last row of their table. */
export function totalRow({ total, arrays }: CostReply): ArrayRow {
  const sum = (of: (array: ArrayCost) => number): number => arrays.reduce((all, array) => all + of(array), 0);
  const forecasts = arrays.map(({ forecast }) => forecast);
  return {
    ...total,
    jobId: 0,
    arrayId: '',
    name: 'total',
    standalone: false,
    instances: sum(({ instances }) => instances),
    running: sum(({ running }) => running),
    rate: sum(({ rate }) => rate),
    // Without an end of one there is none of all.
    ...(forecasts.includes(undefined) ? {} : { forecast: sum(({ forecast }) => forecast!) }),
  };
}

/** What spot instances save, or would, and of when the prices are. */
export function costNotes({ total, pricesOf }: CostReply): string {
  const saved = total.onDemand - total.cost;
  const left = total.cost - total.spot;
  const lines = [
    ...(saved > 0
      ? [`Spot instances saved ${shownUsd(saved)} (${savedPercent(total.onDemand, total.cost)}% of on-demand)`]
      : []),
    ...(left > 0
      ? [`All on spot instances: ${shownUsd(total.spot)} (${savedPercent(total.cost, total.spot)}% less)`]
      : []),
    ...(total.failed > 0 ? [`Attempts that did not complete: ${shownUsd(total.failed)}`] : []),
    `Running time x price in USD; prices of ${pricesOf}`,
  ];
  return lines.map((line) => `${line}\n`).join('');
}
